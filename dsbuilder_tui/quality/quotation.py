"""Quotations: where a text stands in a passage, white space and typography aside."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SAME = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "…": "...", "\u00ad": "", "\u200b": "",
    "\ufeff": "", "*": "", "`": "",
})  # fmt: skip
_QUOTES = " \"'"
_AROUND = f"{_QUOTES}.,;:!?-()[]"
_GAP = re.compile(r"\.\.\.|\[\.\.\.\]")
_LEAST = 6  # characters of a quotation, or of a part of one: less says nothing


@dataclass(frozen=True, slots=True)
class _Plain:
    """A text without its typography. ``places`` says where each character stood."""

    text: str
    places: list[int]


def _plain(text: str) -> _Plain:
    out: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKC", character).translate(_SAME).casefold():
            if plain.isspace():
                if out and out[-1] == " ":
                    continue
                plain = " "
            out.append(plain)
            places.append(place)
    return _Plain("".join(out), places)


class QuotedText:
    """A text in which quotations are looked up. It is prepared once."""

    def __init__(self, text: str) -> None:
        self._plain = _plain(text)

    def find(self, quote: str) -> tuple[int, int] | None:
        """Where a quotation begins and ends; None when it does not stand in the text.

        It may leave something out at ``…``; its parts must then stand in the text in their order.
        """
        parts = [part.strip(_QUOTES) for part in _GAP.split(_plain(quote).text)]
        parts = [part for part in parts if part.strip(_AROUND)]
        if not parts or any(len(part.strip(_AROUND)) < _LEAST for part in parts):
            return None
        begin, at = -1, 0
        for part in parts:
            # With its full stop where that stands there, too.
            wanted = part if part in self._plain.text else part.strip(_AROUND)
            found = self._plain.text.find(wanted, at)
            if found < 0:
                return None
            begin, at = found if begin < 0 else begin, found + len(wanted)
        return self._plain.places[begin], self._plain.places[at - 1] + 1
