"""Questions of a session that need the person's yes."""

from __future__ import annotations

from dataclasses import replace

from dsbuilder_tui.domain.approval import Approval, ApprovalDecision, ApprovalRequest, ApprovalState
from dsbuilder_tui.domain.events import ApprovalAsked, ApprovalDecided
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.session_context import SessionContext


class SessionApprovals:
    """Keeps questions and their answers. Everything is on disk when a method returns."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def newest(self) -> list[Approval]:
        """The newest questions that needed a yes, oldest first."""
        return [approval for approval, _ in await self._context.files.store.approvals.newest()]

    async def open(self) -> tuple[Approval, str] | None:
        """The question that waits for an answer, and what the agent goes on from; None when there is none."""
        found = await self._context.files.store.approvals.newest(1, ApprovalState.OPEN)
        return found[0] if found else None

    async def recover(self) -> None:
        """After a kill: a question that was answered, without the answer having had its effect, is open again."""
        for approval, _ in await self._context.files.store.approvals.newest(state=ApprovalState.DECIDED):
            done = await self._context.files.store.agent_memory.tool_effect(approval.call_id) is not None
            await (self.settle(approval) if done else self.reopen(approval))

    async def ask(self, call_id: str, tool: str, request: ApprovalRequest, run_state: str) -> Approval:
        """Keep a question that the person must answer; whatever was open before is settled unanswered."""
        while (before := await self.open()) is not None:
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
        await files.store.approvals.ask(approval, run_state)
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
