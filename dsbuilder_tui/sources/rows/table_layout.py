"""The layout of a table in text: what divides its columns, told from its first lines."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice

_DIVIDERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 200
_LIKELY = 0.9


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What divides the columns, how many there are, of how many rows, and the share of rows that have as many."""

    divider: str
    columns: int
    rows: int
    share: float

    @property
    def is_likely(self) -> bool:
        """Whether text that nobody calls a table is one."""
        return self.columns > 1 and self.rows > 1 and self.share >= _LIKELY


def layout_of(head: bytes) -> TableLayout:
    """The layout that gives most rows as many cells as the heading has, and more than one."""
    text = decoded_text(head.rpartition(b"\n")[0] or head)
    best = TableLayout(_DIVIDERS[0], 1, 0, 0.0)
    for divider in _DIVIDERS:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider)
            rows = [row for row in islice(reader, _SAMPLE_ROWS) if row]
        except csv.Error:
            continue
        if not rows or len(rows[0]) < 2:
            continue
        share = sum(1 for row in rows if len(row) == len(rows[0])) / len(rows)
        if (share, len(rows[0])) > (best.share, best.columns):
            best = TableLayout(divider, len(rows[0]), len(rows), share)
    return best


def decoded_text(raw: bytes) -> str:
    """Text in UTF-8, and what is none in the encoding that Western spreadsheets write."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
