"""Flags in the tags of a case, in words."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.flags import CaseFlag, flag_words, flags_of


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (CaseFlag("contrast", "refunds-00012", "semantic", 0.93, ("quantity",)),
         "Close to refunds-00012 (0.93, semantic) but kept: the quantity differs."),
        (CaseFlag("contrast", "a-00001", "near", 0.8, ("negation", "direction", "expectations")),
         "Close to a-00001 (0.80, near) but kept: the negation, the direction and the expectations differ."),
        (CaseFlag("contrast", "a-00001"), "Close to a-00001 but kept."),
        (CaseFlag("similar", "a-00001", "semantic", 0.88), "Close to a-00001 (0.88, semantic), though not close enough to be a repeat."),
        (CaseFlag("contradiction", "a-00001", "structural", 1.0, ("expectations",)),
         "Contradiction: a-00001 has the same text with other expectations."),
    ],
)  # fmt: skip
def test_a_flag_says_what_it_means(flag: CaseFlag, words: str) -> None:
    assert flag_words(flag) == words


def test_the_most_serious_flag_comes_first() -> None:
    given = [{"kind": kind, "case_id": f"a-{n}"} for n, kind in enumerate(("similar", "contrast", "contradiction"))]
    assert [flag.kind for flag in flags_of({"flags": given})] == ["contradiction", "contrast", "similar"]
    whole = {"kind": "contrast", "case_id": "a-1", "stage": "near", "score": 0.8, "differs": ["quantity"]}
    assert flags_of({"flags": [whole]}) == (CaseFlag("contrast", "a-1", "near", 0.8, ("quantity",)),)


@pytest.mark.parametrize(
    "tags",
    [
        {}, {"flags": None}, {"flags": "contrast"}, {"flags": [1, "x", None, {}]}, {"flags": {"kind": "contrast"}},
        {"flags": [{"kind": "odd", "case_id": "a"}, {"kind": ["contrast"], "case_id": "a"}, {"kind": "contrast"}]},
    ],
)  # fmt: skip
def test_what_is_no_flag_is_passed_over(tags: dict[str, Any]) -> None:
    assert flags_of(tags) == ()


def test_odd_values_in_a_flag_do_no_harm() -> None:
    odd = {"kind": "contrast", "case_id": 7, "stage": None, "score": "high", "differs": "quantity"}
    assert flags_of({"flags": [odd, {**odd, "score": True}]}) == (CaseFlag("contrast", "7"),) * 2
