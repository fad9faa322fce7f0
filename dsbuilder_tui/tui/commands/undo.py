"""``/undo``: take back what was done last; list what can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.undo import Actor, ActState, UndoStep
from dsbuilder_tui.tui.slash_command import SlashCommand
from dsbuilder_tui.wording import clock_time

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions

_LISTED = 20
_STATES = {ActState.UNDONE: " · undone, /redo does it again", ActState.OUTDATED: " · cannot be undone any more"}


async def _undo(actions: StudioActions, argument: str) -> None:
    if argument.casefold() == "list":
        await actions.live.tell(_list(await actions.live.session.undo_log.listing(_LISTED)))
    else:
        await actions.take_steps(steps_of(argument, "undo"), redo=False)


def steps_of(argument: str, name: str) -> int:
    """The number of steps that a command was given, 1 where none was. Raises ``InputError``."""
    if argument and not (argument.isascii() and argument.isdigit() and int(argument[:9]) > 0):
        raise InputError(f"/{name} {argument[:40]} is not a number of acts.", f"/{name} 3 takes three.")
    return int(argument[:9]) if argument else 1


def _list(steps: Sequence[UndoStep]) -> str:
    if not steps:
        return "Nothing was done here yet that can be undone."
    lines = [
        f"{clock_time(step.created_at)} {'the agent' if step.actor is Actor.AGENT else 'you'}: {step.words}"
        f"{_STATES.get(step.state, '')}"
        for step in steps
    ]
    return "\n".join(["What can be undone, the last first:", *lines])


COMMAND = SlashCommand(
    name="undo",
    argument="[N | list]",
    choices=("list",),
    words="take back what was done last, or the last N; list what can be",
    rank=74,
    run=_undo,
)
