"""Messages that the agent puts into the conversation besides its own words: a question, what a tool did."""

from __future__ import annotations

import json

from dsbuilder_tui.domain.approval import Approval, PlanApproval
from dsbuilder_tui.domain.message import Message, MessageRole, QuestionContent, ThoughtsContent, ToolContent
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session

MOST_DETAIL = 4000  # characters of arguments and answers
MOST_THOUGHTS = 16_000  # characters


async def add_question_message(session: Session, approval: Approval) -> Message:
    """Put a question into the conversation: a plan as a card, or a sentence."""
    request = approval.request
    sentence = QuestionContent(call=approval.call_id, tool=approval.tool)
    content = request.card if isinstance(request, PlanApproval) else sentence
    return await session.chat.add(MessageRole.AGENT, request.text, content)


async def add_tool_message(
    session: Session, call_id: str, tool: str, output: str, arguments: str = "", seconds: float = 0.0
) -> Message:
    """Put what a tool did into the conversation, in a line with more behind it."""
    ok, said = _outcome(output)
    content = ToolContent(
        call=call_id, tool=tool, ok=ok, seconds=round(seconds, 3), arguments=arguments[:MOST_DETAIL],
        answer=output[:MOST_DETAIL],
    )  # fmt: skip
    return await session.chat.add(MessageRole.AGENT, said, content)


async def add_thoughts_message(session: Session, thoughts: str, seconds: float) -> Message:
    """Put what the model thought into the conversation, folded into a line."""
    content = ThoughtsContent(thoughts=thoughts[:MOST_THOUGHTS], seconds=round(seconds, 3))
    return await session.chat.add(MessageRole.AGENT, "Thought about it", content)


def _outcome(output: str) -> tuple[bool, str]:
    """Whether a tool could do it, and what it said, from its answer."""
    try:
        answer = json.loads(output)
        ok = bool(answer.get("ok", True))
        said = str(answer.get("said") if ok else f"{answer.get('error')} {answer.get('way_out', '')}")
    except (ValueError, AttributeError):
        return False, one_line(output, 200)
    return ok, one_line(said, 400)
