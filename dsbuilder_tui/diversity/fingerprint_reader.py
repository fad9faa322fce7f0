"""Reads a session's file of fingerprints, also while somebody else writes at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dsbuilder_tui.diversity.fingerprint_file import NAMES
from dsbuilder_tui.diversity.fingerprints import checks, row_type, stored_row_type
from dsbuilder_tui.diversity.static_embedding import built_in_name
from dsbuilder_tui.domain.case import runs

_PIECE = 4096


@dataclass(frozen=True, slots=True)
class FingerprintPage:
    """Some accepted cases in the order of history.

    ``vectors`` is (n, d) of half-precision unit rows, of the built-in embedding whatever the gate compares with; ``nearest``
    the cosine by it to the nearest earlier case of the same scope, nan where it is not known.
    """

    seqs: NDArray[np.int64]
    categories: Sequence[str]
    vectors: NDArray[np.float16]
    nearest: NDArray[np.float32]


def count_whole(folder: Path) -> tuple[int, int] | None:
    """How many of the rows in a folder's file are whole, and how many there are; None when there is none to be read."""
    try:
        kind = stored_row_type(orjson.loads((folder / NAMES[0]).read_bytes()))
        whole = total = 0
        with (folder / NAMES[1]).open("rb") as file:
            while data := file.read(_PIECE * kind.itemsize):
                rows = np.frombuffer(data, kind, len(data) // kind.itemsize)
                rows = rows[rows["seq"] != 0]  # room to grow
                whole, total = whole + int((checks(rows) == rows["check"]).sum()), total + len(rows)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return whole, total


class _RowNumbers:
    """Which row a case's fingerprint stands in, by its place in the history and its hash: 16 bytes a case, and as much again
    where cases were changed so that rows do not stand in the order of the history."""

    def __init__(self) -> None:
        self._seqs, self._texts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._length = 0
        self._order: NDArray[np.int64] | None = None  # of the history, where it is not that of the rows

    def extend(self, seqs: NDArray[np.int64], texts: NDArray[np.int64]) -> None:
        """Take in the rows that follow."""
        first, length = self._length, self._length + len(seqs)
        if length > len(self._seqs):
            room = max(length, len(self._seqs) * 5 // 4)
            self._seqs, self._texts = np.resize(self._seqs, room), np.resize(self._texts, room)
        self._seqs[first:length], self._texts[first:length] = seqs, texts
        self._length = length
        known = self._seqs[:length]
        rising = bool((known[1:] >= known[:-1]).all())
        self._order = None if rising else np.argsort(known, kind="stable")

    def find(self, seqs: Sequence[int], texts: Sequence[int]) -> list[int | None]:
        """The last row of each case with its text."""
        known = self._seqs[: self._length]
        places = np.searchsorted(known, np.array(seqs, np.int64), "right", sorter=self._order) - 1
        return [
            self._back_from(place, seq, text) for place, seq, text in zip(places.tolist(), seqs, texts, strict=True)
        ]

    def _back_from(self, place: int, seq: int, text: int) -> int | None:
        while place >= 0:
            row = place if self._order is None else int(self._order[place])
            if self._seqs[row] != seq:
                return None
            if self._texts[row] == text:
                return row
            place -= 1
        return None


class FingerprintReader:
    """Finds rows by a case's place in the history and its structural hash. Called from one thread at a time.

    It reads the file and does not map it: whoever writes may cut it short, and touching a page behind the end is fatal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: tuple[object, ...] = ()
        self._kind = row_type(0)
        self._column, self._dimensions = "vector", 0
        self._numbers = _RowNumbers()
        self._read = 0
        self._last = 0, 0  # what stands in the last row that was read

    def find(self, wanted: Sequence[tuple[int, int, str]]) -> FingerprintPage:
        """Of cases (seq, structure, category) those that have a vector."""
        found = self._find(wanted)
        if len(found) < len(wanted):
            self._look()
            found = self._find(wanted)
        rows = np.array([row for row, _ in found], self._kind)
        return FingerprintPage(
            rows["seq"].copy(),
            [name for _, name in found],
            rows[self._column][:, : self._dimensions].copy(),
            rows["nearest"].copy(),
        )

    def _find(self, wanted: Sequence[tuple[int, int, str]]) -> list[tuple[Any, str]]:
        numbers = self._numbers.find([seq for seq, _, _ in wanted], [text for _, text, _ in wanted])
        places = {row: case for row, case in zip(numbers, wanted, strict=True) if row is not None}
        found = []
        with contextlib.suppress(OSError):
            for first, last in runs(sorted(places)):
                rows = self._rows(first, last - first + 1)
                whole = checks(rows) == rows["check"]
                for at, row in enumerate(rows, first):
                    seq, text, name = places[at]
                    if whole[at - first] and row["seq"] == seq and row["text"] == text:
                        found.append((row, name))
        return sorted(found, key=lambda pair: int(pair[0]["seq"]))

    def _look(self) -> None:
        """Read what has come since, or all of it when it is another file."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            about, rows = self.folder / NAMES[0], self.folder / NAMES[1]
            versions = orjson.loads(about.read_bytes())
            known = (versions, rows.stat().st_ino)
            if known != self._known or not self._last_is_there():
                self._known, self._numbers, self._read = known, _RowNumbers(), 0
                self._column, self._dimensions = _measure(versions)
                self._kind = stored_row_type(versions)
            while self._dimensions:
                new = self._rows(self._read, _PIECE)
                unwritten = np.flatnonzero(new["seq"] == 0)  # not written to its end
                ready = int(unwritten[0]) if len(unwritten) else len(new)
                if ready:
                    self._numbers.extend(new["seq"][:ready], new["text"][:ready])
                    self._read += ready
                    self._last = int(new["seq"][ready - 1]), int(new["text"][ready - 1])
                if ready < _PIECE:
                    return

    def _last_is_there(self) -> bool:
        """Whether the last row that was read stands where it stood: rows that are no case go when a run has ended."""
        if not self._read:
            return True
        last = self._rows(self._read - 1, 1)
        return len(last) == 1 and (int(last["seq"][0]), int(last["text"][0])) == self._last

    def _rows(self, first: int, count: int) -> NDArray[Any]:
        size = self._kind.itemsize
        with (self.folder / NAMES[1]).open("rb") as file:
            file.seek(first * size)
            data = file.read(count * size)
        return np.frombuffer(data, self._kind, len(data) // size)


def _measure(versions: Mapping[str, Any]) -> tuple[str, int]:
    """The column with the vectors of the built-in embedding, and their length; 0 where a file has none."""
    if versions.get("measure") == built_in_name():
        return "measure", int(versions["measured"])
    return "vector", int(versions["dimensions"]) if versions["embedding"] == built_in_name() else 0
