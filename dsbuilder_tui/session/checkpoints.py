"""Named points in a session's history."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.session.session_context import SessionContext


class SessionCheckpoints:
    """Reads checkpoints and writes new ones."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def all(self) -> list[Checkpoint]:
        """The newest 1,000, oldest first."""
        return await self._context.files.store.checkpoints.newest()

    async def save(self, reason: str = "asked") -> Checkpoint:
        """Write a checkpoint row now."""
        run = self._context.run
        return await (run.checkpoint(reason) if run else self._context.files.checkpoint(reason))
