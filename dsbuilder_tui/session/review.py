"""Review: a queue of the cases that deserve a person's look, and the person's decisions as labels."""

from __future__ import annotations

import getpass
import math
import random
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from itertools import zip_longest

from dsbuilder_tui.diversity.thresholds import SHORT_WORDS, rules_for
from dsbuilder_tui.domain.case import AcceptedCase, case_id
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.flags import flags_of
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from dsbuilder_tui.domain.review import (
    DEFAULT_QUEUE,
    MOST_QUEUE,
    ReviewDecision,
    ReviewItem,
    ReviewLabel,
    ReviewQueue,
    ReviewReason,
)
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.stage_record import StageResult, stage_records
from dsbuilder_tui.session.cases import SessionCases
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.decision_scores import Measure
from dsbuilder_tui.store.review_candidates import DECISION, Telling
from dsbuilder_tui.store.rows import Changes, HistoryRow

_SAMPLED = 0.25  # share of a queue that is drawn at random, so that what looks well is looked at too
_MOST_OF_A_KIND = 0.5  # share of the rest that one reason may take while others have something
_NEAR_LESS = 0.10  # how far below a threshold a case is a near miss
_REWRITTEN = 2  # times that a slot was turned away
_MOST_DRAWN = 2000  # slots of a category that are drawn
_NO_GOOD_END = (StageResult.KEPT, StageResult.NOT_JUDGED)


