"""The digest of a session file as it was closed, so that a bit that is another one is noticed wherever it lies.

The sums of the tables cover what is in the rows. This covers what they cannot see: indexes, the header, the words of the
schema, pages that are free. It is against accidents, not against people.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import xxhash

from dsbuilder_tui.domain.errors import StorageError

_CHUNK = 4 * 1024 * 1024  # bytes: about a millisecond of work


def file_digest(descriptor: int, stopped: Callable[[], bool] = lambda: False) -> str:
    """The digest of everything in an open file. Raises ``OSError``, or ``StorageError`` once ``stopped`` says so."""
    digest = xxhash.xxh3_128()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while chunk := os.read(descriptor, _CHUNK):
        if stopped():
            raise StorageError("The session was closed while its file was read.", "Open it again.")
        digest.update(chunk)
    return digest.hexdigest()
