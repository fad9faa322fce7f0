"""Tables of all rows of a dataset while it is checked, in some ten bytes a row each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.diversity.exact_index import ExactIndex

_SIGN = 1 << 63
_LONGEST_NUMBER = 18  # digits of an id that is counted on


@dataclass(frozen=True, slots=True)
class FirstRow:
    """The first row with these inputs: its line, and a hash of what it expects."""

    line: int
    expected: int


class InputTable:
    """The first row with each inputs, by hashes of 64 bits without a sign."""

    def __init__(self) -> None:
        self._numbers = ExactIndex()
        self._lines, self._expected = array("I"), array("Q")

    def add(self, inputs: int, line: int, expected: int) -> FirstRow | None:
        """The earlier row with the same inputs; None when this is the first, which is remembered."""
        number = self._numbers.find(inputs - _SIGN)
        if number is not None:
            return FirstRow(self._lines[number], self._expected[number])
        self._numbers.add(inputs - _SIGN, len(self._lines))
        self._lines.append(line)
        self._expected.append(expected)
        return None


class LineHashes:
    """A hash for each line, in the order of lines."""

    def __init__(self) -> None:
        self._lines, self._hashes = array("I"), array("q")

    def add(self, line: int, digest: int) -> None:
        self._lines.append(line)
        self._hashes.append(digest)

    def of(self, line: int) -> int | None:
        """The hash of a line; None for one that has none."""
        place = bisect_left(self._lines, line)
        return self._hashes[place] if place < len(self._lines) and self._lines[place] == line else None


class UsedIds:
    """The line at which each id stands first, and ids that no row has."""

    def __init__(self) -> None:
        self._lines = ExactIndex()
        self._largest = 0
        self._tried = Counter[str]()

    def add(self, name: str, line: int) -> int | None:
        """The earlier line with the same id; None when this is the first, which is remembered."""
        digest = text_hash(name)
        if (before := self._lines.find(digest)) is not None:
            return before
        self._lines.add(digest, line)
        if _is_number(name):
            self._largest = max(self._largest, int(name))
        return None

    def another(self, name: str) -> str:
        """An id like this one that no row has, and none gets again: the next number behind all of them, or ``name-2``."""
        while True:
            if _is_number(name):
                found = str(self._largest + 1).zfill(len(name))
            else:
                self._tried[name] += 1
                found = f"{name}-{self._tried[name] + 1}"
            if self.add(found, 0) is None:
                return found


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= _LONGEST_NUMBER
