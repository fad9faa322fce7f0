"""One process a session: a lock file held for life, and a note of who holds it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from dsbuilder_tui.atomic_write import write_private
from dsbuilder_tui.domain.errors import SessionInUse, StorageError

# `dsbuilder sessions` holds a lock for a few milliseconds while it reads; a newcomer waits that long, not longer.
_PATIENCE = 0.25


class SessionLock:
    """The lock of one session folder. The operating system drops it when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._owner = folder / "session.owner"
        self._folder = folder
        self._lock = FileLock(folder / "session.lock", mode=0o600, thread_local=False)

    def acquire(self, patience: float = _PATIENCE) -> None:
        """Take the lock. Raises ``SessionInUse`` naming the owner's pid, or ``StorageError``."""
        try:
            self._lock.acquire(timeout=patience, poll_interval=0.02)
        except Timeout:
            pid = self.owner_pid()
            who = f"process {pid}" if pid else "another process"
            raise SessionInUse(
                f"The session {self._folder.name} is in use by {who}.",
                f"Wait for it, or pause it (Ctrl+C there{f', or kill -TERM {pid}' if pid else ''}).",
            ) from None
        except OSError as error:
            raise StorageError(
                f"The session folder {self._folder} cannot be locked: {error.strerror or error}.",
                "Make the folder writable.",
            ) from None
        with contextlib.suppress(OSError):  # only a courtesy: the lock itself is held
            write_private(self._owner, str(os.getpid()))

    @property
    def held(self) -> bool:
        return bool(self._lock.is_locked)

    def moved_to(self, folder: Path) -> None:
        """The folder has another name now; the lock is held as before, and the owner's note lies there."""
        self._folder, self._owner = folder, folder / self._owner.name

    def release(self) -> None:
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._owner.unlink(missing_ok=True)
            self._lock.release()

    def owner_pid(self) -> int | None:
        """The pid noted by the holder, if there is one."""
        try:
            return int(self._owner.read_text())
        except (OSError, ValueError):
            return None
