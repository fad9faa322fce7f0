"""The name of an open session, and the end of one in which nothing was said."""

from __future__ import annotations

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.session.core import SessionCore
from dsbuilder_tui.store import catalog


class Naming(SessionCore):
    """What can be done to the folder of a session that is open and at rest."""

    async def rename(self, name: str) -> None:
        """Give the session another name: its folder, its seed JSON beside it, its ``<name>.jsonl`` inside, its note.

        It stays locked all the while. Raises ``InputError`` for a name that cannot be used or is taken, or while the
        session runs, or ``StorageError``; everything then has its old name.
        """
        await self._whole(lambda: self._rename(name))

    async def take_name_of_plan(self) -> None:
        """Let the session be called like its dataset, with a number where that name is taken. Raises as ``rename``."""
        await self._whole(self._take_name_of_plan)

    async def is_blank(self) -> bool:
        """Whether there is no plan, and nobody has said anything or is about to."""
        return (
            not self.planned
            and not self._files.meta.get("draft")
            and not await self._files.store.chat.has_message_of("person")
        )

    async def discard(self) -> None:
        """Close the session and remove its folder. Raises ``InputError`` unless it is blank."""
        await self._whole(self._discard)

    async def _discard(self) -> None:
        if not await self.is_blank():
            raise InputError(f"The session {self.id} is not empty.", "The list of sessions can move it to the trash.")
        for stream in self._streams:
            stream.close()
        await self._files.discard()

    async def _rename(self, name: str) -> None:
        self._only_at_rest()
        await self._files.rename(name)

    async def _take_name_of_plan(self) -> None:
        self._only_at_rest()
        self.require_plan()
        files = self._files
        folder = catalog.new_session_folder(files.folder.parent, self.plan.dataset_name, own=files.folder)
        await files.rename(folder.name)
