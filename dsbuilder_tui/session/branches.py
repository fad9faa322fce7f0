"""The branches of a session: begun at a checkpoint, renamed, and the one that is worked on changed by a rewind or a switch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TypeVar

from dsbuilder_tui.domain.branch import Branch, BranchCause, CheckpointCause
from dsbuilder_tui.domain.branch_merge import BranchMerge
from dsbuilder_tui.domain.dataset_comparison import ComparedDataset, DatasetComparison
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import BranchMerged, BranchSwitched, HeadMoved
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.compared_datasets import compare, session_dataset
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.branches import MovedHead, Told
from dsbuilder_tui.store.rows import CategoryProgress

E = TypeVar("E", bound=HeadMoved)
_NAME_LENGTH = 80


class SessionBranches:
    """Lists and begins branches, and brings the session to another point of its history.

    A session works on one branch at a time, the current one; everything else of a ``Session`` speaks of that. Another one is
    read with ``session.checkpoints.preview`` and ``session.export(at=…)`` of its ``tip``. Nothing is ever lost: what a rewind
    leaves behind is a branch of its own, and switching to that brings all of it back, byte for byte.
    """

    def __init__(self, context: SessionContext, moved: Callable[[], None]) -> None:
        """``moved`` is called when cases have come and gone without events of their own."""
        self._context, self._moved = context, moved

    async def all(self) -> list[Branch]:
        """All branches, the oldest first. Costs the same at any number of cases."""
        return await self._context.files.store.branches.all()

    async def current(self) -> Branch:
        """The branch that is worked on."""
        return next(branch for branch in await self.all() if branch.current)

    async def named(self, name: str) -> Branch:
        """Raises ``InputError`` when there is none of that name."""
        return await self._context.files.store.branches.named(name)

    async def fork(self, checkpoint: int, name: str) -> Branch:
        """Begin a branch at a checkpoint of any branch; its cases are shared, not copied. The session stays where it is, and may
        be running. Raises ``InputError`` for a name that is taken or cannot be one, or when there is no such checkpoint.
        """
        store, name = self._context.files.store, _branch_name(name)
        await store.branches.fork(checkpoint, name)
        return await store.branches.named(name)

    async def fork_here(self, name: str) -> Branch:
        """Begin a branch where the session stands, and work on it from now on, unless the session runs: then it goes on where it
        is. Raises ``InputError`` as ``fork``.
        """
        store, name = self._context.files.store, _branch_name(name)
        if name in {branch.name for branch in await self.all()}:
            raise InputError(f"There is a branch {name!r} already.", "Choose another name.")
        point = await self._context.checkpoint(CheckpointCause.ASKED)
        await store.branches.fork(point.id, name)
        if not self._context.run:
            await self.switch(name)
        return await store.branches.named(name)

    async def rename(self, old: str, new: str) -> Branch:
        """Raises ``InputError`` when there is none of the old name, or one of the new."""
        store, new = self._context.files.store, _branch_name(new)
        await store.branches.rename(old, new)
        return await store.branches.named(new)

    async def delete(self, name: str) -> None:
        """Take a branch out of the history, with the checkpoints that no other one stands on. Its cases stay in the session file,
        and ``restore`` brings all of it back. May be called while the session runs.

        Raises ``InputError`` for the current branch, or one that there is not.
        """
        files = self._context.files
        await files.store.deleted_branches.delete(name)
        await files.store.history.remember("branch_deleted", branch=name)

    async def restore(self, name: str) -> Branch:
        """Bring back the branch that was deleted last under this name. Raises ``InputError`` when none was, or when another one
        is called so now."""
        files = self._context.files
        await files.store.deleted_branches.restore(name)
        await files.store.history.remember("branch_restored", branch=name)
        return await files.store.branches.named(name)

    async def deleted(self) -> list[str]:
        """The names of the branches that were deleted and can be restored."""
        return await self._context.files.store.deleted_branches.names()

    async def dataset(self, where: str | int | None = None) -> ComparedDataset:
        """All cases of a branch (by its name), or at a checkpoint (by its number), for a comparison; None: as the session stands.

        Raises ``InputError`` when there is none, and while there is no plan.
        """
        self._context.require_plan()
        await self._context.written()
        branch = await self.current() if where is None else None
        if isinstance(where, str):
            branch = await self.named(where)
        if branch is not None and branch.current:
            return await session_dataset(self._context, branch.name, None)
        number = where if isinstance(where, int) else branch.tip if branch is not None else None
        assert number is not None
        point = await self._context.files.store.checkpoints.at(number)
        return await session_dataset(
            self._context, branch.name if branch is not None else f"checkpoint {number}", point
        )

    async def compare(self, before: str | int, after: str | int, *, figures: bool = True) -> DatasetComparison:
        """What differs between two branches or checkpoints: plan, cases, likeness and verdicts. May be called while it runs.

        Reads all cases of both, 0.1 KB each in memory, and takes up to 0.5 ms a case; without ``figures`` less. Raises as
        ``dataset``.
        """
        sides = await self.dataset(before), await self.dataset(after)
        return await compare(*sides, self._context.config, figures=figures)

    async def name_for_left(self, wanted: str | None = None) -> str:
        """What the branch is called that a rewind leaves behind: as it is ``wanted``, or after the current one with a number.

        Raises ``InputError`` for a name that cannot be one.
        """
        branches = await self.all()
        current = next(branch for branch in branches if branch.current)
        return free_name(current.name, branches) if wanted is None else _branch_name(wanted)

    async def rewind(
        self, checkpoint: int, *, keep_as: str | None = None, cause: BranchCause = BranchCause.REWIND
    ) -> BranchSwitched:
        """Bring the current branch back to a checkpoint of any branch: its cases, slots, rejections, verdicts, plan and settings.

        What it held is kept as a branch called ``keep_as``, or after the current one with a number; its last checkpoint is
        written before. The conversation, what was paid and what calls were made stay as they are. All of it in one transaction;
        takes as long as there are rows to come and go. Returns, and announces, where the session stands.

        Raises ``InputError`` while the session runs, for a name that is taken, or when there is no such checkpoint.
        """
        return await self._context.whole(lambda: self._rewind(checkpoint, keep_as, cause))

    async def _rewind(self, checkpoint: int, keep_as: str | None, cause: BranchCause) -> BranchSwitched:
        self._context.only_at_rest()
        files = self._context.files
        point = await files.store.checkpoints.at(checkpoint)
        current, left = await self.current(), await self.name_for_left(keep_as)
        before = await files.next_checkpoint(CheckpointCause.BEFORE_REWIND)
        _, plan = await files.store.plans.of(point)
        told = self._told(point.id, plan, current.name, partial(BranchSwitched, left=left))
        return await self._arrived(await files.store.branches.rewind(checkpoint, left, cause, before, plan, told), plan)

    async def switch(self, name: str) -> BranchSwitched:
        """Work on another branch from now on, where that stands, with its plan and settings. As ``rewind``, but that nothing new
        comes of it: the branch that was worked on keeps its name. Raises ``InputError`` also for the current branch."""
        return await self._context.whole(lambda: self._switch(name))

    async def _switch(self, name: str) -> BranchSwitched:
        self._context.only_at_rest()
        files = self._context.files
        goal, current = await self.named(name), await self.current()
        if goal.current or goal.tip is None:
            raise InputError(f"The session is on the branch {name!r} already.", "There is nothing to do.")
        point = await files.store.checkpoints.at(goal.tip)
        before = await files.next_checkpoint(CheckpointCause.BEFORE_SWITCH)
        _, plan = await files.store.plans.of(point)
        told = self._told(point.id, plan, name, partial(BranchSwitched, left=current.name))
        return await self._arrived(await files.store.branches.switch(name, before, plan, told), plan)

    async def merge(self, name: str, cases: Collection[str] | None = None) -> BranchMerge:
        """Take cases of another branch over into the current one, each through the gate: those named (as they are called there),
        or all that are not here. Cases and branch stay as they are there.

        A case goes into its own slot, or where that is taken into a new one, for which the plan's count is raised. What was
        edited there alone says the same here; what repeats a case here is turned away, and told. A checkpoint is written
        before and one behind it; all else in one transaction. Nothing is asked of a model, but vectors of an endpoint.

        Raises ``InputError`` while the session runs, for the current branch or one that there is not, and for cases that it does
        not have; ``PlanError`` for more cases than there may be; or what the gate of a run raises.
        """
        return await self._context.whole(lambda: self._merge(name, cases))

    async def _merge(self, name: str, cases: Collection[str] | None) -> BranchMerge:
        from dsbuilder_tui.session.merging import Merging  # with numpy and what else compares

        self._context.only_at_rest()
        self._context.require_plan()
        files, branch, current = self._context.files, await self.named(name), await self.current()
        if branch.current:
            raise InputError(f"The session is on the branch {name!r} already.", "Name another one to merge.")
        merging = await Merging.begin(self._context, branch)
        try:
            await merging.take(cases)
            plan = merging.revised()
            if merging.is_empty:
                return merging.result(None)
            before = await files.checkpoint(CheckpointCause.BEFORE_MERGE)
            after = await files.next_checkpoint(CheckpointCause.MERGE)
            revision, changes = merging.written(plan, await files.store.progress.by_category())
            result, plan = merging.result(before.id), plan or files.plan
            after = replace(after, accepted=after.accepted + len(result.came), planned=plan.total_instances)
            kind = partial(
                BranchMerged, merged=name, came=len(result.came), edited=len(result.edited),
                turned_away=len(result.turned_away),
            )  # fmt: skip
            told = self._told(after.id, plan, current.name, kind)
            await self._arrived(await files.store.branches.merge(changes, after, revision, told), plan)
            return result
        finally:
            await merging.gate.close()

    def _told(self, checkpoint: int, plan: DatasetPlanInput, branch: str, kind: Callable[..., E]) -> Told[E]:
        """What is announced; ``kind`` makes the event."""

        def told(
            progress: dict[str, CategoryProgress], revision: int, stages: dict[str, int]
        ) -> tuple[E, SessionState]:
            sums = [progress[category.name] for category in plan.categories]
            open_slots = plan.total_instances - sum(p.accepted + p.exhausted for p in sums)
            ended = SessionState.SHORT if any(p.exhausted for p in sums) else SessionState.COMPLETE
            state = SessionState.PAUSED if open_slots else ended
            if not plan.decided:
                state = SessionState.NEW
            event = kind(
                ts=self._context.clock.now(), branch=branch, checkpoint=checkpoint,
                accepted=sum(p.accepted for p in progress.values()), planned=plan.total_instances, revision=revision, state=state,
                categories={c.name: {"planned": c.count, **asdict(progress[c.name])} for c in plan.categories},
                stages=stages,
            )  # fmt: skip
            return event, state

        return told

    async def _arrived(self, moved: MovedHead[E], plan: DatasetPlanInput) -> E:
        """Everything that this process remembers of the session is of where it stands now."""
        files = self._context.files
        files.plan, files.plan_revision = plan, moved.event.revision
        files.meta |= moved.meta
        self._context.settings.read_again()
        self._moved()
        files.emit(moved.event)
        if self._context.config.enable_checkpointing:
            await files.write_seed_file()
        await files.note_status(running=False)
        return moved.event


def _branch_name(text: str) -> str:
    text = whole_characters(text).strip()
    if not text or len(text) > _NAME_LENGTH or not text.isprintable():
        raise InputError(
            f"{text[:_NAME_LENGTH]!r} cannot be the name of a branch.", f"Use 1 to {_NAME_LENGTH} characters."
        )
    return text


def free_name(name: str, branches: Sequence[Branch]) -> str:
    """The name of a branch with the next number that none has: so is called what a rewind leaves behind."""
    taken, number = {branch.name for branch in branches}, 1
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
