"""The acts of a session that can be undone: listed, undone and redone, one step or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.undo import (
    ActKind,
    ActOutdated,
    ActState,
    BranchFacts,
    CaseFacts,
    NameFacts,
    NothingToUndo,
    PlanFacts,
    RecordedAct,
    SettingsFacts,
    SlotsFacts,
    UndoResult,
    UndoStep,
    steps_of,
    undone_words,
)
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.session.acting import unnoted
from dsbuilder_tui.session.case_returns import CaseReturns
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.commit import history_row
from dsbuilder_tui.store.undo_log import ActReturn, without_rows

if TYPE_CHECKING:
    from dsbuilder_tui.session.branches import SessionBranches
    from dsbuilder_tui.session.case_changes import CaseChanges
    from dsbuilder_tui.session.plans import SessionPlans

_LISTED = 50
_PAUSE = "Pause first (^P); all that is accepted stays."


class UndoLog:
    """Undoes what a person or the agent did to the session, the last thing first, and does it again.

    Each act was written down in the transaction that did it, and is undone in one, so that a kill leaves it done or undone. What
    was undone can be redone until something else is done. All of it survives closing the session. Nothing is asked of a model,
    nothing is paid; what runs have written, and what was paid for it, stays.
    """

    def __init__(
        self, context: SessionContext, branches: SessionBranches, plans: SessionPlans, changes: CaseChanges
    ) -> None:
        self._context, self._branches, self._plans = context, branches, plans
        self._cases = CaseReturns(context, changes)

    async def listing(self, most: int = _LISTED) -> list[UndoStep]:
        """The newest steps that were done or undone, the newest first, with what has become of each."""
        states = (ActState.DONE, ActState.UNDONE, ActState.OUTDATED)
        acts = await self._context.files.store.undo_log.newest(most, states)
        return steps_of(acts[::-1])[::-1]

    async def undo(self, steps: int = 1) -> UndoResult:
        """Undo the last steps. One that cannot be undone any more, because what it changed says something else by now, ends it:
        it is told, and passed over the next time.

        Raises ``NothingToUndo``, ``ActOutdated`` when the first one cannot be undone, ``InputError`` for steps that are none, or
        for an act that needs a session at rest while it runs, or what else stands in the way; what was undone is undone.
        """
        return await self._walk(steps, redo=False)

    async def redo(self, steps: int = 1) -> UndoResult:
        """Do again what was undone last. Raises as ``undo``."""
        return await self._walk(steps, redo=True)

    async def _walk(self, steps: int, *, redo: bool) -> UndoResult:
        if steps < 1:
            raise InputError(f"{steps} steps cannot be {'redone' if redo else 'undone'}.", "Use 1 or more.")
        if self._context.files.read_only:
            raise InputError("This session lies where nothing can be written.", "It can be looked at and exported.")
        taken: list[UndoStep] = []
        stopped = ""
        while len(taken) < steps:
            try:
                taken.append(await self._context.whole(lambda: self._step(redo)))
            except NothingToUndo as nothing:
                if not taken:
                    raise
                stopped = nothing.problem
                break
            except DsbuilderError as error:
                if not taken:
                    raise
                stopped = str(error)
                break
        return UndoResult(redone=redo, steps=tuple(taken), stopped=stopped)

    async def _step(self, redo: bool) -> UndoStep:
        """The next step; the caller holds the session's acts."""
        table = self._context.files.store.undo_log
        await self._context.written()
        acts = await table.next(redo=redo)
        if not acts:
            if redo:
                raise NothingToUndo(
                    "There is nothing to redo.", "Nothing was undone, or something else was done since."
                )
            raise NothingToUndo("There is nothing to undo.", "What runs have written is no act; F4 goes back in time.")
        step = UndoStep(acts=tuple(acts if redo else acts[::-1]))
        taken: list[RecordedAct] = []
        with unnoted():
            for act in acts:
                try:
                    await self._act(act, redo)
                except ActOutdated as error:
                    await table.outdate([one for one in acts if one not in taken])
                    verb = "redone" if redo else "undone"
                    raise ActOutdated(
                        f"This cannot be {verb} any more: {act.words}. {error.problem}", error.hint
                    ) from None
                taken.append(act)
        return step

    async def _act(self, act: RecordedAct, redo: bool) -> None:
        facts, files = act.facts, self._context.files
        back, event = without_rows(act, redo=redo), self._event(act, redo)
        match facts:
            case CaseFacts():
                await self._cases.case(act, facts, event, redo=redo)
                return
            case SlotsFacts():
                self._only_at_rest(act, redo)
                await self._cases.slots(act, event, redo=redo)
                return
            case PlanFacts():
                self._only_at_rest(act, redo)
                whole = ActReturn(id=act.id, redo=redo)
                counts = await self._cases.told(whole, event) if facts.merged else event
                await self._plans.put_back(facts, whole, history_row(files.store.next_seq(), counts))
                files.emit(counts)
                await self._context.settle()
                return
            case SettingsFacts():
                await self._context.settings.restore(facts, back)
                if self._context.planned and self._context.config.enable_checkpointing:
                    await (self._context.run or files).checkpoint(CheckpointCause.SETTINGS)
            case NameFacts():
                await self._name(act, facts, back)
            case BranchFacts():
                await self._branch(act, facts, back)
        await files.tell(event)

    def _event(self, act: RecordedAct, redo: bool) -> ActUndone:
        case = act.facts.case_id if isinstance(act.facts, CaseFacts) else ""
        now = self._context.clock.now()
        return ActUndone(ts=now, act=act.kind, words=act.words, redone=redo, counts={}, stages={}, case_id=case)

    def _only_at_rest(self, act: RecordedAct, redo: bool) -> None:
        if self._context.run:
            words = undone_words(act.words, redone=redo).partition(": ")[2]
            raise InputError(f"Workers are writing; this waits until they rest: {words}.", _PAUSE)

    async def _name(self, act: RecordedAct, facts: NameFacts, back: ActReturn) -> None:
        files = self._context.files
        old, new = (facts.before, facts.after) if back.redo else (facts.after, facts.before)
        if act.kind is ActKind.CHECKPOINT_NAMED:
            assert facts.number is not None
            note = facts.note_after if back.redo else facts.note_before
            await files.store.checkpoints.rename(facts.number, new, note, back)
        elif act.kind is ActKind.BRANCH_RENAMED:
            if old not in {branch.name for branch in await self._branches.all()}:
                raise ActOutdated(f"There is no branch {old!r} any more.", "F4 shows the branches.")
            await files.store.branches.rename(old, new, back)
        else:
            self._only_at_rest(act, back.redo)
            if files.id != old:
                raise ActOutdated(f"The session is called {files.id} by now.", "The list of sessions renames it.")
            await files.rename(new)
            await files.store.undo_log.finish(back)

    async def _branch(self, act: RecordedAct, facts: BranchFacts, back: ActReturn) -> None:
        store, deleted = self._context.files.store.branches, self._context.files.store.deleted_branches
        if act.kind in (ActKind.BRANCH_DELETED, ActKind.BRANCH_RESTORED):
            gone = back.redo is (act.kind is ActKind.BRANCH_DELETED)
            await (deleted.delete if gone else deleted.restore)(facts.branch, back)
            return
        known = {branch.name for branch in await self._branches.all()}
        if act.kind is ActKind.BRANCH_FORKED:
            assert facts.checkpoint is not None
            if not back.redo:
                await store.unfork(facts.branch, back)
            elif facts.branch in known:
                await self._context.files.store.undo_log.finish(back)
            else:
                await store.fork(facts.checkpoint, facts.branch, back)
            return
        self._only_at_rest(act, back.redo)
        goal = facts.branch if back.redo and act.kind is ActKind.BRANCH_SWITCHED else facts.left
        if goal not in known:
            raise ActOutdated(f"There is no branch {goal!r} any more.", "F4 shows the branches.")
        if act.kind is ActKind.REWOUND:
            await self._branches.exchange(goal, back)
        else:
            await self._branches.go_to(goal, back)
