"""``/checkpoint``: write a checkpoint now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.actions import StudioActions


async def _checkpoint(actions: StudioActions, argument: str) -> None:
    point = await actions.live.session.checkpoints.save(argument)
    if not actions.live.running:
        actions.live.note_point(point)
    await actions.live.tell(f"✓ Checkpoint {point.id} at {counted(point.accepted, 'case')}")


COMMAND = SlashCommand(
    name="checkpoint",
    argument="[NAME]",
    words="write a checkpoint now",
    rank=70,
    run=_checkpoint,
)
