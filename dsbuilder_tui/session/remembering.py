"""The main agent's side of a session: what it has in mind, what waits for the person's yes, what its tools did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dsbuilder_tui.domain.events import ApprovalAsked, ApprovalDecided, Notice
from dsbuilder_tui.domain.history import Approval
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.session.core import SessionCore


class Remembering(SessionCore):
    """What the main agent keeps in a session. Everything is on disk when a method returns."""

    async def warn(self, text: str) -> None:
        """Announce something that a person should know of, and remember it."""
        await self._files.tell(Notice(ts=self._files.clock.now(), level="warning", text=text))

    @property
    def agent_summary(self) -> str:
        """What was said before the items that the agent still has word for word."""
        return str(self._files.meta.get("agent_summary") or "")

    async def agent_items(self) -> list[tuple[int, dict[str, Any]]]:
        """What the agent has in mind as items of the Responses API, oldest first, each with its number."""
        return await self._files.store.agent_memory.items()

    async def add_agent_items(self, items: Sequence[dict[str, Any]]) -> None:
        await self._files.store.agent_memory.add_items([whole_characters(item) for item in items])

    async def compact_agent_items(self, upto: int, summary: str) -> None:
        """Put a summary in the place of the items up to a number."""
        summary = whole_characters(summary)
        await self._files.store.agent_memory.compact(upto, summary)
        self._files.meta["agent_summary"] = summary

    @property
    def target(self) -> dict[str, Any]:
        """What is known of the evaluated application; foreign text."""
        return dict(self._files.meta.get("target") or {})

    async def remember_target(self, target: dict[str, Any]) -> None:
        await self._files.remember(target=whole_characters(target))

    async def approvals(self) -> list[Approval]:
        """The newest questions that needed a yes, oldest first."""
        return [approval for approval, _ in await self._files.store.approvals.newest()]

    async def open_approval(self) -> tuple[Approval, str] | None:
        """The question that waits for an answer, and what the agent goes on from; None when there is none."""
        found = await self._files.store.approvals.newest(1, "open")
        return found[0] if found else None

    async def recover_approvals(self) -> None:
        """After a kill: a question that was answered, without the answer having had its effect, is open again."""
        for approval, _ in await self._files.store.approvals.newest(state="decided"):
            done = await self.tool_effect(approval.call_id) is not None
            await (self.settle_approval(approval) if done else self.reopen_approval(approval))

    async def ask_approval(self, call_id: str, tool: str, data: dict[str, Any], run_state: str) -> Approval:
        """Keep a question that the person must answer; whatever was open before is settled unanswered."""
        while (before := await self.open_approval()) is not None:
            await self._change_approval(replace(before[0], state="settled", decision="replaced"))
        files = self._files
        approval = Approval(
            call_id, files.store.next_seq(), tool, whole_characters(data), "open", "", files.clock.now()
        )
        await files.store.approvals.ask(approval, run_state)
        files.emit(ApprovalAsked(ts=approval.created_at, call_id=call_id, tool=tool, data=approval.data))
        return approval

    async def decide_approval(self, approval: Approval, decision: str, data: dict[str, Any] | None = None) -> Approval:
        """Keep the answer: approved, declined or replaced. It has no effect until the agent goes on."""
        decided = replace(approval, state="decided", decision=decision, data=whole_characters(data or approval.data))
        await self._change_approval(decided)
        return decided

    async def reopen_approval(self, approval: Approval) -> None:
        """The answer had no effect: the question waits again, as it was asked."""
        data = {key: value for key, value in approval.data.items() if key not in ("edited", "said")}
        await self._change_approval(replace(approval, state="open", decision="", data=data))
        now = self._files.clock.now()
        self._files.emit(ApprovalAsked(ts=now, call_id=approval.call_id, tool=approval.tool, data=data))

    async def settle_approval(self, approval: Approval) -> None:
        """The answer has had its effect: nothing can go on from this question any more."""
        await self._change_approval(replace(approval, state="settled"))

    async def _change_approval(self, approval: Approval) -> None:
        await self._files.store.approvals.change(approval)
        if approval.decision:
            now = self._files.clock.now()
            self._files.emit(
                ApprovalDecided(ts=now, call_id=approval.call_id, tool=approval.tool, decision=approval.decision)
            )

    async def tool_effect(self, call_id: str) -> str | None:
        """What a tool call answered when it was carried out, None when it was not."""
        return await self._files.store.agent_memory.tool_effect(call_id)

    async def note_tool_effect(self, call_id: str, tool: str, answer: str) -> None:
        """Remember that a tool call has had its effect, so that it is never carried out twice."""
        await self._files.store.agent_memory.note_tool_effect(call_id, tool, whole_characters(answer))
