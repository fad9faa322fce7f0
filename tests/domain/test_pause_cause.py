"""The cause of a pause: decided by an enum, also for histories that kept words alone."""

from __future__ import annotations

import pytest

from dsbuilder_tui.agent.monitor import Monitor
from dsbuilder_tui.domain.events import RunPaused
from dsbuilder_tui.domain.pause_cause import PauseCause, cause_of_words
from dsbuilder_tui.session.replay import _as_it_was
from dsbuilder_tui.store.rows import HistoryRow


def paused(cause: PauseCause, reason: str) -> RunPaused:
    return RunPaused(ts=1.0, accepted=3, planned=9, dropped_batches=0, reason=reason, cause=cause)


@pytest.mark.parametrize("cause", list(PauseCause))
def test_the_monitor_goes_by_the_cause_and_not_by_the_words(cause: PauseCause) -> None:
    """Whatever the words say: these begin like those of a wanted pause, and name the budget."""
    note = Monitor().feed(paused(cause, "asked by nobody, the budget is a word"))
    kinds = {
        PauseCause.BUDGET: "budget",
        PauseCause.FAILURE: "stopped",
        PauseCause.OUTPUT_CLOSED: "stopped",
        PauseCause.NOTHING_USABLE: "nothing_usable",
        PauseCause.PLUG_IN: "stopped",
    }
    assert (note.kind if note else None) == kinds.get(cause)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("asked to pause", PauseCause.ASKED),
        ("Ctrl+C", PauseCause.INTERRUPT),
        ("SIGTERM", PauseCause.SIGNAL),
        ("closing", PauseCause.CLOSING),
        ("the terminal was closed", PauseCause.TERMINAL_CLOSED),
        ("the output was closed", PauseCause.OUTPUT_CLOSED),
        ("the budget of $3.00 is used up", PauseCause.BUDGET),
        ("The endpoint refused the key.", PauseCause.FAILURE),
        ("", PauseCause.ASKED),
    ],
)
def test_an_old_history_kept_words_alone(reason: str, cause: PauseCause) -> None:
    assert cause_of_words(reason) is cause
    data = {"accepted": 3, "planned": 9, "dropped_batches": 0, "reason": reason}
    row = HistoryRow(seq=7, kind="run_paused", data=data, created_at=1.0)
    event = _as_it_was(row)
    assert isinstance(event, RunPaused) and event.cause is cause


def test_a_history_of_today_keeps_the_cause() -> None:
    event = paused(PauseCause.BUDGET, "no money")
    again = _as_it_was(HistoryRow(seq=7, kind=event.type, data=event.facts(), created_at=event.ts))
    assert again == event and isinstance(again, RunPaused) and again.cause is PauseCause.BUDGET
