"""The cause of a pause: who or what ended a run before its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PauseCause(StrEnum):
    """Why a run paused, for code."""

    ASKED = "asked"  # by a person or the main agent
    INTERRUPT = "interrupt"  # Ctrl+C
    SIGNAL = "signal"  # SIGTERM, SIGHUP
    CLOSING = "closing"  # the session is closed
    LEAVING = "leaving"  # the app is left
    TERMINAL_CLOSED = "terminal_closed"
    CHANGE = "change"  # plan or settings are changed; it goes on after that
    DATASET_DONE = "dataset_done"  # a person has enough
    OUTPUT_CLOSED = "output_closed"  # whoever read what a command printed went away
    BUDGET = "budget"
    NOTHING_USABLE = "nothing_usable"  # calls in a row brought no case
    PLUG_IN = "plug_in"  # one that the plan needs fails at its work
    ANSWERS_JUDGED = "answers_judged"  # kept answers, or cases, were judged, and do not fill every slot
    BATCHES = "batches"  # batch jobs are with the provider, and nobody waits for them
    FAILURE = "failure"  # of the endpoint, the disk or the session file

    @property
    def wanted(self) -> bool:
        """Whether somebody asked for it, or is leaving: nothing to be told of."""
        return self not in (
            PauseCause.OUTPUT_CLOSED, PauseCause.BUDGET, PauseCause.NOTHING_USABLE, PauseCause.PLUG_IN, PauseCause.FAILURE,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that is wanted: ``reason`` in words for people, ``cause`` for code."""

    reason: str
    cause: PauseCause = PauseCause.ASKED


ASKED_TO_PAUSE = Pause("asked to pause")
TERMINAL_CLOSED = Pause("the terminal was closed", PauseCause.TERMINAL_CLOSED)

_BEGINNINGS = (
    ("asked", PauseCause.ASKED), ("closing", PauseCause.CLOSING), ("leaving", PauseCause.LEAVING),
    ("Ctrl", PauseCause.INTERRUPT), ("the plan", PauseCause.CHANGE), ("settings", PauseCause.CHANGE),
    ("the dataset", PauseCause.DATASET_DONE), ("SIG", PauseCause.SIGNAL), ("the terminal", PauseCause.TERMINAL_CLOSED),
    ("the output", PauseCause.OUTPUT_CLOSED), ("the budget", PauseCause.BUDGET), ("", PauseCause.FAILURE),
)  # fmt: skip


def cause_of_words(reason: str) -> PauseCause:
    """The cause in a history that was written when only words were kept (up to session format 4)."""
    return (
        next(cause for beginning, cause in _BEGINNINGS if reason.startswith(beginning)) if reason else PauseCause.ASKED
    )
