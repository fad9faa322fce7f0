"""``/pause``: let work in flight drain, then save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _pause(actions: StudioActions, argument: str) -> None:
    if not actions.live.running:
        raise InputError("Nothing is running.", "/run begins or goes on.")
    actions.live.pause()


COMMAND = SlashCommand(
    name="pause",
    words="let work in flight drain, then save",
    rank=30,
    key="ctrl+p",
    run=_pause,
)
