"""The cases of a session: read in pages, searched, and changed by a person; at rest and while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.case_pair import pair_of
from dsbuilder_tui.domain.case_problems import CaseProblems
from dsbuilder_tui.domain.history import HistoryEntry, SearchStep
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.case_changes import CaseChanges
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.case_search import CaseQuery
from dsbuilder_tui.store.soundness import CASES


class SessionCases:
    """Reads and changes cases. A change is on disk, told and announced when its call returns, and whole or not at all."""

    def __init__(self, context: SessionContext, repaired: Callable[[], None]) -> None:
        """``repaired`` is called when cases have gone without an event."""
        self._context, self._repaired = context, repaired
        self._changes = CaseChanges(context)

    async def all(self, *, damaged: list[str] | None = None) -> AsyncIterator[AcceptedCase]:
        """The accepted cases in slot order, read a page at a time.

        A damaged one raises ``SessionDamaged``, or is left out and named in ``damaged`` when that list is given.
        """
        async for page in self._context.files.store.cases.pages(self._context.categories(), damaged=damaged):
            for case in page:
                yield case

    async def require_sound(self) -> None:
        """Raises ``SessionDamaged`` when the cases are not all that was written. Reads them to their end."""
        await self._context.files.require_sound(CASES)

    async def page(
        self, offset: int, limit: int, *, category: str | None = None, newest_first: bool = False
    ) -> list[AcceptedCase]:
        """Some accepted cases, in slot order or the newest first. A damaged one is marked, not left out."""
        return await self._context.files.store.cases.page(
            self._context.categories(category), offset, limit, newest_first=newest_first
        )

    async def place(self, case: AcceptedCase, *, category: str | None = None, newest_first: bool = False) -> int | None:
        """How many cases come before this one in what ``page`` lists; None when it is not there any more."""
        return await self._context.files.store.cases.place(
            case, self._context.categories(category), newest_first=newest_first
        )

    async def search(
        self,
        text: str = "",
        *,
        category: str | None = None,
        pinned: bool = False,
        noted: bool = False,
        edited: bool = False,
        reviewed: bool = False,
        flagged: bool = False,
        easy: bool = False,
        verdict: Judgement | None = None,
        newest_first: bool = False,
    ) -> AsyncIterator[SearchStep]:
        """Look for cases that hold every word of ``text`` in inputs, expectations, tags or id, and bear the marks,
        or the judge's verdict.

        A step comes for every window of about 2,000 cases, so that a long search can be shown and left.
        """
        query = CaseQuery(
            text=text,
            pinned=pinned,
            noted=noted,
            edited=edited,
            reviewed=reviewed,
            flagged=flagged,
            easy=easy,
            verdict=verdict,
            newest_first=newest_first,
        )
        async for step in self._context.files.store.cases.search(self._context.categories(category), query):
            yield step

    async def by_seq(self, seqs: Sequence[int]) -> list[AcceptedCase]:
        """The cases at these places in the history, in the order given; those that are gone are left out."""
        return await self._context.files.store.cases.by_seq(seqs)

    async def get(self, category: str, ordinal: int) -> AcceptedCase | None:
        """The case that fills a slot, or None."""
        return (await self._context.files.store.cases.slot_facts(category, ordinal)).case

    async def numbered(self, ordinal: int, limit: int = 50) -> list[AcceptedCase]:
        """The cases that bear this number, at most one of each category, in the order of the plan."""
        slots = [(name, ordinal) for name in self._context.categories()[:limit]]
        return list((await self._context.files.store.cases.in_slots(slots)).values())

    async def partner(self, case: AcceptedCase) -> AcceptedCase | None:
        """The other case of a case's pair, whichever of the two it is; None when it has none."""
        pair = pair_of(case.tags)
        slot = slot_of(pair.other) if pair is not None else None
        return await self.get(*slot) if slot is not None else None

    async def history(self, category: str, ordinal: int) -> list[HistoryEntry]:
        """What a person did to the cases of a slot, oldest first."""
        return await self._context.files.store.history.of_case(category, ordinal)

    async def counts(self) -> dict[str, int]:
        """How many cases each category of the plan holds on disk. Costs the same at any size."""
        progress = await self._context.files.store.progress.by_category()
        return {name: progress[name].accepted for name in self._context.categories()}

    async def exhausted_counts(self) -> dict[str, int]:
        """How many slots of each category are exhausted; those without any are left out."""
        progress = await self._context.files.store.progress.by_category()
        return {name: progress[name].exhausted for name in self._context.categories() if progress[name].exhausted}

    async def counts_at(self, seq: int) -> dict[str, int]:
        """Accepted cases of each category up to a place in the history, such as a checkpoint's ``seq``."""
        found = await self._context.files.store.cases.counts_at(seq)
        return {name: found.get(name, 0) for name in self._context.categories()}

    async def problems(
        self, case: AcceptedCase, inputs: dict[str, Any], expectations: dict[str, Any], passages: Sequence[Passage] = ()
    ) -> CaseProblems:
        """What would be wrong with a case if it said this: what does not fit the plan, or else what its validators find.

        ``passages`` are those that it was written from. Changes nothing. The case's category must be in the plan.
        """
        return await self._changes.problems(case, inputs, expectations, passages)

    async def edit(
        self, category: str, ordinal: int, inputs: dict[str, Any], expectations: dict[str, Any]
    ) -> AcceptedCase:
        """Change what a case says. Raises ``InputError`` naming the field that does not fit the plan."""
        return await self._context.whole(lambda: self._changes.edit(category, ordinal, inputs, expectations))

    async def annotate(
        self,
        category: str,
        ordinal: int,
        *,
        note: str | None = None,
        pinned: bool | None = None,
        reviewed: bool | None = None,
    ) -> AcceptedCase:
        """Write a note on a case (an empty one removes it), pin or unpin it, mark it as looked at by a person or not. What is
        None stays as it is.
        """
        return await self._context.whole(lambda: self._changes.annotate(category, ordinal, note, pinned, reviewed))

    async def withdraw(self, category: str, ordinal: int, reason: str = "") -> None:
        """Take a case out and open its slot again; the same text does not come back.

        A run that is going on writes the slot again, at rest the next one does. Raises ``InputError`` for a pinned case.
        """
        words = whole_characters(reason).strip()
        await self._context.whole(lambda: self._changes.withdraw(category, ordinal, words))

    async def keep_rejected(self, seq: int) -> AcceptedCase:
        """Let a rejected candidate in after all; a case that fills its slot by now makes room.

        Raises ``InputError`` when the candidate was no whole case, or its slot is being written again.
        """
        return await self._context.whole(lambda: self._changes.keep_rejected(seq))

    async def repair(self) -> list[str]:
        """Set damaged cases aside and open their slots again. Returns their ids. Not while the session runs."""
        async with self._context.acts:
            self._context.only_at_rest()
            files = self._context.files
            found = await files.store.cases.set_damaged_aside()
            if found:
                self._repaired()
                await files.store.history.remember("repaired", cases=found)
                await files.conclude("reopened", SessionState.PAUSED, export=False)
            return found

    async def retry_exhausted(self) -> int:
        """Open every exhausted slot for a fresh set of attempts. Returns how many. Not while the session runs."""
        async with self._context.acts:
            self._context.only_at_rest()
            files = self._context.files
            count = await files.store.slots.reopen_exhausted()
            if count:
                await files.conclude("reopened", SessionState.PAUSED, export=False)
            return count
