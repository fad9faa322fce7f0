"""A checkpoint, written on demand."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.plain_words import counted


class SaveCheckpointArguments(ToolArguments):
    name: str | None = None
    """What the person calls this point, if anything."""


class SaveCheckpoint(Tool[SaveCheckpointArguments]):
    name = "save_checkpoint"
    order = 120
    description = "Write a checkpoint into the timeline now. (Accepted cases are saved all the time in any case.)"
    arguments = SaveCheckpointArguments

    async def run(self, call: ToolCall, arguments: SaveCheckpointArguments) -> ToolAnswer:
        host = call.host
        point = await host.session.checkpoints.save(arguments.name or "")
        if not host.running:
            await host.reread()
        return ToolAnswer(f"Checkpoint {point.id} at {counted(point.accepted, 'case')}.", {"checkpoint": point.id})
