"""``/quit``: leave; asks while a run is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _quit(actions: StudioActions, argument: str) -> None:
    actions.services.action_leave()


COMMAND = SlashCommand(
    name="quit",
    words="leave; asks while a run is going on",
    rank=210,
    run=_quit,
)
