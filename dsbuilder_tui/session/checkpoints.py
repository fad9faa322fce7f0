"""Points in a session's history: listed, written, named, and looked at."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import MAX_TEXT_LENGTH, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import CategoryProgress

_NAME_LENGTH = 80
_SHOWN_CASES = 20


@dataclass(frozen=True, slots=True)
class CheckpointPreview:
    """A session as it was at a checkpoint: the counters of the plan's categories, the plan and its revision, the newest cases,
    the newest first."""

    checkpoint: Checkpoint
    counts: dict[str, CategoryProgress]
    revision: int
    plan: DatasetPlanInput
    cases: list[AcceptedCase]


class SessionCheckpoints:
    """Reads checkpoints, writes new ones, and shows what the session was at one. Nothing here moves the session; see
    ``session.branches``. All may be called while a run goes on."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def all(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest of all branches, oldest first; ``Checkpoint.branch`` names the line on which each lies. Costs as much as
        are asked for, at any number of cases."""
        return await self._context.files.store.checkpoints.newest(limit)

    async def at(self, number: int) -> Checkpoint:
        """Raises ``InputError`` when there is no checkpoint of that number."""
        return await self._context.files.store.checkpoints.at(number)

    async def save(self, name: str = "", *, note: str = "") -> Checkpoint:
        """Write a checkpoint now. Raises ``InputError`` for a name or a note that is too long."""
        return await self._context.checkpoint(CheckpointCause.ASKED, name=_name(name), note=_note(note))

    async def rename(self, number: int, name: str, note: str | None = None) -> Checkpoint:
        """Give a checkpoint another name, and with ``note`` another note. Raises ``InputError`` as ``save`` and ``at``."""
        point = await self.at(number)
        store = self._context.files.store
        await store.checkpoints.rename(number, _name(name), point.note if note is None else _note(note))
        return await self.at(number)

    async def preview(self, number: int, *, most_cases: int = _SHOWN_CASES) -> CheckpointPreview:
        """What the session was at a checkpoint of any branch. Costs the same at any number of cases.

        Raises ``InputError`` when there is no checkpoint of that number.
        """
        store, point = self._context.files.store, await self.at(number)
        revision, plan = await store.plans.of(point)
        counts = await store.checkpoints.counts(number)
        if counts is None:  # of an older format
            found = await store.cases.counts_at(point.seq)
            counts = {name: CategoryProgress(accepted) for name, accepted in found.items()}
        cases = await store.past_cases.newest(number, most_cases)
        none = CategoryProgress()
        return CheckpointPreview(
            point, {c.name: counts.get(c.name, none) for c in plan.categories}, revision, plan, cases
        )


def _name(text: str) -> str:
    text = whole_characters(text).strip()
    if len(text) > _NAME_LENGTH:
        raise InputError(f"The name has {len(text):,} characters.", f"Use at most {_NAME_LENGTH}.")
    return text


def _note(text: str) -> str:
    text = whole_characters(text).strip()
    if len(text) > MAX_TEXT_LENGTH:
        raise InputError(f"The note has {len(text):,} characters.", f"Use at most {MAX_TEXT_LENGTH:,}.")
    return text
