"""The files of a session that another process has open, read beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.files import is_alive
from dsbuilder_tui.store.lock import SessionLock
from dsbuilder_tui.store.session_store import SessionStore


class WatchedFiles(SessionFiles):
    """One session's folder while somebody else holds it: nothing in it is locked, written or tidied up."""

    @classmethod
    async def watch(cls, reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock) -> Self:
        """Open the files to be read. Raises as ``open`` does, but never ``SessionInUse``."""
        folder = catalog.find_session(config.checkpoint_root, reference)
        store = await SessionStore.open(folder / catalog.SESSION_FILE, clock, watched=True)
        try:
            plan, revision = await store.plans.newest(), await store.plans.revision()
            files = cls(folder, SessionLock(folder), store, plan, await store.meta.all(), clock, revision)
            files._file = _file_at(folder)
            files.owner = files._owner()
            return files
        except BaseException:
            await store.close()
            raise

    _file: tuple[int, int] | None = None
    owner: int | None = None  # the process that has the session open, None when it has left it

    @property
    def at_work_elsewhere(self) -> bool:  # type: ignore[override]
        """Whether the process that has the session open is the one that began its last run, and no later one that has only
        opened what a kill has left."""
        return self.owner is not None and self.meta.get("run_by", self.owner) == self.owner

    async def follow(self) -> None:
        """Take in what has become of plan, settings and name, and who has the session open. Raises ``StorageError`` when it
        is gone, or as reading does."""
        if _file_at(self.folder) != self._file:
            root = self.folder.parent
            there = next((each for each in catalog.session_folders(root) if _file_at(each) == self._file), None)
            if there is None:
                raise StorageError(
                    f"The session {self.id} is not there any more.",
                    "It was deleted, or moved; the list shows what there is.",
                )
            self.folder, self._lock = there, SessionLock(there)
            self.store.connection.database.path = there / catalog.SESSION_FILE
        self.owner = self._owner()
        await self.store.connection.load()
        self.meta = await self.store.meta.all()
        plan = await self.store.plans.newest()  # after a rewind, another one has the same number
        self.plan, self.plan_revision = plan, await self.store.plans.revision()

    def _owner(self) -> int | None:
        pid = self._lock.owner_pid()
        return pid if pid is not None and is_alive(pid) else None


def _file_at(folder: Path) -> tuple[int, int] | None:
    """Which file the session in a folder is, whatever the folder is called."""
    try:
        found = (folder / catalog.SESSION_FILE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
