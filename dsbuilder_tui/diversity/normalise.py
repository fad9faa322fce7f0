"""Tiered masking: what changes from copy to copy is masked, what a test case may be about is kept.

Masked: ids, phone numbers, e-mail addresses, URLs, dates, times, weekdays, names of people. Kept: money, counts, ages,
durations and every other word, because a case that differs in one of these is often the very contrast an evaluation
needs.

The result is the same in every process and on every machine, and ``normalise(normalise(x)) == normalise(x)``. One limit:
a character that Unicode assigned after version 14 is a letter to a newer Python and nothing to an older one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from dsbuilder_tui.diversity import lexicon

NORMALISER_VERSION = 5
"""Goes up when the same text gets another result, or other traits; recorded with what was made from them."""

# Vowel signs and accents belong to the word they stand in. Unicode 3.2 is the same in every Python.
_SIGNS = "".join(chr(c) for c in range(0x300, 0x1800) if unicodedata.ucd_3_2_0.category(chr(c)) in ("Mn", "Mc"))
_LETTERS = rf"[^\W\d_]+(?:[{_SIGNS}]+[^\W\d_]*)*+"
_WORD = rf"{_LETTERS}(?:'{_LETTERS})*+"
_MONTH = "|".join(sorted(lexicon.MONTHS, key=len, reverse=True))
_MASK = "(?P<mask><(?:id|date|day|time|name|url|email|phone)>)"
_STOP = r"(?P<stop>[.!?\n\x1e])|(?P<pause>[,;])"
# A pattern that looks ahead looks 64 characters far at most: foreign text of any length is read in linear time. (An
# e-mail address has no more before its @, RFC 5321.)
_TO_A_DIGIT = r"(?:[^\W\d]|-(?=\w)){0,64}+\d"
# A plain word comes first, for most words are nothing else: no address, id or number goes on at its end. (In a pattern
# of many branches each branch costs time at each word.)
_TOKEN = re.compile(
    rf"""(?P<word>{_WORD}(?![\w@]|[-.+:/][\w/@]))
  | {_STOP} | {_MASK}
  | (?=[\w$€£¥\#+(])(?:
    (?P<url>(?:https?://|www\.)\S+)
  | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+)+)
  | (?P<joined>{_LETTERS}(?!\w|-(?=\w){_TO_A_DIGIT})(?:'{_LETTERS})*+)
  | (?=\d)(?:
      (?P<date>\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:t[\d:.]+z?)?
        | \d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}
        | (?:(?<=\bam\s)|(?<=\b(?:vom|zum|bis)\s))\d{{1,2}}\.\d{{1,2}}\.(?!\d)
        | \d{{1,2}}(?:st|nd|rd|th|o|\.)?\s+(?:of\s+|de\s+)?(?:{_MONTH})\b\.?(?:,?\s+(?:de\s+|del\s+)?\d{{4}}\b)?)
    | (?P<time>\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s*(?:(?:[ap]\.?m|uhr)\b\.?))? | \d{{1,2}}\s?(?:[ap]m|uhr|o'clock)\b))
  | (?P<money>[$€£¥]\s?\d[\d,.]*|\d[\d,.]{{0,64}}+\s?[$€£¥](?!\s?\d))
  | (?P<hash>\#\s?[\w-]*\d[\w-]*)
  | (?P<mixed>(?={_TO_A_DIGIT})(?=(?:[\d_]|-(?=\w)){{0,64}}+[^\W\d_])\w+(?:-\w+)*)
  | (?P<phone>\+\d[\d\s()-]{{6,64}}\d\b | \+?\(?\d{{2,4}}\)?(?:[\s-]\d{{2,5}}){{2,4}}\b)
  | (?P<number>\d+(?:[.,]\d+)*(?:\s?%)?)
  | (?P<broken>{_WORD}))
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Without digits and addresses, nothing but words and ends of sentences can matter.
_WORDS_ONLY = re.compile(rf"(?P<word>{_WORD})|{_STOP}|{_MASK}", re.IGNORECASE)
_NEEDS_ALL = re.compile(r"[\d@]|://|www\.", re.IGNORECASE)
_HEAD = re.compile(r"(?<=\w)\W.*")
_NAME_WORD = re.compile(_WORD)
_LINE_END = re.compile(r"[ \t.!,]*(?:\n|$|P\.?S\b)")
_AFTER_CALLER = re.compile(r",|\.|\s+(?:from|here|speaking|again|calling)\b")
_UNIT_AHEAD = re.compile(rf"\s?(?:{'|'.join(map(re.escape, lexicon.UNITS))})\b", re.IGNORECASE)
_GROUPED = re.compile(r"([1-9]\d{0,2}(?:[.,]\d{3})+)(?:[.,](\d{1,2}))?")
_SIMPLE = re.compile(r"(\d+)(?:[.,](\d+))?")
_QUANTITY = re.compile(r"(\d+)-?([^\W\d_]+)((?:-[^\W\d_]+)*)")
_WORD_KINDS = frozenset(["word", "joined", "broken"])
_TIME_WORDS = frozenset(["am", "pm", "uhr"])

_CONTRACTIONS = {
    "can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not", "i'm": "i am",
    "let's": "let us", "it's": "it is", "that's": "that is", "what's": "what is", "where's": "where is",
    "who's": "who is", "how's": "how is", "when's": "when is", "why's": "why is", "there's": "there is",
    "here's": "here is", "she's": "she is", "he's": "he is", "name's": "name is", "y'all": "you all",
    "ain't": "is not", "dont": "do not", "cant": "can not", "didnt": "did not", "doesnt": "does not",
    "isnt": "is not", "wasnt": "was not", "havent": "have not", "hasnt": "has not", "couldnt": "could not",
    "wouldnt": "would not", "shouldnt": "should not", "gonna": "going to", "wanna": "want to", "gotta": "got to",
    "geht's": "geht es", "gibt's": "gibt es", "ist's": "ist es", "hab's": "habe es", "wie's": "wie es",
    "hab": "habe", "ums": "um das", "fürs": "für das", "aufs": "auf das",
}  # fmt: skip
_LONGEST_CONTRACTION = 64  # in characters; a run of apostrophes is none, however many of its ends look like one
_ENDINGS = (("n't", "not"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would"), ("'s", ""))
_INTRODUCED_BY = {"is": ("name", "this"), "am": ("i",), "i'm": (), "name's": (), "llamo": ("me",), "es": ("nombre",),
                  "soy": (), "heiße": ("ich",), "heisse": ("ich",), "ist": ("name",)}  # fmt: skip
_OPENS_NAME = frozenset(_INTRODUCED_BY) | lexicon.HONORIFICS | lexicon.GREETINGS | lexicon.SIGN_OFFS
_SPECIAL = _OPENS_NAME | lexicon.WEEKDAYS | lexicon.BARE_MONTHS | frozenset(_CONTRACTIONS) | {"been"}
_DIGITS = {
    c: str(unicodedata.ucd_3_2_0.decimal(chr(c)))
    for c in range(0x80, 0x1A00)
    if unicodedata.ucd_3_2_0.decimal(chr(c), None) is not None
}
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "＇": "'", "ŉ": "'n", "İ": "i", "\u00ad": ""}
)
_EASED = _QUOTES | _DIGITS

Piece = tuple[str, str, str]
"""Kind ("word", "mask", "amount", "stop" or "pause"), the text as it was written, and what it is compared as."""


def normalise(text: str) -> str:
    """The text with incidental detail masked, case and punctuation folded, contractions written out."""
    return joined(pieces(text))


def joined(read: list[Piece]) -> str:
    """The compared text of what ``pieces`` gave. A comma keeps apart what would be read as one date, time or number."""
    words: list[str] = []
    after_amount, after_of = False, False
    for kind, _, word in read:
        if kind == "word":
            if after_amount or after_of:
                head = _HEAD.sub("", word)
                if head in lexicon.MONTHS or (after_amount and (head in _TIME_WORDS or word.startswith("o'clock"))):
                    words.insert(len(words) - after_of, ",")
                after_of = after_amount and word in ("of", "de")
                after_amount = False
            words.append(word)
        elif kind == "amount":
            if after_amount or (words and (words[-1] in lexicon.ID_NOUNS or words[-1] in lexicon.MONTHS)):
                words.append(",")
            words.append(word)
            after_amount, after_of = True, False
        elif kind == "mask":
            after_amount = after_of = False
            if not (words and words[-1] == word and word in ("<name>", "<date>")):
                words.append(word)
    return " ".join(words)


def pieces(text: str) -> list[Piece]:
    """The words, masks and amounts of a text in order, and where its sentences stop and pause."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_EASED)).translate(_EASED)
    read: list[Piece] = []
    add = read.append
    previous, names_end = "", 0
    for found in (_TOKEN if _NEEDS_ALL.search(text) else _WORDS_ONLY).finditer(text):
        if found.start() < names_end:
            continue
        kind, token = found.lastgroup, found.group()
        if kind in _WORD_KINDS:
            folded = token.lower() if token.isascii() else _fold(token)
            if folded in _SPECIAL or "'" in folded:
                if folded in _OPENS_NAME:
                    names_end = _names_end(text, found.end(), folded, previous, read)
                    if names_end > found.end() and folded in lexicon.FORMS_OF_ADDRESS:
                        add(("mask", token, "<name>"))
                        previous = ""
                        continue
                if folded == "been" and read and read[-1][2] == "is" and read[-1][1] != "is":
                    read[-1] = ("word", read[-1][1], "has")  # "it's been"
                for word in _written_out(folded):
                    add(("mask" if word[0] == "<" else "word", token, word))
                    previous = word if word[0] != "<" else folded
                if names_end > found.end():
                    add(("mask", "", "<name>"))
                    previous = ""
            else:
                add(("word", token, folded))
                previous = folded
        elif kind == "stop" or kind == "pause":
            add((kind, token, ""))
            if token != "." or previous not in lexicon.ABBREVIATED:
                previous = ""
        else:
            _read_digits(kind or "", token, previous, text, found.end(), read)
            previous = ""
    return read


def _fold(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word.casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


def _written_out(word: str) -> list[str]:
    """A folded word as the words it stands for; weekdays and months as their masks."""
    if word in lexicon.WEEKDAYS:
        return ["<day>"]
    if word in lexicon.BARE_MONTHS:
        return ["<date>"]
    if word in _CONTRACTIONS:
        return _CONTRACTIONS[word].split()
    if len(word) > _LONGEST_CONTRACTION:
        return [word]
    for ending, full in _ENDINGS:
        if word.endswith(ending):
            head = word[: -len(ending)].rstrip("'")
            return [*(_written_out(head) if head else ()), *([full] if full else ())]
    return [word]


def _names_end(text: str, at: int, word: str, previous: str, read: list[Piece]) -> int:
    """Where the name of a person ends that begins after the word before ``at``; ``at`` itself if none does."""
    if word in lexicon.SIGN_OFFS:
        if read and read[-1][0] not in ("stop", "pause") and previous not in lexicon.BEFORE_SIGN_OFF:
            return at
        end = _name_words(text, at, " \t\n,.!-–—")
        return end if end > at and _LINE_END.match(text, end) else at
    if word in lexicon.HONORIFICS:
        return _name_words(text, at, " \t.")
    before = _INTRODUCED_BY.get(word)
    if before and previous not in before:
        return at
    end = _name_words(text, at, " \t:")
    return end if previous != "this" or _AFTER_CALLER.match(text, end) else at


def _name_words(text: str, at: int, between: str) -> int:
    end = at
    for _ in range(4):
        start = at
        while start < len(text) and text[start] in between:
            start += 1
        found = _NAME_WORD.match(text, start) if start > at else None
        if not found:
            break
        word, folded = found.group(), found.group().casefold()
        if folded in lexicon.HONORIFICS:
            break
        initial = len(word) == 1 and word != "I"
        written_as_name = word[0].isupper() and word != folded and (initial or not word.isupper()) and word[:2] != "I'"
        if written_as_name and folded not in lexicon.NOT_NAMES:
            end = at = found.end()
        elif end != start and folded in lexicon.NAME_PARTICLES and end > 0:
            at = found.end()
        else:
            break
        between = " \t.-" if initial else " \t-"
    return end


def _read_digits(kind: str, token: str, previous: str, text: str, end: int, read: list[Piece]) -> None:
    """Add what a token with digits, an address or a mask is compared as."""
    if kind == "mask":
        read.append(("mask", token, token.lower()))
    elif kind == "hash":
        read.append(("mask", token, "<id>"))
    elif kind == "money":
        sign = next(c for c in token if c in "$€£¥")
        read.append(("amount", token, sign + _value(re.sub(r"[^\d.,]", "", token).rstrip(".,"))))
    elif kind == "mixed":
        _read_mixed(token, previous, read)
    elif kind == "number":
        digits = len(token)
        if token.endswith("%"):
            read.append(("amount", token, _value(token.rstrip("% ")) + "%"))
        elif (
            token.isdecimal()
            and previous in lexicon.MONTHS
            and digits in (1, 2, 4)
            and not _UNIT_AHEAD.match(text, end)
        ):
            _close_date(token, read)
        elif (previous in lexicon.ID_NOUNS or (digits >= 5 and token.isdecimal())) and not _UNIT_AHEAD.match(text, end):
            read.append(("mask", token, "<id>"))
        elif digits == 4 and "1900" <= token <= "2099" and not _UNIT_AHEAD.match(text, end):
            read.append(("mask", token, "<date>"))
        else:
            read.append(("amount", token, _spelt(_value(token))))
    else:
        read.append(("mask", token, f"<{kind}>"))


def _close_date(token: str, read: list[Piece]) -> None:
    """The month that was read last and this day or year are one date; "Jan." may have left a stop in between."""
    if read[-1][0] == "stop":
        read.pop()
    read[-1] = ("mask", token, "<date>")


def _read_mixed(token: str, previous: str, read: list[Piece]) -> None:
    quantity = _QUANTITY.fullmatch(token)
    if quantity and quantity[2].casefold() in lexicon.UNITS:  # 5kg, 17-year-old
        read.append(("amount", quantity[1], _spelt(_value(quantity[1]))))
        read.extend(("word", part, _fold(part)) for part in [quantity[2], *quantity[3].split("-")[1:]])
        return
    digits = sum(c.isdecimal() for c in token)
    ordinal = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", token, re.IGNORECASE)
    if ordinal and previous in lexicon.MONTHS:
        _close_date(token, read)
    elif quantity and not quantity[3] and "-" not in token:
        read.append(("amount", token, _fold(token)))  # 30th, 2x
    elif digits >= 4 or (digits >= 3 and "-" in token) or previous in lexicon.ID_NOUNS:
        read.append(("mask", token, "<id>"))
    else:
        read.append(("amount", token, _fold(token)))


def _value(token: str) -> str:
    """A number without separators of thousands, with a point before what is no zero behind it."""
    if grouped := _GROUPED.fullmatch(token):
        whole, part = re.sub(r"[.,]", "", grouped[1]), grouped[2] or ""
    elif simple := _SIMPLE.fullmatch(token):
        whole, part = simple[1], simple[2] or ""
    else:
        return token
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    if not part:
        return whole
    shown = f"{whole}.{part}"
    return token if _GROUPED.fullmatch(shown) else shown


def _spelt(value: str) -> str:
    """A whole number that would be read as an id or a year gets its commas."""
    if not value.isdecimal():
        return value
    number = int(value[:400])  # Python refuses numbers of thousands of digits
    return f"{number:,}" if number >= 10_000 or 1900 <= number <= 2099 else str(number)


def compared_texts(value: Any) -> Iterator[str]:
    """The texts in a case's inputs that a person would compare, in a fixed order, nested values included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from compared_texts(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from compared_texts(item)
    elif value is not None:
        yield str(value)
