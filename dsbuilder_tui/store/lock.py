"""One process a session: a lock file held for life, and a note of who holds it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from filelock import FileLock, Timeout

from dsbuilder_tui.atomic_write import is_alive, write_private
from dsbuilder_tui.domain.errors import SessionInUse, StorageError
from dsbuilder_tui.store.files import read_small, require_ordinary

# `dsbuilder sessions` holds a lock for a few milliseconds while it reads, and says so to nobody; a newcomer waits that long, and
# less where a process that lives has noted that the session is its own: that may be closing it.
_PATIENCE = 0.25
_PATIENCE_WITH_OWNER = 0.05
_POLL = 0.01


class SessionLock:
    """The lock of one session folder. The operating system drops it when the process dies, however it dies.

    In a folder that cannot be written it is shared by all who read; only somebody who can write there keeps them out.
    """

    def __init__(self, folder: Path) -> None:
        self._owner = folder / "session.owner"
        self._folder = folder
        self._lock = FileLock(folder / "session.lock", mode=0o600, thread_local=False)
        self._shared: int | None = None  # the lock file, open to be read

    def acquire(self, patience: float = _PATIENCE, *, noted: bool = True) -> None:
        """Take the lock. ``noted``: others are told who has it; without, it is held for a moment.

        Raises ``SessionInUse`` naming the owner's pid, or ``StorageError``, also for a folder with links or pipes in the places
        of the session's files.
        """
        require_ordinary(self._folder)
        try:
            if self._folder.is_dir() and not os.access(self._folder, os.W_OK):
                self._share()
                return
            self._wait(patience)
        except (Timeout, BlockingIOError):
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
        if noted:
            with contextlib.suppress(OSError):  # only a courtesy: the lock itself is held
                write_private(self._owner, str(os.getpid()))

    def _wait(self, patience: float) -> None:
        """Take the lock as soon as it is free. Raises ``Timeout``."""
        begun = time.monotonic()
        while True:
            try:
                self._lock.acquire(blocking=False)
                return
            except Timeout:
                pid = self.owner_pid()
                most = min(patience, _PATIENCE_WITH_OWNER) if pid is not None and is_alive(pid) else patience
                if time.monotonic() - begun >= most:
                    raise
                time.sleep(_POLL)

    def _share(self) -> None:
        """Hold the lock together with others who read. Raises ``BlockingIOError`` while somebody writes."""
        if os.name == "nt":
            return  # a file that somebody has locked cannot be read there either
        import fcntl

        try:
            self._shared = os.open(self._folder / "session.lock", os.O_RDONLY)
        except FileNotFoundError:  # the folder was copied without it
            return
        try:
            fcntl.flock(self._shared, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise
        except OSError:  # a medium that knows no locks
            pass

    @property
    def held(self) -> bool:
        return bool(self._lock.is_locked) or self._shared is not None

    def moved_to(self, folder: Path) -> None:
        """The folder has another name now; the lock is held as before, and the owner's note lies there."""
        self._folder, self._owner = folder, folder / self._owner.name

    def release(self) -> None:
        if self._shared is not None:
            os.close(self._shared)
            self._shared = None
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._owner.unlink(missing_ok=True)
            self._lock.release()

    def owner_pid(self) -> int | None:
        """The pid noted by the holder, if there is one."""
        try:
            return int(read_small(self._owner))
        except (OSError, ValueError):
            return None
