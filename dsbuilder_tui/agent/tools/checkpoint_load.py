"""Saved work, taken up again."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.plain_words import counted


class LoadFromCheckpointArguments(ToolArguments):
    path: str | None = None
    """A seed-format JSON, a session's name or folder that the person named; leave it out for the present session."""


class LoadFromCheckpoint(Tool[LoadFromCheckpointArguments]):
    name = "load_from_checkpoint"
    order = 130
    description = (
        "Take up what was saved. Without a path: the present session, which always knows its last accepted case. With a "
        "path that the person named: another session, or a checkpoint JSON."
    )
    arguments = LoadFromCheckpointArguments
    asks = True

    async def question(self, call: ToolCall, arguments: LoadFromCheckpointArguments) -> QuestionApproval | None:
        if arguments.path is None or call.was_typed(arguments.path):
            return None
        return QuestionApproval(
            text=f"Leave this session and open {arguments.path}? You have not named it yourself.",
            subject=QuestionSubject.SESSION,
        )

    async def run(self, call: ToolCall, arguments: LoadFromCheckpointArguments) -> ToolAnswer:
        host = call.host
        if arguments.path is None:
            state = await host.session.summary()
            left = state.total_instances_planned - state.instances_created - state.exhausted_slots
            said = f"The session is at {state.instances_created:,} of {counted(state.total_instances_planned, 'case')}."
            if left and not host.running:
                said += " “Resume” goes on exactly there."
            return ToolAnswer(said, {"open": left, "running": host.running})
        return ToolAnswer(await host.load(arguments.path))
