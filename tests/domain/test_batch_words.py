"""A batch told in words."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.batch_words import BatchFacts, BatchFigures, batch_words
from dsbuilder_tui.domain.call_outcome import CALL_ENDINGS, CALL_REASONS, CallOutcome
from dsbuilder_tui.domain.call_role import CallRole


def facts(**given: Any) -> BatchFacts:
    usual: dict[str, Any] = {
        "category": "refunds", "role": CallRole.WORKER, "asked": 20, "came": 20, "outcome": CallOutcome.OK, "seconds": 4.2,
        "retries": 0,
    }  # fmt: skip
    return BatchFacts(**usual | given)


@pytest.mark.parametrize(
    ("given", "figures", "said"),
    [
        ({}, BatchFigures(20), "Asked for 20 cases of refunds; all came in 4 s. 20 are in the dataset."),
        ({"asked": 1, "came": 1}, None, "Asked for 1 case of refunds; it came in 4 s."),
        (
            {"came": 18, "outcome": CallOutcome.TRUNCATED, "retries": 2},
            BatchFigures(15, {"near": 2, "judge": 1}),
            "Asked for 20 cases of refunds; 18 came in 4 s. 15 are in the dataset, 3 were turned away (near 2, judge 1). Its "
            "other 2 slots were open again for other calls, without a mark against them: the answer broke off at its greatest "
            "length, or within a case. It was tried 2 times more on the way, after the endpoint had refused or failed.",
        ),
        ({"came": 19}, BatchFigures(1, {}), "Asked for 20 cases of refunds; 19 came in 4 s. 1 is in the dataset. The other slot "
         "was open again for other calls, without a mark against it: the answer held fewer than asked for."),
        ({"came": 0, "outcome": CallOutcome.FAILED}, BatchFigures(), "Asked for 20 cases of refunds; none came in 4 s. Its 20 "
         "slots were open again for other calls, without a mark against them: the endpoint gave no answer."),
        ({"came": 1, "asked": 1, "outcome": CallOutcome.FAILED}, BatchFigures(1), "Asked for 1 case of refunds; 1 came in 4 s. 1 is "
         "in the dataset. The endpoint broke off in the middle of its answer."),
        ({"came": 7, "outcome": None}, None, "Asked for 20 cases of refunds; 7 came so far."),
        ({"role": CallRole.JUDGE, "came": 1}, None, "The judge was to read 20 cases of refunds; 1 was judged in 4 s. The judge was "
         "to be asked about 19 again: the answer held fewer than asked for."),
        ({"role": CallRole.TEMPLATES, "asked": 0, "came": 0}, None, "Asked for templates of refunds; they came in 4 s."),
        ({"role": CallRole.REVISE}, None, "Drafts for 20 cases of refunds were to be revised; all came in 4 s."),
    ],
)  # fmt: skip
def test_what_happened_to_it(given: dict[str, Any], figures: BatchFigures | None, said: str) -> None:
    assert batch_words(facts(**given), figures) == said


def test_each_ending_has_its_words() -> None:
    assert set(CALL_ENDINGS) == set(CALL_REASONS) == set(CallOutcome)
