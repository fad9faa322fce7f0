"""``undo``: the last acts taken back, or those that were taken back done again."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall


class UndoArguments(ToolArguments):
    redo: bool = False
    steps: int = 1


class Undo(Tool[UndoArguments]):
    name = "undo"
    order = 129
    description = "Undo or redo the last acts, the person's too; only when asked."
    arguments = UndoArguments

    def doing(self, arguments: UndoArguments) -> str:
        return "redoing" if arguments.redo else "undoing"

    async def run(self, call: ToolCall, arguments: UndoArguments) -> ToolAnswer:
        log = call.host.session.undo_log
        result = await (log.redo if arguments.redo else log.undo)(arguments.steps)
        await call.host.reread()
        return ToolAnswer(result.words, {"undone": [step.words for step in result.steps], "redo": result.redone})
