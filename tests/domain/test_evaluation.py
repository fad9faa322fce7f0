"""What counts as passed, and where an application fails most."""

from __future__ import annotations

import math

import pytest

from dsbuilder_tui.domain.evaluation import (
    Assessment,
    CaseOutcome,
    CaseResult,
    FailingCell,
    PassCount,
    share_out,
    wilson_lower,
    worst_first,
)


@pytest.mark.parametrize(
    ("value", "passed"),
    [(True, True), (False, False), ("yes", True), (" No ", False), ("maybe", None), (0.7, True), (0.69, False),
     (math.nan, None), (None, None), ("", None)],
)  # fmt: skip
def test_yes_and_no_in_all_shapes(value: bool | float | str | None, passed: bool | None) -> None:
    assert Assessment("one", value).passed({"one": 0.7}) is passed
    assert Assessment("one", value, broken=True).passed({"one": 0.7}) is None
    if isinstance(value, float):
        assert Assessment("other", value).passed({"one": 0.7}) is None


def test_one_no_fails_a_case_and_an_error_stands_above_all() -> None:
    yes, no, number = Assessment("a", True), Assessment("b", "no"), Assessment("c", 3.0)

    def outcome(*scores: Assessment, raised: bool = False) -> CaseOutcome:
        return CaseResult(case_seq=1, raised=raised, scores=scores).outcome({})

    assert outcome(yes, no) is CaseOutcome.FAILED and outcome(yes, number) is CaseOutcome.PASSED
    assert outcome(number) is CaseOutcome.UNSCORED and outcome(yes, raised=True) is CaseOutcome.ERROR


def test_the_certain_share_grows_with_what_was_seen() -> None:
    assert wilson_lower(0, 0) == 0 and wilson_lower(0, 50) == 0
    assert wilson_lower(1, 1) == pytest.approx(0.5) and wilson_lower(5, 5) == pytest.approx(5 / 6)
    assert wilson_lower(1, 10) < wilson_lower(10, 100) < wilson_lower(1000, 10_000) < 0.1


def test_cells_are_ranked_by_it_and_share_by_their_failures() -> None:
    def cell(category: str, passed: int, failed: int, errors: int = 0) -> FailingCell:
        many = failed + errors
        return FailingCell(
            category, {"tone": f"{passed}{failed}"}, PassCount(passed, failed, errors), tuple(range(many))
        )

    bad, mixed, single, fine = cell("a", 0, 5), cell("a", 3, 2, 1), cell("b", 0, 1), cell("b", 9, 0)
    ranked = worst_first([fine, single, mixed, bad], {"a": PassCount(3, 7, 1), "b": PassCount(9, 1)})
    assert ranked == [bad, single, mixed]
    shares = share_out(ranked, 30)
    assert sum(many for _, many in shares) == 30
    assert [many for _, many in shares] == [16, 4, 10]  # one each, and 27 by 5 : 1 : 3
    assert share_out(ranked, 2) == [(bad, 1), (single, 1)] and share_out([], 5) == []