class SessionReview:
    """Finds what deserves a look, at rest and while the session runs, and writes down what comes of it.

    The queue is the same each time as long as cases and decisions are. It is bounded, whatever the size of the session.
    """

    def __init__(self, context: SessionContext, cases: SessionCases) -> None:
        self._context, self._cases = context, cases

    async def queue(
        self, *, category: str | None = None, most: int = DEFAULT_QUEUE, skipped: bool = False
    ) -> ReviewQueue:
        """Up to ``most`` cases (1 to 500) that nobody has decided about; those put off are in it with ``skipped`` alone.

        Raises ``InputError`` for a category that the plan does not have, or for another number.
        """
        names = self._context.categories()
        if category is not None and category not in names:
            raise InputError(f"There is no category {one_line(category, 80)!r}.", f"There are: {', '.join(names)}.")
        if not 1 <= most <= MOST_QUEUE:
            raise InputError(f"{most:,} cases cannot be reviewed at once.", f"Use 1 to {MOST_QUEUE}.")
        await self._context.written()
        wanted = names if category is None else [category]
        labels = [label for label in await self.labels() if label.category in wanted]
        put_off = {label.seq for label in labels if label.decision is ReviewDecision.SKIPPED}
        left_out = set() if skipped else put_off
        changed = {label.seq for label in labels if label.decision is ReviewDecision.EDITED}  # here, and so decided
        found: dict[ReviewReason, list[ReviewItem]] = {reason: [] for reason in ReviewReason}
        others: dict[int, int] = {}  # what a near miss is close to, by their places
        parts = [await self._telling(name, most + len(left_out), others, changed) for name in wanted]
        for reason, items in found.items():
            items += _in_turn([part.get(reason, []) for part in parts])
        found[ReviewReason.NEAR_MISS].sort(key=lambda item: ((item.threshold or 0) - (item.score or 0), item.seq))
        found[ReviewReason.REWRITTEN].sort(key=lambda item: (-item.attempts, item.seq))
        chosen = _chosen(found, most, left_out)
        if len(chosen) < most:
            sample = _in_turn([await self._sample(name, most + len(left_out) + len(chosen)) for name in wanted])
            known = {item.seq for item in chosen} | left_out
            chosen += [item for item in sample if item.seq not in known][: most - len(chosen)]
        return ReviewQueue(
            await self._named(chosen, others),
            reviewed=sum(label.decision is not ReviewDecision.SKIPPED for label in labels),
            skipped=0 if skipped else len(put_off),
        )

    async def decide(self, item: ReviewItem, decision: ReviewDecision, note: str = "") -> ReviewItem:
        """Carry a decision out, also in place of an earlier one, and remember it. Returns the item as it is to be decided
        anew.

        A case that is rejected goes and its slot opens, as by ``cases.withdraw``, with ``note`` as the reason; one that is
        kept after that comes back. For ``EDITED`` the case was changed before, by ``cases.edit``. Raises ``InputError`` for a
        case that is gone or cannot go.
        """
        case = await self._cases.get(item.category, item.ordinal)
        here, was = case is not None and case.seq == item.seq, item.seq
        verdict = verdict_of(case.tags) if case is not None and here else None
        match decision:
            case ReviewDecision.KEPT:
                if not here:
                    item, case = await self._brought_back(item)
                    verdict = verdict_of(case.tags)
                await self._cases.annotate(item.category, item.ordinal, reviewed=True)
            case ReviewDecision.REJECTED if here:
                await self._cases.withdraw(item.category, item.ordinal, note)
            case ReviewDecision.SKIPPED if here:
                await self._cases.annotate(item.category, item.ordinal, reviewed=False)
            case ReviewDecision.REJECTED:
                return item  # it is gone already
            case _ if not here:
                raise _gone(item)
        before = await self._found_before(was) if decision is ReviewDecision.EDITED else None
        finding = before or (verdict.finding if verdict is not None else None)
        await self._remember(item, decision, note, finding, was)
        return item

    async def labels(self) -> list[ReviewLabel]:
        """The decisions that stand, oldest first, the last one on each case.

        What was undone since is no label, and neither is one on a case that is gone for another reason.
        """
        candidates = self._context.files.store.review_candidates
        found: dict[int, ReviewLabel] = {}
        for data, category, ordinal, at in await candidates.decisions():
            found.pop(data["was"], None)
            found.pop(data["seq"], None)
            judged = data.get("judged")
            found[data["seq"]] = ReviewLabel(
                seq=data["seq"], category=category, ordinal=ordinal, decision=ReviewDecision(data["decision"]),
                reason=ReviewReason(data["reason"]), judged=Judgement(judged) if judged else None,
                note=data.get("note", ""), who=data.get("who", ""), decided_at=at,
            )  # fmt: skip
        standing = await candidates.standing(list(found))
        return [label for label in found.values() if _stands(label, standing.get(label.seq))]

    async def _found_before(self, seq: int) -> Judgement | None:
        """The judge's last word on a case, also when the case says something else by now."""
        return await self._context.files.store.verdicts.last_finding(seq)

    async def _brought_back(self, item: ReviewItem) -> tuple[ReviewItem, AcceptedCase]:
        rejection = await self._context.files.store.review_candidates.taken_out(item.seq)
        if rejection is None:
            raise _gone(item)
        case = await self._cases.keep_rejected(rejection)
        return replace(item, seq=case.seq), case

    async def _remember(
        self, item: ReviewItem, decision: ReviewDecision, note: str, judged: Judgement | None, was: int
    ) -> None:
        store, now = self._context.files.store, self._context.clock.now()
        data = {
            "seq": item.seq, "was": was, "decision": decision.value, "reason": item.reason.value,
            "judged": judged.value if judged is not None else None, "note": one_line(note, 500), "who": _who(),
        }  # fmt: skip

        async def write() -> None:
            line = HistoryRow(
                seq=store.next_seq(), kind=DECISION, data=data, created_at=now, category=item.category,
                ordinal=item.ordinal,
            )  # fmt: skip
            await store.commit(Changes(history=[line]))

        await self._context.whole(write)

    # What there is to be looked at

    async def _telling(
        self, category: str, most: int, others: dict[int, int], changed: Set[int]
    ) -> dict[ReviewReason, list[ReviewItem]]:
        """What a category has, by reason; of each not many more than ``most``."""
        candidates = self._context.files.store.review_candidates
        found: dict[ReviewReason, list[ReviewItem]] = {reason: [] for reason in ReviewReason}
        for one in await candidates.telling(category, most):
            for item in _said_by_tags(category, one):
                found[item.reason].append(item)
        for finding, reason in (
            (Judgement.BAD, ReviewReason.JUDGED_BAD),
            (Judgement.NOT_JUDGED, ReviewReason.NOT_JUDGED),
        ):
            found[reason] += [
                ReviewItem(seq=seq, category=category, ordinal=ordinal, reason=reason)
                for seq, ordinal in await candidates.judged(category, finding, most)
            ]
        found[ReviewReason.NEAR_MISS] += await self._near(category, most, others)
        found[ReviewReason.REWRITTEN] += [
            ReviewItem(seq=seq, category=category, ordinal=ordinal, reason=ReviewReason.REWRITTEN, attempts=times)
            for seq, ordinal, times in await candidates.rewritten(category, _REWRITTEN, most)
        ]
        found[ReviewReason.EDITED] += [
            ReviewItem(seq=seq, category=category, ordinal=ordinal, reason=ReviewReason.EDITED)
            for seq, ordinal in await candidates.edited(category, most + len(changed))
            if seq not in changed
        ]
        return found

    async def _near(self, category: str, most: int, others: dict[int, int]) -> list[ReviewItem]:
        context = self._context
        rules = rules_for(context.config, context.plan.category(category))
        of_short = rules.near_for(0)
        measures = {
            _below(Stage.SEMANTIC, rules.semantic, rules.semantic): (rules.semantic, rules.semantic),
            _below(Stage.NEAR, rules.near, of_short): (rules.near, of_short),
        }
        items = []
        for measure, thresholds in measures.items():
            if measure.stage not in rules.stages:
                continue
            for miss in await context.files.store.review_candidates.near(category, measure, most):
                others[miss.seq] = miss.other_seq or 0
                items.append(
                    ReviewItem(
                        seq=miss.seq, category=category, ordinal=miss.ordinal, reason=ReviewReason.NEAR_MISS,
                        stage=measure.stage, score=miss.score, threshold=thresholds[miss.short],
                    )
                )  # fmt: skip
        return items

    async def _named(self, items: Sequence[ReviewItem], others: dict[int, int]) -> list[ReviewItem]:
        """The near misses with the ids of the cases that they are close to."""
        near = {item.seq: others[item.seq] for item in items if item.reason is ReviewReason.NEAR_MISS}
        slots = await self._context.files.store.review_candidates.slots_of(near.values())
        return [
            replace(item, other=case_id(*slots[near[item.seq]])) if near.get(item.seq) in slots else item
            for item in items
        ]

    async def _sample(self, category: str, most: int) -> list[ReviewItem]:
        """Cases of a category in an order that the session's seed draws."""
        candidates = self._context.files.store.review_candidates
        last = await candidates.last_slot(category)
        drawn = random.Random(f"{self._context.files.seed}/{category}").sample(
            range(1, last + 1), min(last, _MOST_DRAWN)
        )
        found = await candidates.at(category, drawn)
        return [
            ReviewItem(seq=found[ordinal], category=category, ordinal=ordinal, reason=ReviewReason.SAMPLE)
            for ordinal in drawn
            if ordinal in found
        ][:most]


