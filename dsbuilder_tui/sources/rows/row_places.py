"""Where rows stand in a file: by their number, in a temporary file, so that many of them take no memory."""

from __future__ import annotations

import struct
import tempfile
from typing import BinaryIO

_RECORD = struct.Struct("<QQ")  # line, place
_HELD = 2**16  # bytes of the newest ones, which are in memory


class RowPlaces:
    """Rows are numbered 0, 1, 2 … in the order in which they are added. One thread at a time; to be closed.

    Raises ``OSError`` where the disk has no room.
    """

    def __init__(self) -> None:
        self._newest = bytearray()
        self._written = 0  # bytes
        self._file: BinaryIO | None = None

    def add(self, line: int, place: int) -> None:
        self._newest += _RECORD.pack(line, place)
        if len(self._newest) >= _HELD:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="dsbuilder-", buffering=0)  # noqa: SIM115 (closed with this)
            self._file.seek(self._written)
            left = memoryview(self._newest)
            while left:  # without a buffer a write may take a part
                left = left[self._file.write(left) :]
            self._written += len(self._newest)
            self._newest = bytearray()

    def __getitem__(self, number: int) -> tuple[int, int]:
        """The line and the place of a row. Raises ``IndexError``."""
        start = number * _RECORD.size
        if start >= self._written:
            told = bytes(self._newest[start - self._written : start - self._written + _RECORD.size])
        else:
            assert self._file is not None
            self._file.seek(start)
            told = self._file.read(_RECORD.size)
        if len(told) != _RECORD.size:
            raise IndexError(number)
        line, place = _RECORD.unpack(told)
        return line, place

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
