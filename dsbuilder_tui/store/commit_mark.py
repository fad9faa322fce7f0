"""A note beside the session file of what has been committed, so that a log that ends too early is noticed.

SQLite takes a damaged sector of its log for the log's end: what stood behind it is gone without a word. The note is
written after each commit and before anything of it is announced, and is therefore never ahead of a file that is whole.
When the file is closed, its digest is noted, too.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.store.files import read_small

MARK_FILE = "session.mark"
_TO_WRITE = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_SIZE = 128  # bytes: within one sector, so that it is written whole


@dataclass(frozen=True, slots=True)
class Mark:
    """How many transactions the file has seen, and how many accepted cases it held then.

    ``digest`` is that of the file (``file_digest``), known from when it is closed until the next commit.
    """

    commits: int
    accepted: int
    digest: str = ""


class CommitMark:
    """The note of one session file, kept open for writing from the first commit on."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(MARK_FILE)
        self._descriptor: int | None = None

    def read(self) -> Mark | None:
        """What was noted; None when there is no note that could be read."""
        try:
            text, crc = read_small(self._path).rstrip().rsplit(b" ", 1)
            commits, accepted, *digest = text.split(b" ")
            if crc != _crc(text):
                return None
            return Mark(int(commits), int(accepted), *(part.decode() for part in digest))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def is_there(self) -> bool:
        """Whether there is a note, be it one that cannot be read."""
        return self._path.exists()

    def write(self, mark: Mark) -> None:
        """Note a commit. Raises ``OSError``.

        Only the first of a process waits for the disk: when the power fails behind it, an older note is there, and not none.
        """
        first = self._descriptor is None
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _TO_WRITE, 0o600)
        text = f"{mark.commits} {mark.accepted} {mark.digest}".rstrip().encode()
        line = b"%s %s" % (text, _crc(text))
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, line.ljust(_SIZE - 1) + b"\n")
        if first:
            os.fsync(self._descriptor)

    def remove(self) -> None:
        """Forget what was noted: it was about another file."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # then an older note is there
                os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _crc(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)
