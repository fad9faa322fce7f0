"""The rows of a dataset that say which split they belong to, and which of them are near one of another split."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import orjson

from dsbuilder_tui.diversity.near_groups import near_groups


@dataclass(frozen=True, slots=True)
class SplitRow:
    """How a row is called in a finding, and its split."""

    split: str
    line: int
    id: str | None
    fingerprint: str


class SplitRows:
    """Keeps them in a temporary file, which is made with the first."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._splits: set[str] = set()

    def add(self, row: SplitRow, text: str) -> None:
        """Keep a row and the text by which it is compared."""
        if self._file is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="dsbuilder-"))  # noqa: SIM115 (closed by ``close``)
        self._splits.add(row.split)
        told = [row.split, row.line, row.id, row.fingerprint, text.encode("utf-8", "replace").decode()]
        self._file.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))

    def leaks(self) -> Iterator[tuple[SplitRow, SplitRow, str]]:
        """Each row that is near an earlier one of another split, directly or in a chain: it, that one, and its text."""
        if len(self._splits) < 2:
            return
        numbers = array("I", near_groups(text for _, text in self._rows()))
        first: dict[int, SplitRow] = {}
        grouped = _that_occur_again(numbers)
        for number, (row, text) in zip(numbers, self._rows(), strict=True):
            if number in grouped and row.split != (before := first.setdefault(number, row)).split:
                yield row, before, text

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _rows(self) -> Iterator[tuple[SplitRow, str]]:
        assert self._file is not None
        self._file.seek(0)
        for line in self._file:
            split, number, name, fingerprint, text = orjson.loads(line)
            yield SplitRow(split, number, name, fingerprint), text


def _that_occur_again(numbers: array[int]) -> set[int]:
    """The groups of more than one: a group's number is the place of its first member."""
    return {number for place, number in enumerate(numbers) if number != place}
