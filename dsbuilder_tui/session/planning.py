"""The conversation of a session, and the revisions of its plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.events import MessageAdded, PlanRevised
from dsbuilder_tui.domain.history import Message
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.summary import SessionState
from dsbuilder_tui.domain.words import counted
from dsbuilder_tui.session.core import SessionCore
from dsbuilder_tui.session.files import check_size
from dsbuilder_tui.store.rows import CategoryProgress


class Planning(SessionCore):
    """What is said in a session, and what is planned."""

    async def messages(self, limit: int = 1000) -> list[Message]:
        """The newest messages, oldest first."""
        return await self._files.store.messages(limit)

    async def add_message(
        self, role: str, text: str, kind: str = "text", data: dict[str, Any] | None = None
    ) -> Message:
        """Keep a message; it is on disk, and announced, when this returns. ``data`` must be JSON-ready."""
        store, now = self._files.store, self._files.clock.now()
        message = Message(store.next_seq(), role, kind, whole_characters(text), whole_characters(data or {}), now)
        await store.add_message(message)
        self._files.emit(
            MessageAdded(ts=now, seq=message.seq, role=role, kind=kind, text=message.text, data=message.data)
        )
        return message

    @property
    def draft(self) -> str:
        """What the person has typed and not sent."""
        return str(self._files.meta.get("draft") or "")

    async def save_draft(self, text: str) -> None:
        await self._files.remember(draft=whole_characters(text))

    @property
    def plan_revision(self) -> int:
        """The number of the plan's newest revision, from 1."""
        return self._files.plan_revision

    async def revise_plan(self, plan: DatasetPlanInput) -> int:
        """Replace the plan; returns the number of its revision (the present one when nothing differs).

        A category that holds cases must stay, with room for all of them. Raises ``PlanError`` naming each problem, or
        ``InputError`` while the session runs.
        """
        async with self._acts:
            self._only_at_rest()
            files = self._files
            if plan == files.plan:
                return files.plan_revision
            check_size(plan, self.config)
            counts = {category.name: category.count for category in plan.categories}
            problems = [
                f"categories: {name!r} holds {counted(cases, 'case')} and must stay"
                if name not in counts
                else f"categories: {name!r}.count: {counts[name]} — its slot {highest} is filled; "
                f"make it at least {highest}"
                for name, (cases, highest) in (await files.store.filled()).items()
                if counts.get(name, 0) < highest
            ]
            if problems:
                raise PlanError(plan.dataset_name, problems)
            revision, now = files.plan_revision + 1, files.clock.now()

            def revised(progress: dict[str, CategoryProgress]) -> tuple[PlanRevised, SessionState]:
                sums = [progress[name] for name in counts]
                left = plan.total_instances - sum(p.accepted + p.exhausted for p in sums)
                event = PlanRevised(
                    ts=now,
                    revision=revision,
                    planned=plan.total_instances,
                    categories={name: {"planned": counts[name], **asdict(progress[name])} for name in counts},
                )
                state = SessionState(files.meta["state"])
                if state in (SessionState.COMPLETE, SessionState.SHORT):
                    ended = SessionState.SHORT if any(p.exhausted for p in sums) else SessionState.COMPLETE
                    state = SessionState.PAUSED if left else ended
                return event, state

            event, state = await files.store.revise_plan(plan, revision, revised)
            files.plan, files.plan_revision = plan, revision
            files.meta["state"] = state
            if self.config.enable_checkpointing:
                await files.checkpoint("plan")
            await files.note_status(running=False)
            files.emit(event)
            return revision
