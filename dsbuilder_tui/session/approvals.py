"""Questions of a session that need the person's yes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import orjson

from dsbuilder_tui.domain.approval import (
    Approval,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalState,
    PlanApproval,
    approval_request,
)
from dsbuilder_tui.domain.events import ApprovalAsked, ApprovalDecided
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.session_context import SessionContext

_SENT_BACK = (ApprovalDecision.DECLINED, ApprovalDecision.REPLACED)
_SEAL = "approval"  # of the newest question: there is one at a time


class SessionApprovals:
    """Keeps questions and their answers. Everything is on disk when a method returns."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._asked: set[str] = set()  # by this process, which nobody writes beside

    async def newest(self) -> list[Approval]:
        """The newest questions that needed a yes, oldest first."""
        return [approval for approval, _ in await self._context.files.store.approvals.newest()]

    async def sent_back(self) -> DatasetPlanInput | None:
        """The newest plan that was proposed here and got a no, or gave way to another."""
        for approval in reversed(await self.newest()):
            if approval.decision in _SENT_BACK and isinstance(approval.request, PlanApproval):
                return approval.request.plan
        return None

    async def first_plan(self) -> DatasetPlanInput | None:
        """The first plan that was proposed here, as far back as the newest questions reach."""
        requests = [approval.request for approval in await self.newest()]
        return next((request.plan for request in requests if isinstance(request, PlanApproval)), None)

    async def open(self) -> tuple[Approval, str] | None:
        """The question that waits for an answer, and what the agent goes on from; None when there is none.

        One that was not asked on this machine is ``strange``, and cannot be answered: it may not be about what it says.
        """
        found = await self._newest_open()
        return found if found and self._is_own(*found) else None

    async def strange(self) -> Approval | None:
        """The question that waits in a folder which came from elsewhere, and that was not asked here."""
        found = await self._newest_open()
        return found[0] if found and not self._is_own(*found) else None

    async def _newest_open(self) -> tuple[Approval, str] | None:
        found = await self._context.files.store.approvals.newest(1, ApprovalState.OPEN)
        return found[0] if found else None

    def _is_own(self, approval: Approval, run_state: str) -> bool:
        return approval.call_id in self._asked or self._context.files.is_own(_SEAL, _sealed(approval, run_state))

    async def recover(self) -> None:
        """After a kill: a question that was answered, without the answer having had its effect, is open again."""
        for approval, _ in await self._context.files.store.approvals.newest(state=ApprovalState.DECIDED):
            done = await self._context.files.store.agent_memory.tool_effect(approval.call_id) is not None
            await (self.settle(approval) if done else self.reopen(approval))

    async def ask(self, call_id: str, tool: str, request: ApprovalRequest, run_state: str) -> Approval:
        """Keep a question that the person must answer; whatever was open before is settled unanswered."""
        while (before := await self._newest_open()) is not None:
            await self._change(replace(before[0], state=ApprovalState.SETTLED, decision=ApprovalDecision.REPLACED))
        files = self._context.files
        approval = Approval(
            call_id=call_id,
            seq=files.store.next_seq(),
            tool=tool,
            request=request,
            state=ApprovalState.OPEN,
            decision=ApprovalDecision.UNDECIDED,
            created_at=files.clock.now(),
        )
        await files.remember(seals=files.seals_with(_SEAL, _sealed(approval, run_state)))
        await files.store.approvals.ask(approval, run_state)
        self._asked.add(call_id)
        files.emit(ApprovalAsked(ts=approval.created_at, call_id=call_id, tool=tool, request=request))
        return approval

    async def decide(
        self, approval: Approval, decision: ApprovalDecision, said: str = "", edited: DatasetPlanInput | None = None
    ) -> Approval:
        """Keep the answer, with the person's words and the plan as they edited it. It has no effect until the agent goes on."""
        request = approval.request.answered(said, edited)
        decided = replace(approval, state=ApprovalState.DECIDED, decision=decision, request=request)
        await self._change(decided)
        return decided

    async def reopen(self, approval: Approval) -> None:
        """The answer had no effect: the question waits again, as it was asked."""
        request = approval.request.unanswered()
        await self._change(
            replace(approval, state=ApprovalState.OPEN, decision=ApprovalDecision.UNDECIDED, request=request)
        )
        now = self._context.files.clock.now()
        self._context.files.emit(ApprovalAsked(ts=now, call_id=approval.call_id, tool=approval.tool, request=request))

    async def settle(self, approval: Approval) -> None:
        """The answer has had its effect: nothing can go on from this question any more."""
        await self._change(replace(approval, state=ApprovalState.SETTLED))

    async def _change(self, approval: Approval) -> None:
        await self._context.files.store.approvals.change(approval)
        if approval.decision:
            now = self._context.files.clock.now()
            self._context.files.emit(
                ApprovalDecided(ts=now, call_id=approval.call_id, tool=approval.tool, decision=approval.decision)
            )


def _sealed(approval: Approval, run_state: str) -> list[Any]:
    """The call that a question is about, as it was asked, and what a yes goes on from."""
    read = approval_request(orjson.loads(orjson.dumps(approval.request.data()))).unanswered()
    state = hashlib.sha256(run_state.encode("utf-8", "surrogatepass")).hexdigest()
    return [approval.call_id, approval.tool, read.data(), state]
