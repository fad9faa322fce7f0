"""A point of the history as a tool is told of it, and found."""

from __future__ import annotations

from pydantic import Field

from dsbuilder_tui.agent.tool import ToolArguments
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.session import Session


class CheckpointArguments(ToolArguments):
    """One of the four says which point is meant."""

    checkpoint: int | None = None
    """Its number."""
    name: str | None = None
    """Its name."""
    cases: int | None = Field(None, ge=0)
    """The last one with at most so many cases."""
    before_change: str | None = None
    """The one before this category was last changed in the plan; "plan": before any change."""

    async def find(self, session: Session) -> Checkpoint:
        """The checkpoint that is meant. Raises ``InputError`` when none is, or when there is no such."""
        points = session.checkpoints
        if self.checkpoint is not None:
            return await points.at(self.checkpoint)
        if self.name is not None:
            return await points.named(self.name)
        if self.cases is not None:
            return await points.by_count(self.cases)
        if self.before_change is not None:
            return await points.before_change("" if self.before_change == "plan" else self.before_change)
        raise InputError("No point was named.", "Give checkpoint, name, cases or before_change.")
