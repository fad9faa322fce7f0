"""The merging of another branch into the one that is worked on: case by case through the gate, then all in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dsbuilder_tui.diversity.answer import Answer
from dsbuilder_tui.domain.branch import Branch
from dsbuilder_tui.domain.branch_merge import BranchMerge, UnmergedCase
from dsbuilder_tui.domain.case import AcceptedCase, Slot, display_text
from dsbuilder_tui.domain.case_pair import TAG as PAIR
from dsbuilder_tui.domain.case_pair import PairSide, PlannedPair, pair_of
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.evaluation import EASY
from dsbuilder_tui.domain.events import TEXT_LENGTH, PlanRevised
from dsbuilder_tui.domain.flags import COMPARED_BEGINNING, FLAGS
from dsbuilder_tui.domain.judging import verdict_of
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.merge_gate import MergeAnswer, MergeGate, OfferedCase
from dsbuilder_tui.session.documents import SessionDocuments
from dsbuilder_tui.session.files import check_plan
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.commit import history_row
from dsbuilder_tui.store.plans import RevisedPlan
from dsbuilder_tui.store.rows import CaseVerdict, CategoryProgress, Changes, HistoryRow, SlotUnstaged

_MOST_NAMED = 5
_EDITED = "case_edited"  # a line of history
_OF_ITS_BRANCH = (PAIR, FLAGS, COMPARED_BEGINNING, EASY)  # tags that speak of other cases there, or of results


@dataclass(slots=True)
class _Room:
    """The slots of a category here: its count, those that a revision has taken out, and those that a merge has added."""

    count: int
    retired: list[int]
    added: int = 0

    def add(self) -> int:
        """One slot more, as the plan will have it when its count is raised."""
        self.added += 1
        if self.added <= len(self.retired):
            return self.retired[self.added - 1]
        return self.count + self.added


@dataclass(slots=True)
class Merging:
    """One merge: what is to be written, as it comes together. ``plan`` has the categories of both branches."""

    context: SessionContext
    branch: Branch
    there: DatasetPlanInput
    plan: DatasetPlanInput
    gate: MergeGate
    rooms: dict[str, _Room]
    parted: int  # the place in the history up to which the two branches are one
    taken: dict[str, tuple[AcceptedCase, Answer | None]] = field(default_factory=dict)  # by their names here
    edits: list[tuple[AcceptedCase, AcceptedCase]] = field(default_factory=list)  # what a case says here, and there
    reopened: list[tuple[str, int]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of cases that are here, by what they are called there
    came: dict[str, str] = field(default_factory=dict)
    turned_away: list[UnmergedCase] = field(default_factory=list)
    shared: int = 0

    @classmethod
    async def begin(cls, context: SessionContext, branch: Branch) -> Merging:
        """Raises as ``MergeGate``. The gate is the caller's to close."""
        files = context.files
        assert branch.tip is not None
        _, there = await files.store.plans.of(await files.store.checkpoints.at(branch.tip))
        new = [c for c in there.categories if c.name not in {own.name for own in context.plan.categories}]
        plan = context.plan
        if new:
            data = plan.model_dump(mode="json", exclude={"total_instances"})
            data["categories"] += [category.model_dump(mode="json") for category in new]
            plan = parse_plan(data, "the plan")
        retired = await files.store.slots.retired()
        counts = {category.name: category.count for category in context.plan.categories}
        rooms = {
            c.name: _Room(counts.get(c.name, 0) + len(gone), gone)
            for c in plan.categories
            for gone in (sorted(retired.get(c.name, ())),)
        }
        gate = MergeGate(plan, context.config, files.store)
        return cls(context, branch, there, plan, gate, rooms, await files.store.past_cases.parted(branch.tip))

    async def take(self, chosen: Collection[str] | None) -> None:
        """Go through the cases of the other branch, those that are ``chosen`` by their names there, or all.

        Raises ``InputError`` for a name that no case has there; else as ``MergeGate``.
        """
        await self.gate.load()
        partners, known = list[AcceptedCase](), set[str]()
        assert self.branch.tip is not None
        names = [category.name for category in self.there.categories]
        async for page in self.context.files.store.past_cases.pages(self.branch.tip, names):
            mine = page if chosen is None else [case for case in page if case.case_id in chosen]
            known |= {case.case_id for case in mine} if chosen is not None else set()
            new = await self._not_here(page, {case.case_id for case in mine})
            partners += [case for case in new if _is_partner(case)]
            await self._offer([case for case in new if not _is_partner(case)])
        if chosen is not None and (strange := sorted(set(chosen) - known)):
            raise InputError(
                f"The branch {self.branch.name!r} has no case {', '.join(strange[:_MOST_NAMED])}.",
                "`dsbuilder compare` lists what is only there.",
            )
        for first in range(0, len(partners), 500):  # behind their originals
            await self._offer(partners[first : first + 500])

    async def _not_here(self, page: Sequence[AcceptedCase], mine: Collection[str]) -> list[AcceptedCase]:
        """Those of a page that are wanted and are no cases of this branch; what was edited there is edited here."""
        store = self.context.files.store
        here = {case.seq: case for case in await store.cases.by_seq([case.seq for case in page])}
        slots = await store.cases.in_slots([(case.category, case.ordinal) for case in page])
        new = []
        for case in page:
            own = here.get(case.seq) or slots.get((case.category, case.ordinal))
            if case.damaged:
                if case.case_id in mine:
                    self._turn_away(case, Stage.SCHEMA, "it is damaged")
            elif own is not None and _says_the_same(own, case):
                self.names[case.case_id] = own.case_id
                self.shared += case.case_id in mine
            elif own is not None and own.seq == case.seq:
                self.names[case.case_id] = own.case_id
                if case.case_id in mine:
                    await self._edit(own, case)
            elif case.case_id in mine:
                new.append(case)
        return new

    async def _edit(self, own: AcceptedCase, case: AcceptedCase) -> None:
        """A case of both says something else there."""
        store = self.context.files.store
        assert self.branch.tip is not None
        acts = await store.history.of_case(own.category, own.ordinal)
        if any(entry.kind == _EDITED and entry.seq > self.parted for entry in acts):
            if await store.past_cases.was_edited(self.branch.tip, case.category, case.ordinal):
                self._turn_away(case, Stage.PERSON, "it was edited on both branches", own.case_id)
            else:
                self.shared += 1  # it was edited here alone
        elif (unfit := self.gate.unfit(case)) is not None:
            self.turned_away.append(unfit)
        else:
            self.edits.append((own, case))

    async def _offer(self, cases: Sequence[AcceptedCase]) -> None:
        offered = [OfferedCase(case, await self._slot(case)) for case in cases]
        for answer in await self.gate.judge(offered):
            if answer.turned_away is not None:
                self.turned_away.append(answer.turned_away)
            else:
                await self._let_in(answer)

    async def _slot(self, case: AcceptedCase) -> Slot:
        attributes, pair = case.tags.get("attributes"), pair_of(case.tags)
        slot = Slot(
            case.category, case.ordinal, attributes=attributes if isinstance(attributes, dict) else {},
            passages=tuple(await SessionDocuments(self.context).passages_of(case.tags)), row=row_of(case.tags),
        )  # fmt: skip
        original = await self._original(pair.other) if pair is not None and pair.side is PairSide.PARTNER else None
        if pair is None or original is None:
            return slot
        return replace(slot, pair=PlannedPair(pair.relation, original.ordinal, pair.change), original=original)

    async def _original(self, named: str) -> AcceptedCase | None:
        """The case here that is called like this on the other branch."""
        name = self.names.get(named)
        if name is None or name in self.taken:
            return None if name is None else self.taken[name][0]
        category, _, ordinal = name.rpartition("-")
        return (await self.context.files.store.cases.slot_facts(category, int(ordinal))).case

    async def _let_in(self, answer: MergeAnswer) -> None:
        case = answer.offered.case
        tags = {key: value for key, value in case.tags.items() if key not in _OF_ITS_BRANCH}
        pair, original = pair_of(case.tags), answer.offered.slot.original
        if pair is not None and original is not None:
            tags[PAIR] = replace(pair, other=original.case_id).as_tag()
        new = replace(case, ordinal=await self._place(case), tags=tags, batch=0)
        if (found := answer.answer) is not None:
            self.gate.name(found, new)
            new = replace(new, structure=found.text, tags=tags | self.gate.tags(found))
        self.taken[new.case_id] = new, found
        self.names[case.case_id] = self.came[case.case_id] = new.case_id

    async def _place(self, case: AcceptedCase) -> int:
        """The case's own slot, where that is free; else one more."""
        room = self.rooms[case.category]
        if case.ordinal > room.count or case.ordinal in room.retired:
            return room.add()
        facts = await self.context.files.store.cases.slot_facts(case.category, case.ordinal)
        if facts.case is not None:
            return room.add()
        if facts.exhausted:
            self.reopened.append((case.category, case.ordinal))
        return case.ordinal

    def _turn_away(self, case: AcceptedCase, stage: Stage, reason: str, nearest: str | None = None) -> None:
        self.turned_away.append(UnmergedCase(case_id=case.case_id, stage=stage, reason=reason, nearest=nearest))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take over."""
        return not self.taken and not self.edits

    def revised(self) -> DatasetPlanInput | None:
        """The plan with room for what comes; None where the present one has. Raises ``PlanError`` for more cases than there may
        be."""
        added = {name: room.added for name, room in self.rooms.items() if room.added}
        if not added:
            return None
        was = {category.name: category.count for category in self.context.plan.categories}
        data: dict[str, Any] = self.plan.model_dump(mode="json", exclude={"total_instances"})
        data["categories"] = [c for c in data["categories"] if c["name"] in was or c["name"] in added]
        for category in data["categories"]:
            category["count"] = was.get(category["name"], 0) + added.get(category["name"], 0)
        plan = parse_plan(data, "the plan")
        check_plan(plan, self.context.config, there=self.context.files.imported.total)
        return plan

    def written(
        self, plan: DatasetPlanInput | None, progress: Mapping[str, CategoryProgress]
    ) -> tuple[RevisedPlan | None, Changes]:
        """What is to be written, with its places in the history: of a checkpoint that is written later all of it is part."""
        files, now, changes, revision = self.context.files, self.context.clock.now(), Changes(), None
        store, was = files.store, {category.name: category.count for category in self.context.plan.categories}
        if plan is not None:
            revision = RevisedPlan(plan, was, files.plan_revision + 1, store.next_seq(), now)
            none = CategoryProgress()
            counts = {c.name: {"planned": c.count, **asdict(progress.get(c.name, none))} for c in plan.categories}
            event = PlanRevised(
                ts=now, revision=revision.revision, planned=plan.total_instances, categories=counts
            )  # fmt: skip
            changes.history.append(history_row(store.next_seq(), event))
        for own, case in self.edits:
            tags = {key: value for key, value in case.tags.items() if key not in _OF_ITS_BRANCH}
            changes.edited.append(replace(case, tags=tags))
            data = {
                "seq": own.seq, "structure": own.structure, "branch": self.branch.name,
                "before": {"inputs": own.inputs, "expectations": own.expectations},
                "after": {"inputs": case.inputs, "expectations": case.expectations},
                "text": display_text(case.inputs)[:TEXT_LENGTH],
            }  # fmt: skip
            changes.history.append(
                HistoryRow(
                    seq=store.next_seq(), kind=_EDITED, data=data, created_at=now, category=own.category,
                    ordinal=own.ordinal,
                )
            )  # fmt: skip
        for taken, answer in self.taken.values():
            case = replace(taken, seq=store.next_seq(), created_at=now)
            if answer is not None:
                changes.likeness.append(self.gate.name(answer, case))
            changes.accepted.append(case)
            changes.staged.append(SlotUnstaged(case.category, case.ordinal))
        # The judge has read these cases: it is not asked again.
        changes.verdicts += [
            CaseVerdict(
                seq=store.next_seq(), category=case.category, ordinal=case.ordinal, case_seq=case.seq, inputs=case.inputs,
                expectations=case.expectations, verdict=verdict, created_at=now,
            )
            for case in (*changes.edited, *changes.accepted)
            if (verdict := verdict_of(case.tags)) is not None
        ]  # fmt: skip
        changes.reopened = self.reopened
        return revision, changes

    def result(self, checkpoint: int | None) -> BranchMerge:
        """What came of it."""
        return BranchMerge(
            branch=self.branch.name, came=self.came, edited=tuple(own.case_id for own, _ in self.edits), shared=self.shared,
            turned_away=tuple(self.turned_away), checkpoint=checkpoint,
        )  # fmt: skip


def _is_partner(case: AcceptedCase) -> bool:
    pair = pair_of(case.tags)
    return pair is not None and pair.side is PairSide.PARTNER


def _says_the_same(one: AcceptedCase, other: AcceptedCase) -> bool:
    return (one.inputs, one.expectations) == (other.inputs, other.expectations)
