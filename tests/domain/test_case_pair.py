"""Shares of partners in a plan, and the tag of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import load_plan
from dsbuilder_tui.domain.case_pair import CasePair, ContrastChange, PairKind, PairSide, pair_of
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, changes, patched


def plan(**category: Any) -> DatasetPlanInput:
    return parse_plan({"dataset_name": "pairs", "categories": [{"name": "a", "count": 100, **category}]})


@pytest.mark.parametrize("written", ["10 %", "10%", 0.1, "0.1", 10, "10 percent", "10 per cent", "10,0 %", "0,1"])
def test_a_share_is_written_in_many_ways(written: Any) -> None:
    assert plan(contrast=written).categories[0].contrast == 0.1
    Path("plan.yaml").write_text(
        f"dataset_name: p\ncategories:\n  - {{name: a, count: 50, same: {written if not isinstance(written, str) else repr(written)}}}\n"
    )
    assert load_plan("plan.yaml").categories[0].pairs.counts(50) == {PairKind.SAME: 5}


@pytest.mark.parametrize("none", [0, "0 %", None, False])
def test_no_share_is_not_written_down(none: Any) -> None:
    parsed = plan(contrast=none, same=none)
    assert parsed == plan() and "contrast" not in parsed.model_dump_json()


def test_a_plan_with_pairs_is_kept_and_changed() -> None:
    with_pairs = plan(contrast="7.5 %", same=0.05)
    assert parse_plan(with_pairs.model_dump(mode="json")) == with_pairs
    for before, after in ((plan(), with_pairs), (with_pairs, plan()), (with_pairs, plan(same=0.05))):
        patch = PlanPatch.model_validate(PlanPatch.between(before, after).arguments())
        assert patched(before, patch, {}).plan == after
        assert "~ a: contrast changed" in changes(before, after)
    words = PlanPatch.model_validate({"change": [{"category": "a", "contrast": "20 %"}]})
    assert patched(plan(), words, {}).plan.categories[0].contrast == 0.2


@pytest.mark.parametrize(("count", "shares", "wanted"), [
    (100, (0.1, 0.0), (10, 0)), (100, (0.1, 0.05), (10, 5)), (19, (0.1, 0.0), (1, 0)), (5, (0.1, 0.0), (0, 0)),
    (30, (0.0, 0.5), (0, 15)), (7, (0.25, 0.25), (2, 1)), (1_000_000, (0.0001, 0.0), (100, 0)),
])  # fmt: skip
def test_half_a_pair_is_none(count: int, shares: tuple[float, float], wanted: tuple[int, int]) -> None:
    counts = plan(contrast=shares[0], same=shares[1]).categories[0].pairs.counts(count)
    assert (counts.get(PairKind.CONTRAST, 0), counts.get(PairKind.SAME, 0)) == wanted


def test_a_tag_is_read_as_it_was_written_and_nothing_else_is_one() -> None:
    own = CasePair(
        id="a-00001", relation=PairKind.CONTRAST, side=PairSide.PARTNER, other="a-00001", change=ContrastChange.AMOUNT,
        changed="$40 instead of $4,000",
    )  # fmt: skip
    assert pair_of({"pair": own.as_tag()}) == own
    assert pair_of({"pair": own.mirrored("a-00010").as_tag()}) == own.mirrored("a-00010")
    assert own.mirrored("a-00010").mirrored("a-00001") == own
    for bad in (None, "a-00001", [], {}, {"id": "x"}, {**own.as_tag(), "kind": "twins"}, {**own.as_tag(), "change": 3}):
        assert pair_of({"pair": bad}) is None
