"""Text that was read in the wrong encoding, or holds what no text holds; and the text that it was, where that is sure."""

from __future__ import annotations

import re
import unicodedata

# UTF-8 that was read as Windows-1252 or Latin-1: a lead byte's character and its continuation bytes'.
_CONTINUATION = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = re.compile(rf"[ÂÃ][{_CONTINUATION}]|[à-ï][{_CONTINUATION}]{{2}}|[ð-÷][{_CONTINUATION}]{{3}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
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
    """The text as it was before it was read in the wrong encoding, without control characters; as it is where that is not
    sure."""
    if _MOJIBAKE.search(text):
        for encoding in ("cp1252", "latin-1"):
            try:
                text = text.encode(encoding).decode("utf-8")
                break
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
    return _CONTROL.sub("", text)
