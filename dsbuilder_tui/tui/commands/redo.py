"""``/redo``: do again what was undone last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.commands.undo import steps_of
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _redo(actions: StudioActions, argument: str) -> None:
    await actions.take_steps(steps_of(argument, "redo"), redo=True)


COMMAND = SlashCommand(
    name="redo",
    argument="[N]",
    words="do again what was undone last, or the last N",
    rank=75,
    run=_redo,
)
