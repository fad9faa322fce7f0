"""Monitor of a run: events go in, and now and then a note comes out that a person should hear of."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dsbuilder_tui.agent.exhausted_options import ExhaustedOption, ExhaustedTally, LostSlots, exhausted_options
from dsbuilder_tui.domain.evaluation_words import results_words
from dsbuilder_tui.domain.events import (
    CaseAccepted,
    CaseRejected,
    Event,
    ResultsRead,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunStarted,
    SlotExhausted,
)
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.wording import cost_words, judged_advice, judged_lines

_WINDOW = 60  # the last so many judgements
_LEAST_PROPOSED, _MOST_PROPOSED = 10, 30  # cases to be written where it fails
_MANY = 0.5  # share of them that is turned away
_MOST_NAMED = 12  # categories
_LONG_WAIT = 30.0  # seconds that an endpoint asks to wait


class NoteKind(StrEnum):
    """What a note is about."""

    FINISHED = "finished"
    EXHAUSTED = "exhausted"
    REJECTIONS = "rejections"
    RATE_LIMIT = "rate_limit"
    STOPPED = "stopped"
    NOTHING_USABLE = "nothing_usable"
    BUDGET = "budget"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Note:
    """What happened, and what can be done about it.

    ``lost`` are the tries of exhausted slots; ``with_facts`` makes ``proposals`` of them.
    """

    kind: NoteKind
    said: str
    hint: str = ""
    lost: tuple[LostSlots, ...] = ()
    proposals: tuple[ExhaustedOption, ...] = ()

    def text(self) -> str:
        """As the main agent hears it."""
        told: dict[str, Any] = {"note": self.kind, "said": self.said, "way_out": self.hint}
        if self.proposals:
            told["proposals"] = [proposal.data() for proposal in self.proposals]
        return "[dsbuilder] " + json.dumps(told, ensure_ascii=False)


async def with_facts(note: Note, session: Session) -> Note:
    """The note with what the person wants to know then: at an end counts, repeats, cost, where the data is; and concrete
    options for exhausted slots."""
    if note.kind is NoteKind.FINISHED:
        note = await _at_the_end(note, session)
    offered = tuple(await exhausted_options(note.lost, session)) if note.lost else ()
    if not offered:
        return note
    said = [note.said, *(lost.words() for lost in note.lost if lost.category in {p.category for p in offered})]
    hint = " ".join([*(proposal.words() for proposal in offered), "/retry tries the same slots again."])
    return replace(note, said=" ".join(filter(None, said)), hint=hint, proposals=offered)


async def _at_the_end(note: Note, session: Session) -> Note:
    state = await session.summary()
    counts = ", ".join(f"{name} {c['accepted']}" for name, c in list(state.categories.items())[:_MOST_NAMED])
    more = len(state.categories) - _MOST_NAMED
    stages = ", ".join(f"{stage} {count}" for stage, count in state.rejections.items())
    said = [f"Finished: {state.instances_created:,} of {counted(state.total_instances_planned, 'case')} ({counts}"]
    said[0] += f" and {counted(more, 'category')} more)." if more > 0 else ")."
    said.append(
        f"Turned away on the way: {sum(state.rejections.values()):,} ({stages})."
        if stages
        else "Nothing was turned away."
    )
    if state.exhausted_slots:
        said.append(f"{counted(state.exhausted_slots, 'slot')} exhausted.")
    said += [f"The judge: {line}." for line in judged_lines(state.judged_counts)[:_MOST_NAMED]]
    advice = judged_advice(state.judged_counts)
    if cost := cost_words(state.cost):
        said.append(f"Cost: {cost}.")
    said.append(f"The data is in {session.folder}.")
    return replace(note, said=" ".join(said), hint=" ".join(filter(None, (advice, note.hint))))


class Monitor:
    """Looks at one session's events. Says each thing once a run, and again only when it has become twice as bad."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._exhausted: dict[str, int] = {}
        self._losses = ExhaustedTally()
        self._told_exhausted = 0
        self._judged: deque[tuple[bool, str]] = deque(maxlen=_WINDOW)
        self._told: set[NoteKind] = set()

    def feed(self, event: Event) -> Note | None:
        match event:
            case RunStarted():
                self._begin()
            case CaseAccepted():
                self._judged.append((True, event.category))
                self._losses.accepted(event.category, event.slot)
            case CaseRejected():
                self._judged.append((False, event.category))
                self._losses.rejected(event.category, event.slot, event.stage, event.nearest_case_id)
                return self._rejections()
            case SlotExhausted():
                self._losses.exhausted(event.category, event.slot)
                self._exhausted[event.category] = self._exhausted.get(event.category, 0) + 1
                return self._slot_exhausted(event.reason)
            case RetryScheduled() if event.kind is FailureKind.RATE_LIMIT and event.wait_s >= _LONG_WAIT:
                return self._once(
                    Note(
                        NoteKind.RATE_LIMIT,
                        f"The endpoint asks to wait {event.wait_s:.0f} s: {event.detail[:160]}",
                        "Lower max_workers, or wait: the run goes on by itself.",
                    )
                )
            case RunPaused() if not event.cause.wanted:
                said = f"The run stopped at {event.accepted:,} of {event.planned:,}: {event.reason}"
                if event.cause is PauseCause.BUDGET:
                    return Note(NoteKind.BUDGET, said, "Raise it with /budget N, then resume.")
                if event.cause is PauseCause.NOTHING_USABLE:
                    hint = "Change what it names, or the plan; resume goes on then."
                    return Note(NoteKind.NOTHING_USABLE, said, hint)
                if event.cause is PauseCause.PLUG_IN:
                    hint = "Update or uninstall that package, or take the validator out of the plan, then resume."
                    return Note(NoteKind.STOPPED, said, hint)
                return Note(NoteKind.STOPPED, said, "When that is mended, resume goes on with the open slots.")
            case ResultsRead() if event.failed or event.errors:
                more = max(_LEAST_PROPOSED, min(_MOST_PROPOSED, event.failed + event.errors))
                return Note(NoteKind.RESULTS, f"{results_words(event)}.", f"Say “write {more} more where it fails”.")
            case RunFinished():
                return self._finished(event)
        return None

    def _once(self, note: Note) -> Note | None:
        if note.kind in self._told:
            return None
        self._told.add(note.kind)
        return note

    def _rejections(self) -> Note | None:
        if len(self._judged) < _WINDOW:
            return None
        turned_away = [category for accepted, category in self._judged if not accepted]
        if len(turned_away) < _WINDOW * _MANY:
            return None
        worst = max(sorted(set(turned_away)), key=turned_away.count)
        return self._once(
            Note(
                NoteKind.REJECTIONS,
                f"{len(turned_away)} of the last {_WINDOW} candidates were turned away, most of them in {worst}.",
                f"More varied example inputs or another attribute axis for {worst}, or a lower count.",
            )
        )

    def _slot_exhausted(self, reason: str) -> Note | None:
        total = sum(self._exhausted.values())
        if total < max(1, 2 * self._told_exhausted):
            return None
        self._told_exhausted = total
        parts = ", ".join(f"{category} {count}" for category, count in self._exhausted.items())
        return Note(
            NoteKind.EXHAUSTED,
            f"{counted(total, 'slot')} exhausted ({parts}). The last one: {reason[:200]}",
            "More varied examples and /retry, a lower count, or the diversity check off for that category.",
            self._losses.all(),
        )

    def _finished(self, event: RunFinished) -> Note:
        short = f", {counted(event.exhausted, 'slot')} exhausted" if event.exhausted else ""
        return Note(
            NoteKind.FINISHED,
            f"The run is finished: {event.accepted:,} of {counted(event.planned, 'case')}, {event.rejected:,} rejected{short}.",
            "/export writes the dataset." if not event.exhausted else "/retry tries the exhausted slots again.",
            self._losses.all(),
        )
