"""Text that was read in the wrong encoding, or holds what no text holds; and the text that it was, where that is sure."""

from __future__ import annotations

import re
import unicodedata

# UTF-8 that was read as Windows-1252 or Latin-1: a lead byte's character and its continuation bytes'.
_CONTINUATION = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = re.compile(rf"[ÂÃ][{_CONTINUATION}]|[à-ï][{_CONTINUATION}]{{2}}|[ð-÷][{_CONTINUATION}]{{3}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PUNCTUATION = frozenset("\u00a0«»‘’“”‹›…–—")  # what stands behind a letter in good text, too
_INVISIBLE = (
    "\u200b\u2060\ufeff\u00ad"  # zero-width space, word joiner, byte order mark, soft hyphen; joiners mean something
)
_BLANK = (
    " \t\n\r\v\f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_MOST_TIMES = 3  # that a text was read in a wrong encoding, one after another
_LONGEST = 100_000  # characters that are looked at


def encoding_fault(text: str) -> str | None:
    """What is wrong with the characters of a text, as a reason; None when nothing is."""
    text = text[:_LONGEST]
    if "\ufffd" in text:
        return "it holds U+FFFD, where a character was lost"
    if any(unicodedata.category(found) == "Cs" for found in text if "\ud800" <= found <= "\udfff"):
        return "it holds half a character"
    if found := _CONTROL.search(text):
        return f"it holds the control character U+{ord(found[0]):04X}"
    if (found := _MOJIBAKE.search(text)) and mended(text) != text:
        return f"{found[0]!r} is a character that was read in the wrong encoding"
    return None


def mended(text: str) -> str:
    """The text as it was before it was read in the wrong encoding, once or twice, without control characters.

    A character that was lost (U+FFFD) stays lost; what may well have been meant is left as it is.
    """
    for _ in range(_MOST_TIMES):
        if not any(map(_is_sure, _MOJIBAKE.finditer(text))):
            break
        text = _decoded(text)
    return _CONTROL.sub("", text)


def trimmed(text: str) -> str:
    """The text without the blank and invisible characters around it.

    Of a text of several lines only invisible ones go: its indentation, and how it ends, may mean something. One that would be
    empty stays as it is.
    """
    found = text.strip(_BLANK + _INVISIBLE)
    if "\n" in found:
        found = text.strip(_INVISIBLE)
    return found or text


def _decoded(text: str) -> str:
    """What was meant: the text as a whole, or else each character of it that is sure."""
    if len(text) <= _LONGEST:
        for encoding in ("cp1252", "latin-1"):
            try:
                return text.encode(encoding).decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
    return _MOJIBAKE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if not _is_sure(found):
        return found[0]
    raw = b"".join(_byte(character) for character in found[0])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return found[0]


def _byte(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")  # five bytes that Windows-1252 gives no character


def _is_sure(found: re.Match[str]) -> bool:
    """Whether what was found is nothing that a person writes: “là »” has a letter, a space and a mark of quotation."""
    lead, rest = found[0][0], found[0][1:]
    before = found.string[found.start() - 1 : found.start()]
    return not (set(rest) <= _PUNCTUATION and before.isalpha() and before.islower() == lead.islower())
