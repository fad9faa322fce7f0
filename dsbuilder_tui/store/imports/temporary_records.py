"""Records in a nameless temporary file: written once, one after another, and found again by number."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from array import array
from collections.abc import Sequence
from typing import BinaryIO, Generic, TypeVar, cast, overload

from dsbuilder_tui.domain.errors import StorageError

T = TypeVar("T")
_BUFFER = 2**16  # bytes


class TemporaryRecords(Sequence[T], Generic[T]):
    """Holds 8 bytes a record in memory. What is read is a copy of what was written. One thread at a time.

    Raises ``StorageError`` when the disk has no room.
    """

    def __init__(self) -> None:
        self._places, self._written = array("Q"), 0
        try:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="dsbuilder-", buffering=_BUFFER))  # noqa: SIM115
        except OSError as error:
            raise _no_room(error) from None
        weakref.finalize(self, self._file.close)

    def append(self, record: T) -> None:
        """Add a record at the end."""
        try:
            size = self._file.write(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))
        except OSError as error:
            raise _no_room(error) from None
        self._places.append(self._written)
        self._written += size

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> list[T]: ...
    def __getitem__(self, number: int | slice) -> T | list[T]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        try:
            self._file.seek(self._places[number])  # what is not on the disk yet is written first
            # Nobody else can write this file: it has no name, and was made by this object.
            found: T = pickle.load(self._file)
        except OSError as error:
            raise _no_room(error) from None
        return found


def _no_room(error: OSError) -> StorageError:
    return StorageError(
        f"A temporary file in {tempfile.gettempdir()} could not be written or read: {error.strerror or error}.",
        "Free some space there, or set TMPDIR to another folder.",
    )