def _below(stage: Stage, threshold: float, of_short: float) -> Measure:
    """From which score on a case is a near miss of a stage."""
    return Measure(stage, round(threshold - _NEAR_LESS, 4), round(of_short - _NEAR_LESS, 4), SHORT_WORDS)


def _said_by_tags(category: str, one: Telling) -> Iterable[ReviewItem]:
    """What the tags of a case give as reasons: its gravest flag, and a stage that came to no good end."""
    reasons = {"contradiction": ReviewReason.CONTRADICTION, "contrast": ReviewReason.CONTRAST}
    for flag in flags_of(one.tags)[:1]:
        if (reason := reasons.get(flag.kind)) is not None:  # what is just similar is known by its score
            yield ReviewItem(
                seq=one.seq, category=category, ordinal=one.ordinal, reason=reason, other=flag.case_id, stage=flag.stage,
                score=flag.score,
            )  # fmt: skip
    if any(record.result in _NO_GOOD_END for record in stage_records(one.tags)):
        yield ReviewItem(seq=one.seq, category=category, ordinal=one.ordinal, reason=ReviewReason.UNSURE)


def _in_turn(lists: Sequence[Sequence[ReviewItem]]) -> list[ReviewItem]:
    """One of each list after the other, so that none stands before all others."""
    return [item for row in zip_longest(*lists) for item in row if item is not None]


def _chosen(found: dict[ReviewReason, list[ReviewItem]], most: int, left_out: set[int]) -> list[ReviewItem]:
    """What goes into the queue besides its sample: each case once, for its gravest reason."""
    room = most - math.ceil(most * _SAMPLED)
    known, first, later = set(left_out), list[ReviewItem](), list[ReviewItem]()
    for items in found.values():
        own = []
        for item in items:
            if item.seq not in known:
                known.add(item.seq)
                own.append(item)
        share = max(1, int(room * _MOST_OF_A_KIND))
        first += own[:share]
        later += own[share:]
    order = list(ReviewReason)
    return sorted((first + later)[:room], key=lambda item: order.index(item.reason))


def _stands(label: ReviewLabel, marked: bool | None) -> bool:
    """Whether a case is as a decision left it. ``marked``: whether it bears a person's mark, None when it is not there."""
    if label.decision is ReviewDecision.REJECTED:
        return marked is None
    return marked is not None and marked == (label.decision is not ReviewDecision.SKIPPED)


def _gone(item: ReviewItem) -> InputError:
    return InputError(f"{item.case_id} is not there any more.", "It was taken out or written anew meanwhile.")


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return ""
