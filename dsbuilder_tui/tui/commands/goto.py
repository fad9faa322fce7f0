"""``/goto WORDS``: go to a case, a category, a setting, a session, a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _goto(actions: StudioActions, argument: str) -> None:
    actions.services.navigator.ask(argument)


COMMAND = SlashCommand(
    name="goto",
    argument="[WORDS]",
    words="go to a case, category, setting, session, screen",
    rank=181,
    key="ctrl+g",
    run=_goto,
)
