"""Causes for which a cell of the coverage (cases of a category, or those with one value) is empty or thin, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dsbuilder_tui.domain.plain_words import are, counted, were
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.stage import NO_REJECTION, Stage

_MOST_REASON = 160  # characters of a reason or a failure
_CHECKS = frozenset({Stage.SCHEMA, Stage.VALIDATORS})
_JUDGED = frozenset({Stage.JUDGE, Stage.CRITIQUE})


class CellCause(StrEnum):
    """Why cases of a cell are not there."""

    NOT_PLANNED = "not_planned"
    EXHAUSTED = "exhausted"  # slots were given up after their tries
    REPEATS = "repeats"  # candidates said again what another case says
    CHECKS = "checks"  # they broke a rule, or were not in the form that was asked for
    JUDGED = "judged"  # the judge, or a stage of writing, found them wrong
    BY_HAND = "by_hand"  # a person turned them away
    CALLS_FAILED = "calls_failed"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    NOT_YET = "not_yet"  # workers are at it


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What is known of a cell. ``value`` is empty for all cases of the category.

    ``turned_away`` (stage → candidates) are those for slots that have no case now; ``repeated`` is the case that they repeated
    most often, and ``reason`` what was said of the last one that was no repeat. Calls are those of the category.
    """

    category: str
    value: str = ""
    planned: int
    accepted: int
    exhausted: int = 0
    tries: int = 0  # after which the slots were given up, at most
    turned_away: Mapping[str, int] = field(default_factory=dict)
    repeated: str = ""
    reason: str = ""
    failed_calls: int = 0
    failure: str = ""  # what was said of the last call that failed
    running: bool = False
    started: bool = False

    @property
    def open(self) -> int:
        """Slots that are still to be written."""
        return max(0, self.planned - self.accepted - self.exhausted)

    @property
    def causes(self) -> tuple[CellCause, ...]:
        """Why it is not full, what weighs most first; none where it is."""
        if not self.planned:
            return () if self.accepted else (CellCause.NOT_PLANNED,)
        if self.accepted >= self.planned:
            return ()
        found = [CellCause.EXHAUSTED] if self.exhausted else []
        counts: dict[CellCause, int] = {}
        for stage, count in self.turned_away.items():
            if stage not in NO_REJECTION:
                cause = _cause_of(stage)
                counts[cause] = counts.get(cause, 0) + count
        found += sorted(counts, key=lambda cause: -counts[cause])
        if self.open:
            if self.failed_calls and not counts and not self.accepted:
                found.append(CellCause.CALLS_FAILED)
            at_rest = CellCause.PAUSED if self.started else CellCause.NOT_STARTED
            found.append(CellCause.NOT_YET if self.running else at_rest)
        return tuple(found)

    @property
    def sentence(self) -> str:
        """How many there are, and why not all; what others wrote in it is on one line."""
        name = (
            f"{one_line(self.category, 80)} × {one_line(self.value, 80)}" if self.value else one_line(self.category, 80)
        )
        causes = self.causes
        if CellCause.NOT_PLANNED in causes:
            return f"{name}: no case of it is planned."
        if not self.planned:
            return f"{name}: {counted(self.accepted, 'case')}, none of them planned."
        if not causes:
            return f"{name} is full: {self.accepted:,} of {self.planned:,}."
        return f"{name}: {self.accepted:,} of {self.planned:,}. {' '.join(map(self._because, causes))}"

    @property
    def advice(self) -> str:
        """What helps against the first cause; empty for what is full, or is being written."""
        return _ADVICE[self.causes[0]] if self.causes else ""

    def _because(self, cause: CellCause) -> str:
        match cause:
            case CellCause.EXHAUSTED:
                tries = f" after {counted(self.tries, 'try')}" if self.tries else ""
                return f"{counted(self.exhausted, 'slot')} {were(self.exhausted)} given up{tries}."
            case CellCause.REPEATS:
                count = self._count(cause)
                of = f" of {one_line(self.repeated, 80)}" if self.repeated else ""
                return f"{counted(count, 'candidate')} {were(count)} turned away as repeats{of}."
            case CellCause.CHECKS | CellCause.JUDGED | CellCause.BY_HAND:
                count = self._count(cause)
                why = f": {one_line(self.reason, _MOST_REASON).rstrip('.')}" if self.reason else ""
                return f"{counted(count, 'candidate')} {_TURNED[cause]}{why}."
            case CellCause.CALLS_FAILED:
                why = f": {one_line(self.failure, _MOST_REASON).rstrip('.')}" if self.failure else ""
                return f"{counted(self.failed_calls, 'call')} of workers failed{why}."
            case CellCause.PAUSED:
                return f"{self.open:,} {are(self.open)} not written yet, and the run is paused."
            case CellCause.NOT_STARTED:
                return "Nothing was written yet: the run was not started."
            case _:
                return f"{self.open:,} {are(self.open)} not written yet; the workers are at it."

    def _count(self, cause: CellCause) -> int:
        return sum(
            n for stage, n in self.turned_away.items() if stage not in NO_REJECTION and _cause_of(stage) is cause
        )


_TURNED = {
    CellCause.CHECKS: "failed the checks", CellCause.JUDGED: "failed before the judge", CellCause.BY_HAND: "went by your hand",
}  # fmt: skip
_ADVICE = {
    CellCause.NOT_PLANNED: "Ask for more cases here to have some.",
    CellCause.EXHAUSTED: "“Try the exhausted ones again” opens them; add values or examples first, so that there is more to say.",
    CellCause.REPEATS: "The workers run out of ideas here: add values or examples to the category, or plan fewer cases.",
    CellCause.CHECKS: "F5 tells which rule they break: give an example that keeps it, or change the rule.",
    CellCause.JUDGED: "F5 has the judge's reasons: say more of the application, or change the rubric.",
    CellCause.BY_HAND: "Say in the category's description what was wrong with them.",
    CellCause.CALLS_FAILED: "F6 shows what the endpoint said.",
    CellCause.PAUSED: "“Resume” writes them.",
    CellCause.NOT_STARTED: "“Start” writes them.",
    CellCause.NOT_YET: "",
}


def _cause_of(stage: str) -> CellCause:
    if stage in _CHECKS:
        return CellCause.CHECKS
    if stage in _JUDGED:
        return CellCause.JUDGED
    return CellCause.BY_HAND if stage == Stage.PERSON else CellCause.REPEATS


def more_words(category: str, value: str, count: int = 20) -> str:
    """What asks for more cases of a cell: “Write 20 more `angry` cases in refunds”."""
    told = one_line(value, 200).replace("`", "'")
    return f"Write {count} more `{told}` cases in {one_line(category, 80)}"
