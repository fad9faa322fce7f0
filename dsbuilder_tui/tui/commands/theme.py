"""``/theme``: dark, light or high-contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.colours import COLOURS
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _theme(actions: StudioActions, argument: str) -> None:
    if argument not in COLOURS:
        raise InputError(f"There is no theme {argument[:20]!r}.", f"There are: {', '.join(COLOURS)}.")
    actions.services.choose_theme(argument)


COMMAND = SlashCommand(
    name="theme",
    argument="[NAME]",
    choices=("dark", "light", "high-contrast"),
    words="dark, light or high-contrast",
    rank=170,
    run=_theme,
)
