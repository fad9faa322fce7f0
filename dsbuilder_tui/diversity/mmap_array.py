"""Arrays that grow at the end and live in a file: the system keeps in memory what is used, and lets go of the rest."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dsbuilder_tui.domain.errors import StorageError

_FIRST = 1024


class MappedArray:
    """Rows of one type in a file, or in a nameless temporary one without ``path``.

    The file may be longer than what counts: rows of zeros at its end are room to grow. Raises ``StorageError`` when the
    disk does not take more. One thread at a time.
    """

    def __init__(self, dtype: DTypeLike, path: Path | None = None) -> None:
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._path = path
        self._map: mmap.mmap | None = None
        self._length = 0
        self._rows: NDArray[Any] = np.empty(0, self._dtype)
        try:
            if path is None:
                self._file = tempfile.TemporaryFile(prefix="dsbuilder-")  # noqa: SIM115
            else:
                # A link is none of ours: what it points at would be written over.
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
                descriptor = os.open(path, flags, 0o600)
                self._file = os.fdopen(descriptor, "r+b")
            held = os.fstat(self._file.fileno()).st_size // self._dtype.itemsize
            if held:
                self._grow(held)
        except OSError as error:
            raise self._trouble(error) from None
        self._length = held

    @classmethod
    def copied(cls, array: NDArray[Any]) -> NDArray[Any]:
        """An array as it is, in a nameless temporary file that lives as long as it. Raises ``StorageError``."""
        with cls(array.dtype) as stored:
            stored.add(array.reshape(-1))
            return stored.rows.reshape(array.shape)

    def __len__(self) -> int:
        return self._length

    @property
    def rows(self) -> NDArray[Any]:
        """What counts, as a view into the file; it stays valid, but does not grow, when rows are added."""
        self._require_whole()
        return self._rows[: self._length]

    def add(self, rows: NDArray[Any]) -> int:
        """Add rows at the end. Returns the number of the first."""
        self._require_whole()
        first, length = self._length, self._length + len(rows)
        if length > len(self._rows):
            try:
                self._grow(max(length, len(self._rows) * 5 // 4, _FIRST))
            except OSError as error:
                raise self._trouble(error) from None
        self._rows[first:length] = rows
        self._length = length
        return first

    def cut(self, length: int) -> None:
        """Forget every row from ``length`` on."""
        self._require_whole()
        self._rows[length : self._length] = np.zeros((), self._dtype)
        self._length = length

    def close(self) -> None:
        """Give back the room at the end of the file, and the file."""
        self._rows = np.empty(0, self._dtype)
        self._map = None  # the last view closes it
        if not self._file.closed:
            with contextlib.suppress(OSError):  # the room stays then; rows of zeros do not count
                os.ftruncate(self._file.fileno(), self._length * self._dtype.itemsize)
            self._file.close()

    def __enter__(self) -> MappedArray:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _grow(self, capacity: int) -> None:
        # Room is asked for before it is mapped: writing into a hole of a full disk would kill the process.
        size, held = capacity * self._dtype.itemsize, os.fstat(self._file.fileno()).st_size
        if size > held:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), held, size - held)
            else:
                os.ftruncate(self._file.fileno(), size)
        self._map = mmap.mmap(self._file.fileno(), size)
        self._rows = np.frombuffer(self._map, self._dtype, capacity)

    def _require_whole(self) -> None:
        """Touching what another program has cut off the file would kill the process."""
        if len(self._rows) and os.fstat(self._file.fileno()).st_size < len(self._rows) * self._dtype.itemsize:
            raise StorageError(
                f"{self._path or 'A temporary file'} was cut short by another program.",
                "Everything accepted so far is saved; resume, and what is missing from it is made again.",
            )

    def _trouble(self, error: OSError) -> StorageError:
        saved = " Everything accepted so far is saved." if self._path else ""
        return StorageError(
            f"{self._path or tempfile.gettempdir()} could not be written: {error.strerror or error}.{saved}",
            "Free some space, make the folder writable, then resume.",
        )
