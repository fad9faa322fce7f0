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


class FingerprintReader:
    """Finds rows by a case's place in the history and its structural hash. Called from one thread at a time.

    It reads the file and does not map it: whoever writes may cut it short, and touching a page behind the end is fatal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: tuple[object, ...] = ()
        self._kind = row_type(0)
        self._column, self._dimensions = "vector", 0
        self._at: dict[tuple[int, int], int] = {}
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
        places = {at: (seq, text, name) for seq, text, name in wanted if (at := self._at.get((seq, text))) is not None}
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
                self._known, self._at, self._read = known, {}, 0
                self._column, self._dimensions = _measure(versions)
                self._kind = stored_row_type(versions)
            while self._dimensions:
                new = self._rows(self._read, _PIECE)
                seqs = new["seq"].tolist()
                ready = next((place for place, seq in enumerate(seqs) if seq == 0), len(seqs))  # not written to its end
                for place, text in enumerate(new["text"][:ready].tolist()):
                    self._at[seqs[place], text] = self._read + place
                self._read += ready
                if ready:
                    self._last = seqs[ready - 1], int(new["text"][ready - 1])
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
