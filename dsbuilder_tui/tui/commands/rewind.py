"""``/rewind``: go back to a checkpoint, and keep what is left behind as a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _rewind(actions: StudioActions, argument: str) -> None:
    live = actions.live
    if not argument:
        actions.open_screen("checkpoints")
        return
    if live.running:
        raise InputError("Workers are writing on this branch.", "Pause first (^P); all that is accepted stays.")
    point = await live.session.checkpoints.found(argument)
    await live.session.branches.rewind(point.id)


COMMAND = SlashCommand(
    name="rewind",
    argument="[CHECKPOINT]",
    words="go back to a checkpoint; what is there now stays as a branch",
    rank=72,
    run=_rewind,
)
