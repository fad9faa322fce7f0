"""Recovery of a turn whose process ended in the middle of it, when the session is opened again."""

from __future__ import annotations

import contextlib

from dsbuilder_tui.agent.chat_messages import add_tool_message
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.tool import plan_in_force
from dsbuilder_tui.domain.approval import Approval, ApprovalDecision, ApprovalState, PlanApproval
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.message import ToolContent
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
