"""``/resume``: go on with the open slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _resume(actions: StudioActions, argument: str) -> None:
    actions.begin_run()


COMMAND = SlashCommand(
    name="resume",
    words="go on with the open slots",
    rank=40,
    key="ctrl+p",
    run=_resume,
)
