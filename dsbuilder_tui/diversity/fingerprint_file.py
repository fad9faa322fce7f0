"""The file of fingerprints: derived from the cases, kept so that they need not be made again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.diversity.fingerprints import Tokens, checks
from dsbuilder_tui.diversity.mmap_array import MappedArray

NAMES = ("fingerprints.json", "fingerprints.rows", "fingerprints.tokens")


class FingerprintFile:
    """Rows of fingerprints and the tokens they point at, in a session's folder or, without one, in temporary files."""

    def __init__(self, row_type: np.dtype[Any], folder: Path | None = None) -> None:
        self._rows = MappedArray(row_type, folder / NAMES[1] if folder else None)
        self._tokens = MappedArray(np.uint32, folder / NAMES[2] if folder else None)

    @classmethod
    def open(cls, folder: Path, row_type: np.dtype[Any], versions: Mapping[str, Any]) -> FingerprintFile:
        """The folder's file if it has these ``versions``, cut to the rows that are whole; else a new, empty one."""
        about = folder / NAMES[0]
        try:
            known = orjson.loads(about.read_bytes()) == versions
        except (OSError, orjson.JSONDecodeError):
            known = False
        if not known:
            for name in NAMES:
                with contextlib.suppress(FileNotFoundError):
                    (folder / name).unlink()
            with atomic_write(about, private=True, durable=False) as out:
                out.write(orjson.dumps(dict(versions)))
        file = cls(row_type, folder)
        file._cut_to_whole()
        return file

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> NDArray[Any]:
        """All rows, as a view into the file: what is written there is in the file."""
        return self._rows.rows

    def tokens_of(self, rows: NDArray[np.int64]) -> Tokens:
        """The tokens of these rows, of which there is one at least, one row's behind another's."""
        prints, tokens = self._rows.rows, self._tokens.rows
        places = zip(prints["start"][rows].tolist(), prints["count"][rows].tolist(), strict=True)
        return np.concatenate([tokens[start : start + count] for start, count in places])

    def add(self, prints: NDArray[Any], tokens: Sequence[Tokens]) -> range:
        """Add rows; their ``start`` is filled in. Returns their numbers. Raises ``StorageError``."""
        if len(tokens) == 1:
            prints["start"] = self._tokens.add(tokens[0])
        else:
            starts = len(self._tokens) + np.cumsum([0, *map(len, tokens)])
            self._tokens.add(np.concatenate([*tokens, np.empty(0, np.uint32)]))
            prints["start"] = starts[:-1]
        first = self._rows.add(prints)
        return range(first, first + len(prints))

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows (growing), in this order."""
        if len(rows) == len(self._rows):
            return
        same = int(np.argmin(np.append(rows == np.arange(len(rows)), False)))  # these stay where they are
        for place in range(same, len(rows), 50_000):
            some = rows[place : place + 50_000]
            self._rows.rows[place : place + len(some)] = self._rows.rows[some]
        self._rows.cut(len(rows))

    def cut(self, length: int) -> None:
        """Forget every row from ``length`` on."""
        self._rows.cut(length)

    def close(self) -> None:
        self._rows.close()
        self._tokens.close()

    def _cut_to_whole(self) -> None:
        """Drop rows that a kill or a damaged disk has left in pieces: they are made again from the cases."""
        rows, tokens = self._rows.rows, self._tokens.rows
        whole = np.zeros(len(rows), bool)
        for place in range(0, len(rows), 50_000):
            some = rows[place : place + 50_000]
            start, count = some["start"].astype(np.int64), some["count"].astype(np.int64)
            inside = (start >= 0) & (start + count <= len(tokens)) & (some["seq"] > 0)
            # Tokens lie as their rows do: those of some rows are few, whatever the file has.
            begin = int(start[inside].min(initial=len(tokens)))
            start, count = np.where(inside, start - begin, 0), np.where(inside, count, 0)
            own = tokens[begin : begin + int((start + count).max(initial=0))]
            sums = np.zeros(len(own) + 1, np.uint64)
            np.cumsum(own, dtype=np.uint64, out=sums[1:])
            total = (sums[start + count] - sums[start]).astype(np.uint32)
            whole[place : place + len(some)] = inside & (total == some["token_sum"]) & (checks(some) == some["check"])
        if not whole.all():
            self.keep(np.flatnonzero(whole))
        last, rows = 0, self.rows
        for place in range(0, len(rows), 50_000):
            some = rows[place : place + 50_000]
            last = max(last, int((some["start"] + some["count"]).max()))
        self._tokens.cut(last)
