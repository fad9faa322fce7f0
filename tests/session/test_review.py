"""The review queue: what deserves a look and why, bounded and the same each time; and decisions as labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.review import ReviewDecision, ReviewItem, ReviewReason
from dsbuilder_tui.domain.stage_record import TAG, StageRecord, StageResult
from dsbuilder_tui.domain.writing_stage import WritingStage
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.store.rows import CaseLikeness, Changes
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
C = "category_1"


async def test_the_queue_is_bounded_ordered_and_the_same_each_time(make_config: Configs) -> None:
    plan = DatasetPlanInput(
        dataset_name="support",
        categories=[
            DatasetCategory(name="orders", count=60, example_inputs=["Where is my order #12345?"]),
            DatasetCategory(name="refunds", count=60, example_inputs=["I want a refund for order #12345."]),
        ],
    )
    async with await Session.create(plan, make_config()) as session:
        await session.run()
        queue = await session.review.queue(most=20)
        assert len(queue.items) == 20 == len({item.seq for item in queue.items})
        order = [list(ReviewReason).index(item.reason) for item in queue.items]
        assert order == sorted(order) and (queue.reviewed, queue.skipped) == (0, 0)
        assert await session.review.queue(most=20) == queue
        sample = [item for item in queue.items if item.reason is ReviewReason.SAMPLE]
        assert len(sample) >= 5 and {item.category for item in sample} == {"orders", "refunds"}
        only = await session.review.queue(category="refunds", most=500)
        assert {item.category for item in only.items} == {"refunds"} and len(only.items) == 60
        for wrong, words in (
            ({"category": "reefunds"}, "no category"),
            ({"most": 0}, "cannot be"),
            ({"most": 501}, "501"),
        ):
            with pytest.raises(InputError, match=words):
                await session.review.queue(**wrong)  # type: ignore[arg-type]


async def test_decisions_are_acts_and_labels_that_stay(make_config: Configs, make_plan: Plans, tmp_path: Path) -> None:
    config = make_config()
    async with await Session.create(make_plan(20), config) as session:
        await session.run()
        kept, rejected, edited, skipped, turned = (await session.review.queue(most=5)).items
        review, cases = session.review, session.cases
        await review.decide(kept, ReviewDecision.KEPT)
        await review.decide(rejected, ReviewDecision.REJECTED, "too dull")
        await cases.edit(C, edited.ordinal, {"query": "Mended by a person?"}, {"polite": True})
        await review.decide(edited, ReviewDecision.EDITED)
        await review.decide(skipped, ReviewDecision.SKIPPED)
        back = await review.decide(turned, ReviewDecision.REJECTED)
        assert await cases.get(C, turned.ordinal) is None, "its slot is open"
        again = await review.decide(back, ReviewDecision.KEPT)  # another mind
        assert again.seq != turned.seq and (await cases.get(C, turned.ordinal)) is not None
        assert await review.decide(rejected, ReviewDecision.REJECTED) == rejected, "it is gone already"
        for decision in (ReviewDecision.EDITED, ReviewDecision.SKIPPED):
            with pytest.raises(InputError, match="not there any more"):
                await review.decide(rejected, decision)
    async with await Session.open(None, config) as session:  # they stay
        labels = {label.ordinal: label for label in await session.review.labels()}
        assert {ordinal: label.decision for ordinal, label in labels.items()} == {
            kept.ordinal: ReviewDecision.KEPT, rejected.ordinal: ReviewDecision.REJECTED,
            edited.ordinal: ReviewDecision.EDITED, skipped.ordinal: ReviewDecision.SKIPPED,
            turned.ordinal: ReviewDecision.KEPT,
        }  # fmt: skip
        told = labels[rejected.ordinal]
        assert (told.note, told.judged, told.reason) == ("too dull", None, rejected.reason) and told.decided_at > 0
        newest = (await session.rejections.newest())[0]
        assert newest.stage == "person"
        marked = [seq async for step in session.cases.search(reviewed=True) for seq in step.seqs]
        assert sorted(marked) == sorted([kept.seq, again.seq])
        await session.export(tmp_path / "out.jsonl")
        assert (tmp_path / "out.jsonl").read_bytes().count(b'"reviewed":true') == 2
        rest = await session.review.queue(most=500)
        assert {item.ordinal for item in rest.items} == set(range(1, 21)) - set(labels)
        assert (rest.reviewed, rest.skipped) == (4, 1)
        assert skipped.seq in {item.seq for item in (await session.review.queue(most=500, skipped=True)).items}
        # What is taken back is no label any more, and is to be looked at again.
        await session.cases.annotate(C, kept.ordinal, reviewed=False)
        assert kept.ordinal not in {label.ordinal for label in await session.review.labels()}
        assert kept.seq in {item.seq for item in (await session.review.queue(most=500)).items}
        await session.run()  # the slot that was opened is written anew, and is to be looked at
        anew = await session.cases.get(C, rejected.ordinal)
        assert anew is not None and anew.seq != rejected.seq
        assert rejected.ordinal in {label.ordinal for label in await session.review.labels()}
        assert [event async for event in recorded_events(session)][-1].type == "run_finished"


async def test_what_was_changed_by_hand_is_worth_a_look_until_somebody_decides(
    make_config: Configs, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(12), make_config()) as session:
        await session.run()
        for ordinal in (3, 7, 9):
            await session.cases.edit(C, ordinal, {"query": f"Mended by hand, {ordinal}?"}, {"polite": True})
        await session.cases.annotate(C, 9, pinned=True)  # a decision, too

        async def changed() -> dict[int, ReviewItem]:
            items = (await session.review.queue(most=12)).items
            return {item.ordinal: item for item in items if item.reason is ReviewReason.EDITED}

        found = await changed()
        assert list(found) == [7, 3], "the last change first"
        await session.review.decide(found[7], ReviewDecision.KEPT)
        assert list(await changed()) == [3]
        await session.review.decide(found[3], ReviewDecision.EDITED)
        assert not await changed()
        await session.undo_log.undo()  # the keeping: the last act on a case
        assert list(await changed()) == [7]


async def test_decisions_are_undone_and_done_again(make_config: Configs, make_plan: Plans) -> None:
    async with await Session.create(make_plan(6), make_config()) as session:
        await session.run()
        kept, rejected, *_ = (await session.review.queue(most=6)).items

        async def standing() -> dict[int, ReviewDecision]:
            return {label.ordinal: label.decision for label in await session.review.labels()}

        async def marked() -> bool:
            case = await session.cases.get(C, kept.ordinal)
            return case is not None and bool(case.tags.get("reviewed"))

        await session.review.decide(kept, ReviewDecision.KEPT)
        assert await marked() and await standing() == {kept.ordinal: ReviewDecision.KEPT}
        await session.review.decide(rejected, ReviewDecision.REJECTED, "too dull")
        assert await session.cases.get(C, rejected.ordinal) is None
        await session.undo_log.undo()
        assert await session.cases.get(C, rejected.ordinal) is not None
        assert await standing() == {kept.ordinal: ReviewDecision.KEPT} and await marked()
        await session.undo_log.undo()
        assert not await marked() and await standing() == {}
        assert {kept.seq, rejected.seq} <= {item.seq for item in (await session.review.queue(most=6)).items}
        await session.undo_log.redo()
        assert await marked() and await standing() == {kept.ordinal: ReviewDecision.KEPT}
        await session.undo_log.redo()
        assert await session.cases.get(C, rejected.ordinal) is None
        assert await standing() == {kept.ordinal: ReviewDecision.KEPT, rejected.ordinal: ReviewDecision.REJECTED}


async def test_decisions_agree_with_the_judge_or_do_not(
    fake: FakeOpenAI, make_config: Configs, make_plan: Plans
) -> None:
    wrong: list[str] = []

    def is_bad(case: dict[str, Any]) -> bool:
        text = str(case["inputs"]["query"])
        if len(wrong) < 3 and text not in wrong:
            wrong.append(text)
        return text in wrong

    fake.judge.bad = is_bad
    config = make_config(base_url=fake.url, api_key="k", judge="sample", batch_size=10, max_workers=1)
    async with await Session.create(make_plan(20), config) as session:
        await session.run()
        queue = await session.review.queue(most=12)
        bad = [item for item in queue.items if item.reason is ReviewReason.JUDGED_BAD]
        good = [item for item in queue.items if item.reason is ReviewReason.SAMPLE]
        assert len(bad) == 3 and len(good) >= 3
        await session.review.decide(bad[0], ReviewDecision.REJECTED)  # agrees
        await session.review.decide(bad[1], ReviewDecision.KEPT)  # does not
        await session.review.decide(good[0], ReviewDecision.KEPT)  # agrees
        await session.cases.edit(C, good[1].ordinal, {"query": "Mended by a person?"}, {"polite": True})
        await session.review.decide(good[1], ReviewDecision.EDITED)  # does not
        found = [(label.judged, label.agrees) for label in await session.review.labels()]
        assert found == [
            (Judgement.BAD, True), (Judgement.BAD, False), (Judgement.GOOD, True), (Judgement.GOOD, False),
        ]  # fmt: skip
        agreement = await session.verdicts.agreement()
        assert [(one.judged_good, one.person_good) for one in agreement.labels] == [
            (False, False), (False, True), (True, True), (True, False),
        ]  # fmt: skip
        # Another mind: what was rejected is back and is good, and what was kept is to be looked at later.
        await session.review.decide(bad[0], ReviewDecision.KEPT)
        await session.review.decide(good[0], ReviewDecision.SKIPPED)
        agreement = await session.verdicts.agreement()
        assert [(one.judged_good, one.person_good) for one in agreement.labels] == [
            (False, True), (True, False), (False, True),
        ]  # fmt: skip
        assert "is good; it was found bad" in agreement.rubric_examples()


async def test_tries_are_a_reason_and_so_is_a_stage_without_a_good_end(make_config: Configs, make_plan: Plans) -> None:
    async with await Session.create(make_plan(10), make_config()) as session:
        await session.run()
        for _ in range(2):
            await session.cases.withdraw(C, 3)
            await session.run()
        case = await session.cases.get(C, 5)
        assert case is not None
        record = StageRecord(WritingStage.EVOLVE, StageResult.KEPT, "m", words="no answer")
        doubtful = replace(case, tags={**case.tags, TAG: [record.as_tag()], "flags": [{"kind": "contradiction"}]})
        await session._context.files.store.commit(Changes(edited=[doubtful]))
        items = {item.ordinal: item for item in (await session.review.queue(most=500)).items}
        assert (items[3].reason, items[3].attempts) == (ReviewReason.REWRITTEN, 2)
        assert items[5].reason is ReviewReason.UNSURE, "what is no flag is passed over"
        assert len(items) == 10


async def test_near_misses_are_measured_against_the_threshold_of_their_length(
    make_config: Configs, make_plan: Plans
) -> None:
    words = " ".join(f"word{number}" for number in range(30))
    async with await Session.create(make_plan(9), make_config(near_threshold=0.7)) as session:
        store = session._context.files.store

        def case(ordinal: int, text: str, **tags: Any) -> AcceptedCase:
            return AcceptedCase(store.next_seq(), C, ordinal, {"query": text}, {}, tags, 1.0)

        cases = [
            case(1, words), case(2, f"{words} more"), case(3, f"{words} far"), case(4, "Just like it?"),
            case(5, "Not like it?"), case(6, "Like it, and liked!", pinned=True), case(7, "As an example"),
        ]  # fmt: skip
        first = cases[0].seq
        near = zip(
            cases[1:], (0.65, 0.55, 0.55, 0.45, 0.59, 0.58), (first, first, first, first, first, None), strict=True
        )
        likeness = [CaseLikeness(one.seq, score, other, None, None) for one, score, other in near]
        await store.commit(Changes(accepted=cases, likeness=likeness))
        items = [i for i in (await session.review.queue()).items if i.reason is ReviewReason.NEAR_MISS]
        assert [(i.ordinal, i.score, i.threshold, i.other) for i in items] == [
            (7, 0.58, 0.6, ""), (2, 0.65, 0.7, f"{C}-00001"), (4, 0.55, 0.6, f"{C}-00001"),
        ]  # fmt: skip
