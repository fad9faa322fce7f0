"""``/plan``: show the plan as a card; edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _plan(actions: StudioActions, argument: str) -> None:
    if argument.casefold().startswith("edit"):
        actions.edit_plan()
        return
    if argument:
        raise InputError(f"/plan {argument[:40]} is not known.", "/plan shows the plan, /plan edit changes it.")
    await actions.show_plan()


COMMAND = SlashCommand(
    name="plan",
    argument="[edit]",
    choices=("edit",),
    words="show the plan as a card; edit it",
    rank=10,
    run=_plan,
)
