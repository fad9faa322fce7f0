"""Another threshold, tried on what was decided already."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.whatif import Flip, WhatIf
from tests.support.likeness import accept, reject

Plans = Callable[..., DatasetPlanInput]
C, D = "category_1", "category_2"
LONG = "I would like to know where the parcel is that I have been waiting for"


def seqs(flips: tuple[Flip, ...]) -> list[int]:
    return [flip.seq for flip in flips]


def counts(found: WhatIf) -> tuple[int, int, int, int]:
    return found.passing, found.rejected, found.falling, found.accepted


async def test_a_threshold_turns_around_what_its_scores_say(make_plan: Plans) -> None:
    async with await Session.create(make_plan(20, 20)) as session:
        cases = await accept(session, C, ["one", "two", "three", "four"], semantic=[None, 0.81, 0.90, 0.9199])
        first = await reject(session, C, "semantic", [0.92, 0.95, 0.97], nearest=cases[0], slot=9)
        other = await reject(session, D, "semantic", [0.96], nearest=cases[0], threshold=0.95, slot=2)
        await reject(session, C, "near", [0.75], nearest=cases[0], threshold=0.7, slot=10)
        await reject(session, C, "structural", [1.0], nearest=cases[0], threshold=1.0, slot=11)

        same = await session.diversity.what_if("semantic", 0.92)
        assert counts(same) == (0, 4, 0, 3)
        higher = await session.diversity.what_if("semantic", 0.96)
        assert counts(higher) == (2, 4, 0, 3)
        assert seqs(higher.passes) == [first[1].seq, first[0].seq]  # 0.95 is nearer to the threshold than 0.92
        assert higher.passes[0] == Flip(
            seq=first[1].seq,
            category=C,
            ordinal=9,
            text=first[1].text,
            score=0.95,
            threshold=0.92,
            nearest_seq=cases[0].seq,
            nearest_case_id="category_1-00001",
        )
        lower = await session.diversity.what_if("semantic", 0.90)
        assert counts(lower) == (0, 4, 2, 3)
        assert lower.falls == (
            Flip(
                seq=cases[2].seq,
                category=C,
                ordinal=3,
                text="three",
                score=0.90,
                threshold=None,
                nearest_seq=cases[0].seq,
                nearest_case_id="category_1-00001",
            ),
            Flip(
                seq=cases[3].seq,
                category=C,
                ordinal=4,
                text="four",
                score=0.9199,
                threshold=None,
                nearest_seq=cases[0].seq,
                nearest_case_id="category_1-00001",
            ),
        )
        scores = higher.scores
        assert {n: c for n, c in enumerate(scores.rejected) if c} == {92: 1, 95: 1, 96: 1, 97: 1}
        assert {n: c for n, c in enumerate(scores.accepted) if c} == {81: 1, 90: 1, 91: 1}

        # In one category alone, whatever threshold its rejections had failed.
        assert counts(await session.diversity.what_if("semantic", 0.97, category=D)) == (1, 1, 0, 0)
        assert seqs((await session.diversity.what_if("semantic", 0.97, category=D)).passes) == [other[0].seq]
        assert counts(await session.diversity.what_if("semantic", 0.97, category="nothing")) == (0, 0, 0, 0)
        few = await session.diversity.what_if("semantic", 1.0, most=1)
        assert few.passing == 4 and seqs(few.passes) == [first[2].seq]


async def test_what_is_gone_since_is_not_counted_and_still_named(make_plan: Plans) -> None:
    async with await Session.create(make_plan(20)) as session:
        cases = await accept(session, C, ["one", "two", "three"], semantic=[None, 0.9, 0.91])
        assert counts(await session.diversity.what_if("semantic", 0.89)) == (0, 0, 2, 2)
        await session.cases.withdraw(C, 2)
        assert counts(await session.diversity.what_if("semantic", 0.89)) == (0, 0, 1, 1)
        await session.cases.withdraw(C, 1)
        (left,) = (await session.diversity.what_if("semantic", 0.89)).falls
        assert (left.seq, left.nearest_case_id) == (cases[2].seq, "category_1-00001")


async def test_short_texts_have_a_lower_threshold_in_the_near_stage(make_plan: Plans) -> None:
    async with await Session.create(make_plan(20)) as session:
        cases = await accept(session, C, [LONG, f"{LONG} so", "my parcel now", "stop"], near=[None, 0.65, 0.55, 0.49])
        short = await reject(session, C, "near", [0.62], nearest=cases[0], threshold=0.6, text="where is it", slot=9)
        long = await reject(session, C, "near", [0.72], nearest=cases[0], threshold=0.7, slot=9)
        assert counts(await session.diversity.what_if("near", 0.7)) == (0, 2, 0, 3)  # as it was decided
        higher = await session.diversity.what_if("near", 0.73)
        assert seqs(higher.passes) == [long[0].seq, short[0].seq]
        assert seqs((await session.diversity.what_if("near", 0.71)).passes) == []
        assert seqs((await session.diversity.what_if("near", 0.65)).falls) == [cases[1].seq, cases[2].seq]
        assert seqs((await session.diversity.what_if("near", 0.66)).falls) == []
        assert seqs((await session.diversity.what_if("near", 0.61)).falls) == [cases[1].seq, cases[2].seq]
        assert seqs((await session.diversity.what_if("near", 0.58)).falls) == [cases[2].seq, cases[1].seq, cases[3].seq]


async def test_at_the_threshold_in_force_a_real_run_would_have_been_as_it_was() -> None:
    axes = {"length": ("short",), "tone": ("neutral",)}
    narrow = DatasetCategory(name=C, count=40, example_inputs="Stop it", attributes=axes)
    plan = DatasetPlanInput(dataset_name="repeats", categories=[narrow])
    async with await Session.create(plan, DatasetBuilderConfig(max_attempts=2, seed=5)) as session:
        await session.run()
        near = await session.diversity.what_if("near", session.diversity.threshold("near"))
        assert near.rejected and near.accepted and (near.passing, near.falling) == (0, 0)
        semantic = await session.diversity.what_if("semantic", session.diversity.threshold("semantic"))
        assert semantic.accepted and (semantic.passing, semantic.falling) == (0, 0)
        stricter = await session.diversity.what_if("semantic", 0.7)
        looser = await session.diversity.what_if("near", 1.0)
        assert stricter.falling and looser.passing == near.rejected


@pytest.mark.parametrize(
    ("stage", "threshold"), [("structural", 0.9), ("semantic", 0.0), ("near", 1.01), ("near", float("nan"))]
)
async def test_what_is_no_threshold_is_said(make_plan: Plans, stage: str, threshold: float) -> None:
    async with await Session.create(make_plan(3)) as session:
        with pytest.raises(InputError):
            await session.diversity.what_if(stage, threshold)  # type: ignore[arg-type]


async def test_the_threshold_in_force_is_the_categorys_own_where_it_has_one() -> None:
    own = DatasetCategory(name="a", count=2, example_inputs="x", diversity=CategoryDiversity(near=0.8, semantic=0.97))
    plan = DatasetPlanInput(dataset_name="d", categories=[own, DatasetCategory(name="b", count=2, example_inputs="x")])
    async with await Session.create(plan, DatasetBuilderConfig(semantic_threshold=0.9)) as session:
        found = [
            session.diversity.threshold(stage, name) for stage in ("near", "semantic") for name in ("a", "b", None)
        ]
        assert found == [0.8, 0.7, 0.7, 0.97, 0.9, 0.9]
