"""A point of the history as a tool is told of it, and found."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import Field

from dsbuilder_tui.agent.tool import ToolArguments
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.history_point import HistoryPoint
from dsbuilder_tui.session import Session


class CheckpointArguments(ToolArguments):
    """One of these says which point is meant."""

    checkpoint: int | None = None
    name: str | None = None
    cases: int | None = Field(None, ge=0)
    """The last one with no more."""
    before_change: str | None = None
    """A category, or "plan"."""

    when: str | None = None
    """Yesterday evening, 2026-11-27 18:30."""

    @property
    def names_a_point(self) -> bool:
        """Whether any of them is given."""
        return bool(self._said)

    @property
    def _said(self) -> dict[str, Any]:
        names = {one.name for one in fields(HistoryPoint)}
        return self.model_dump(include=names, exclude_none=True)

    async def find(self, session: Session) -> Checkpoint:
        """The checkpoint that is meant. Raises ``InputError`` when none is, or when there is no such."""
        said = self._said
        if not said:
            raise InputError(
                "No point was named.",
                "Say which: its number, its name, how many cases there were, a time, or what was changed after it.",
            )
        if said.get("before_change") == "plan":
            said["before_change"] = ""
        return await session.checkpoints.of_point(HistoryPoint(**said))
