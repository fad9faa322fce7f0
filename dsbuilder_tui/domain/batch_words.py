"""A batch told in words: what was asked for, what came back, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsbuilder_tui.domain.call_outcome import CALL_REASONS, CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.plain_words import are, counted, duration_words, were


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """What became of the candidates of a batch: accepted ones that stand, and those turned away, by stage."""

    accepted: int = 0
    turned_away: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """One call for a batch: how many slots it was ``asked`` for, how many answers came, and how it ended; None in flight."""

    category: str
    role: CallRole
    asked: int
    came: int
    outcome: CallOutcome | None
    seconds: float
    retries: int


_DONE = {CallRole.EVOLVE: "evolved", CallRole.CRITIQUE: "criticised", CallRole.REVISE: "revised"}


def batch_words(facts: BatchFacts, figures: BatchFigures | None = None) -> str:
    """What happened to a batch, in a few sentences. ``figures`` are those of its cases, where they are known.

    ``Asked for 20 refunds cases; 18 came in 4 s. 15 are in the dataset, 3 were turned away (near 3). Its other 2 slots were
    open again for other calls: the answer broke off at its greatest length, or within a case. It was tried 2 times more.``
    """
    said = [_asked(facts)]
    if facts.role is CallRole.WORKER and figures is not None and facts.came:
        said.append(_became(figures))
    open_again = facts.asked - facts.came
    if facts.outcome is not None and (open_again > 0 or facts.outcome is not CallOutcome.OK):
        said.append(_fell_short(facts, open_again))
    if facts.retries:
        said.append(
            f"It was tried {counted(facts.retries, 'time')} more on the way, after the endpoint had refused or failed."
        )
    return " ".join(said)


def _asked(facts: BatchFacts) -> str:
    took = f" in {duration_words(facts.seconds)}" if facts.outcome is not None else " so far"
    cases = f"{counted(facts.asked, 'case')} of {facts.category}"
    came = "none came" if not facts.came else f"{facts.came:,} came"
    if facts.outcome is CallOutcome.OK and facts.came == facts.asked:
        came = "it came" if facts.came == 1 else "all came"
    if facts.role is CallRole.TEMPLATES:
        there = "they came" if facts.outcome is CallOutcome.OK else "none came"
        return f"Asked for templates of {facts.category}; {there}{took}."
    if facts.role is CallRole.JUDGE:
        return f"The judge was to read {cases}; {facts.came:,} {were(facts.came)} judged{took}."
    if facts.role in _DONE:
        return f"Drafts for {cases} were to be {_DONE[facts.role]}; {came}{took}."
    return f"Asked for {cases}; {came}{took}."


def _became(figures: BatchFigures) -> str:
    away = sum(figures.turned_away.values())
    there = f"{figures.accepted:,} {are(figures.accepted)} in the dataset"
    if not away:
        return f"{there}."
    stages = ", ".join(f"{stage} {count:,}" for stage, count in figures.turned_away.items())
    return f"{there}, {away:,} {were(away)} turned away ({stages})."


def _fell_short(facts: BatchFacts, left: int) -> str:
    assert facts.outcome is not None
    why = CALL_REASONS[facts.outcome]
    if facts.outcome is CallOutcome.OK:
        why = "the answer held fewer than asked for"
    if facts.outcome is CallOutcome.FAILED and facts.came:
        why = "the endpoint broke off in the middle of its answer"
    if left <= 0 or facts.role is CallRole.TEMPLATES:
        return f"{why[:1].upper()}{why[1:]}."
    if facts.role is CallRole.JUDGE:
        return f"The judge was to be asked about {left:,} again: {why}."
    other = "other " if facts.came else ""
    slots = f"The {other}slot was" if left == 1 else f"Its {other}{counted(left, 'slot')} were"
    return f"{slots} open again for other calls, without a mark against {'it' if left == 1 else 'them'}: {why}."
