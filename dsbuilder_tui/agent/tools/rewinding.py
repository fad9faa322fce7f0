"""The session brought back to a point of its history, with what it leaves behind kept as a branch."""

from __future__ import annotations

from dsbuilder_tui.agent.checkpoint_arguments import CheckpointArguments
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.wording import switched_words


class RewindArguments(CheckpointArguments):
    keep_as: str | None = None
    """The name of that branch, if the person gave one."""


class Rewind(Tool[RewindArguments]):
    name = "rewind"
    order = 123
    description = (
        "Go back to a point of the history: cases, plan, settings. What is there now stays as a branch. Only at rest."
    )
    arguments = RewindArguments
    asks = True

    def doing(self, arguments: RewindArguments) -> str:
        return "going back"

    async def question(self, call: ToolCall, arguments: RewindArguments) -> QuestionApproval | None:
        require_rest(call)
        session = call.host.session
        point, current = await arguments.find(session), await session.branches.current()
        if point.id == current.tip and point.accepted == current.accepted:
            raise InputError("The session stands at this point already.", "F4 shows the others.")
        left = await session.branches.name_for_left(arguments.keep_as)
        text = (
            f"Go back to checkpoint {point.id}, {_size(point)}? What is there now, {current.accepted:,} of "
            f"{counted(current.planned, 'case')}, stays as the branch {left}: “go to branch {left}” brings it back."
        )
        return QuestionApproval(text=text, subject=QuestionSubject.HISTORY)

    async def run(self, call: ToolCall, arguments: RewindArguments) -> ToolAnswer:
        require_rest(call)
        session = call.host.session
        point = await arguments.find(session)
        event = await session.branches.rewind(point.id, keep_as=arguments.keep_as)
        await call.host.reread()
        return ToolAnswer(f"{switched_words(event)}.", {"left": event.left, "checkpoint": event.checkpoint})


def require_rest(call: ToolCall) -> None:
    """Raises ``InputError`` while workers write."""
    if call.host.running:
        raise InputError("Workers are writing.", "Pause first; all that is accepted stays.")


def _size(point: Checkpoint) -> str:
    return f"{point.accepted:,} of {counted(point.planned, 'case')}"
