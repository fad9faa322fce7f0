"""Recovery of a turn whose process ended in the middle of it, when the session is opened again."""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import replace

from dsbuilder_tui.agent.chat_messages import add_question_message, add_tool_message
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.tool import ToolCall, plan_in_force
from dsbuilder_tui.agent.tool_registry import tool_kinds
from dsbuilder_tui.domain.approval import Approval, ApprovalDecision, ApprovalState, PlanApproval
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.message import MessageRole, NoticeContent, ToolContent
from dsbuilder_tui.session import Session


async def recover(host: Host) -> None:
    """A plan that is in force was approved; what was answered without effect is open again; the agent knows what it did."""
    session = host.session
    for approval in await session.approvals.newest():
        undone = (
            approval.state is ApprovalState.DECIDED and await session.agent_memory.tool_effect(approval.call_id) is None
        )
        request = approval.request
        if undone and isinstance(request, PlanApproval) and _in_force(session, approval.decision, request):
            await _note_plan(host, approval, request)
    await session.approvals.recover()
    await _tell_effects(session)


async def ask_again(host: Host) -> Approval | None:
    """A question that waits in a folder from elsewhere is asked anew, as the tool asks it today; None when none is.

    What its card says, and what a yes to it would go on from, may be two things: only the call's arguments are taken.
    """
    session = host.session
    if (strange := await session.approvals.strange()) is None:
        return None
    await session.approvals.settle(replace(strange, decision=ApprovalDecision.REPLACED))
    call = ToolCall(host=host, call_id=f"call_{secrets.token_hex(12)}")
    tool = next((kind() for kind in tool_kinds() if kind.name == strange.tool), None)
    text = json.dumps(strange.request.arguments)
    try:
        question = await tool.question(call, tool.parse(text)) if tool is not None else None
    except DsbuilderError:
        question = None
    if question is None:
        return None
    item = {"type": "function_call", "call_id": call.call_id, "name": strange.tool, "arguments": text}
    await session.agent_memory.add_items([item])
    approval = await session.approvals.ask(call.call_id, strange.tool, question.for_call(strange.request.arguments), "")
    await session.chat.add(
        MessageRole.DSBUILDER,
        "A question came with this session, and was not asked here: it is asked again.",
        NoticeContent(),
    )
    await add_question_message(session, approval)
    return approval


def _in_force(session: Session, decision: ApprovalDecision, request: PlanApproval) -> bool:
    """Whether an approved plan came into force before the process ended, which then could not remember that it did."""
    revised = session.plans.revision > request.against
    return decision is ApprovalDecision.APPROVED and revised and request.wanted == session.plan


async def _note_plan(host: Host, approval: Approval, request: PlanApproval) -> None:
    session = host.session
    if not request.against:  # the first plan gives the session its name
        with contextlib.suppress(DsbuilderError):
            await session.take_name_of_plan()
            await host.reread()
    answer = plan_in_force(session, running=False)
    await session.agent_memory.note_tool_effect(approval.call_id, approval.tool, answer.text())


async def _tell_effects(session: Session) -> None:
    """Calls that have had their effect, and whose answer the agent and the conversation do not have yet."""
    items = [item for _, item in await session.agent_memory.items()]
    answered = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    open_calls = [i for i in items if i.get("type") == "function_call" and i["call_id"] not in answered]
    if not open_calls:
        return
    shown = {m.call for m in await session.chat.messages() if isinstance(m.content, ToolContent)}
    for call in open_calls:
        call_id = call["call_id"]
        if (output := await session.agent_memory.tool_effect(call_id)) is None:
            continue
        if call_id not in shown:
            await add_tool_message(session, call_id, str(call["name"]), output, str(call["arguments"]))
        await session.agent_memory.add_items([{"type": "function_call_output", "call_id": call_id, "output": output}])
