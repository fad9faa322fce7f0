"""The rows of a file that become cases: read once into a temporary file, and found again one by one.

A file may hold more rows than fit in memory, change while it is read, or be a pipe; what a plan is made of is counted on the way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.domain.case import times_asked
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.row_parts import Parts
from dsbuilder_tui.store.imports.temporary_records import TemporaryRecords

Numbers = NDArray[np.int64]
_SHOWN = 5
MOST_NAMES = 10_000  # of categories or fields that are told apart: no plan takes a fiftieth of that
_ALL = -1  # stands for every category
_NEITHER: Final = ""  # the name of the category of rows beyond `MOST_NAMES`


class ImportedRows:
    """The rows of a file, in a temporary one; 32 bytes a row are held in memory. One thread at a time.

    Attributes:
        notes: what a person should know of how the file was read.
        categories: the names that rows give their category, in the order in which they first occur.
        expected: how many rows have an expectation of each name.
    """

    def __init__(self, path: Path, choice: FieldChoice | None) -> None:
        """Raises ``InputError`` for what cannot be read or holds no rows, ``StorageError`` when the disk has no room."""
        self.categories: list[str] = []
        self.expected: Counter[str] = Counter()
        self._fields: dict[int, dict[str, None]] = {}  # by category, in the order in which they first occur
        self._records: TemporaryRecords[Parts] = TemporaryRecords()
        self._whose, self._lengths = array("I"), array("I")
        self._oftener: dict[int, int] = {}  # by number, of those that were asked more than once: how often beyond that
        self.notes = self._read(path, choice)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> Parts:
        return self._records[number]

    def by_category(self) -> list[Numbers]:
        """The numbers of the rows of each of the ``categories``."""
        whose = np.frombuffer(self._whose, np.uint32)
        order = np.argsort(whose, kind="stable")
        ends = np.searchsorted(whose[order], np.arange(1, len(self.categories)))
        return np.split(order, ends)

    def fields(self, categories: Sequence[int] = (_ALL,)) -> list[str]:
        """The names of the inputs of these categories' rows, one category's after another's; of all rows in their order."""
        return list(dict.fromkeys(name for number in categories for name in self._fields[number]))

    def no_longer_than(self, most: int, numbers: Numbers) -> Numbers:
        """Those of some rows whose text has so many characters at most."""
        return numbers[np.frombuffer(self._lengths, np.uint32)[numbers] <= most]

    def texts(self, numbers: Numbers) -> RowTexts:
        """What is compared of some rows."""
        return RowTexts(self, numbers)

    def times_asked(self, numbers: Numbers) -> int:
        """How often users asked some rows, all together: as many as there are, where no row says otherwise."""
        return len(numbers) + (sum(self._oftener.get(int(number), 0) for number in numbers) if self._oftener else 0)

    def _read(self, path: Path, choice: FieldChoice | None) -> list[str]:
        hashes, numbers = array("q"), dict[str, int]()
        bad, first_bad = 0, list[BadLine]()
        with Source(path, choice) as source:
            for item in source.checked_rows():
                if isinstance(item, BadLine):
                    bad += 1
                    if len(first_bad) < _SHOWN:
                        first_bad.append(replace(item, raw=b"", record=None))
                    continue
                parts = item.parts
                self._note(parts, numbers)
                hashes.append(text_hash(f"{parts.text}\x1f{parts.shared}"))
                self._records.append(parts)
            label = source.shape.label if source.shape is not None else ""
        if not len(self):
            raise InputError(f"{path} holds no rows.", "Give a file with at least one.")
        notes = [f"read as {label}"] if label else []
        if bad:
            shown = "; ".join(f"line {item.line}: {one_line(item.reason, 80)}" for item in first_bad)
            notes.append(f"{counted(bad, 'line')} left out ({shown}{'; …' if bad > _SHOWN else ''})")
        again = len(self) - len(np.unique(np.frombuffer(hashes, np.int64)))
        if again:
            notes.append(f"{counted(again, 'row')} with the text of another one; `dsbuilder dedup` takes them out")
        return notes

    def _note(self, parts: Parts, numbers: dict[str, int]) -> None:
        name = parts.category
        if name not in numbers:
            name = name if len(numbers) < MOST_NAMES else _NEITHER
            if name not in numbers:
                numbers[name] = len(self.categories)
                self.categories.append(name)
        if (again := times_asked(parts.tags) - 1) > 0:
            self._oftener[len(self._whose)] = again
        number = numbers[name]
        self._whose.append(number)
        self._lengths.append(len(parts.text))
        self.expected.update(parts.expectations.keys())
        for key in (number, _ALL):
            known = self._fields.setdefault(key, {})
            if any(field not in known for field in parts.inputs) and len(known) < MOST_NAMES:
                known.update(dict.fromkeys(map(str, parts.inputs)))


class RowTexts(Sequence[str]):
    """What is compared of some rows, read when it is asked for."""

    def __init__(self, rows: ImportedRows, numbers: Numbers) -> None:
        self._rows, self._numbers = rows, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> RowTexts: ...
    def __getitem__(self, place: int | slice) -> str | RowTexts:
        if isinstance(place, slice):
            return RowTexts(self._rows, self._numbers[place])
        return self._rows[int(self._numbers[place])].text
