"""Causes of empty and thin cells: each is told with what helps against it, what weighs most first."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.cell_cause import CellCause, CellFacts, more_words

RUN = {"running": True, "started": True}
KNOWN: list[tuple[dict[str, Any], list[CellCause], str, str]] = [
    ({"planned": 0, "accepted": 0}, [CellCause.NOT_PLANNED], "no case of it is planned", "Ask for more"),
    ({"planned": 4, "accepted": 4}, [], "is full: 4 of 4", ""),
    ({"planned": 4, "accepted": 1}, [CellCause.NOT_STARTED], "the run was not started", "“Start”"),
    ({"planned": 4, "accepted": 1, "started": True}, [CellCause.PAUSED], "3 are not written yet, and the run is paused", "“Resume”"),
    ({"planned": 4, "accepted": 3, **RUN}, [CellCause.NOT_YET], "1 is not written yet; the workers are at it", ""),
    ({"planned": 4, "accepted": 0, "failed_calls": 2, "failure": "429 too many", **RUN},
     [CellCause.CALLS_FAILED, CellCause.NOT_YET], "2 calls of workers failed: 429 too many", "F6"),
    ({"planned": 4, "accepted": 2, "exhausted": 2, "tries": 3, "turned_away": {"near": 5, "semantic": 1}, "repeated": "a-00001"},
     [CellCause.EXHAUSTED, CellCause.REPEATS],
     "2 slots were given up after 3 tries. 6 candidates were turned away as repeats of a-00001.", "exhausted ones again"),
    ({"planned": 4, "accepted": 0, "turned_away": {"validators": 3, "near": 1}, "reason": "no order id.", **RUN},
     [CellCause.CHECKS, CellCause.REPEATS, CellCause.NOT_YET], "3 candidates failed the checks: no order id.", "rule"),
    ({"planned": 4, "accepted": 0, "turned_away": {"judge": 1}, "started": True},
     [CellCause.JUDGED, CellCause.PAUSED], "1 candidate failed before the judge", "rubric"),
    ({"planned": 4, "accepted": 0, "turned_away": {"person": 2}, **RUN},
     [CellCause.BY_HAND, CellCause.NOT_YET], "2 candidates went by your hand", "description"),
    ({"planned": 4, "accepted": 0, "turned_away": {"missing": 2}, **RUN}, [CellCause.NOT_YET], "4 are not written yet", ""),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "causes", "said", "helps"), KNOWN)
def test_each_cause_is_told_with_what_helps(
    facts: dict[str, Any], causes: list[CellCause], said: str, helps: str
) -> None:
    cell = CellFacts(category="refunds", value="angry", **facts)
    assert list(cell.causes) == causes
    assert cell.sentence.startswith("refunds × angry") and said in cell.sentence
    assert (helps in cell.advice) if helps else cell.advice == ""


def test_more_of_a_cell_is_asked_for_in_words_that_quote_no_further() -> None:
    assert more_words("refunds", "an `odd` one\n") == "Write 20 more `an 'odd' one` cases in refunds"
