"""``/home``: back to the list of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _home(actions: StudioActions, argument: str) -> None:
    actions.services.action_home()


COMMAND = SlashCommand(
    name="home",
    words="back to the list of sessions",
    rank=190,
    run=_home,
)
