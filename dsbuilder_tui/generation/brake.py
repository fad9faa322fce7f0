"""The brake: a category, or a whole run, whose calls bring nothing usable is stopped before it costs more."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.plain_words import counted

_MOST_AT_FIRST = 8  # calls in a row that bring nothing, before anything was accepted
_MOST_LEARNING = 20  # the same, with those from which a better size or limit was learned
_MOST_LATER = 24  # and after; the last slots of a category may be hard ones


class BarrenCause(Enum):
    """In which way calls bring nothing; the likely cause, and the setting that helps."""

    SHAPE = (
        "The model does not keep to the shape that it is asked for",
        "take a worker_model or a server with structured output (JSON schema), or a smaller batch_size",
    )
    SLOTS = (
        "The model writes cases for slots that it was not asked for",
        "take another worker_model, or a batch_size of 1",
    )
    VALUES = (
        "The model's cases have other fields or types than the plan's",
        "name the fields in the plan's input_fields and examples, or take another worker_model",
    )
    TURNED_AWAY = (
        "All that the model writes is turned away, as the rejected cases show",
        "set temperature (1.2, say), add attributes or examples, lower the count, or take another worker_model",
    )
    WORDS = (
        "The model refuses, or answers in words in place of JSON",
        "say in the plan's description what the cases are for, or take another worker_model",
    )
    FILTER = (
        "A content filter turns the requests or the answers away",
        "say in the plan's description what the cases are for, or take another worker_model or base_url",
    )
    ENDPOINT = (
        "The endpoint turns the requests away",
        "`dsbuilder doctor` tries what it takes; take another worker_model or base_url",
    )
    THOUGHTS = (
        "The model thinks until its answer is cut off",
        "set reasoning_effort to low, take a smaller batch_size, or a worker_model that thinks less",
    )
    LENGTH = ("The answers are cut off before a case is complete", "raise max_output_tokens, or lower batch_size")
    CONTEXT = (
        "The requests do not fit the model's context",
        "shorten the plan's description and examples, lower batch_size, or give the server a larger context",
    )
    SILENCE = ("The model answers nothing", "`dsbuilder doctor` tries the endpoint; take another worker_model")

    @property
    def cause(self) -> str:
        return self.value[0]

    @property
    def remedy(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Barren:
    """A call that brought nothing usable, and the beginning of what came."""

    likely: BarrenCause
    quote: str


def barren_cause(outcome: CallOutcome, *, thinking: bool, surplus: bool, in_words: bool) -> BarrenCause:
    """What is the matter with a call that brought no case.

    ``thinking`` when it had spent its tokens on thoughts, ``surplus`` when there were cases for other slots, ``in_words``
    when it was the model that spoke, and no filter.
    """
    match outcome:
        case CallOutcome.UNUSABLE:
            return BarrenCause.SLOTS if surplus else BarrenCause.SHAPE
        case CallOutcome.REFUSED:
            return BarrenCause.WORDS if in_words else BarrenCause.FILTER
        case CallOutcome.TRUNCATED:
            return BarrenCause.THOUGHTS if thinking else BarrenCause.LENGTH
        case CallOutcome.TOO_LARGE:
            return BarrenCause.CONTEXT
        case _:
            return BarrenCause.SILENCE


@dataclass(slots=True)
class _Row:
    """Calls that have brought nothing since the last accepted case. So many as ``at_once`` may say the same at one time."""

    at_once: int = 1
    calls: list[Barren] = field(default_factory=list)
    learned: int = 0
    fruitful: bool = False

    @property
    def too_long(self) -> bool:
        if self.fruitful:
            return len(self.calls) >= max(_MOST_LATER, 2 * self.at_once)
        return len(self.calls) >= _MOST_LEARNING or len(self.calls) - self.learned >= _MOST_AT_FIRST


class Brake:
    """Counts calls in a row that bring nothing usable, by category and in all. One instance a run."""

    def __init__(self, at_once: int = 1) -> None:
        """``at_once`` is how many calls are in flight at most: those that began together may all bring the same."""
        self._at_once = at_once
        self._all = _Row(at_once)
        self._rows: dict[str, _Row] = {}
        self.held: frozenset[str] = frozenset()  # categories for which no call is made any more

    @property
    def on(self) -> bool:
        """Whether no call is to be made at all."""
        return self._all.too_long

    def accepted(self, category: str) -> None:
        for row in (self._all, self._row(category)):
            row.calls.clear()
            row.learned, row.fruitful = 0, True

    def observe(self, category: str, barren: Barren, *, learned: bool) -> None:
        """Take in a call; ``learned`` when one like it would now be made in another way."""
        row = self._row(category)
        for each in (self._all, row):
            each.calls.append(barren)
            each.learned += learned
        if row.too_long:
            self.held |= {category}

    @property
    def reason(self) -> str:
        """Why it stopped: what came, the likely cause, and what helps."""
        row = self._all if self.on or not self.held else self._rows[min(self.held)]
        last = row.calls[-1]
        where = "" if row is self._all else f" for {', '.join(sorted(self.held))}"
        judged = last.likely in (BarrenCause.VALUES, BarrenCause.TURNED_AWAY)
        what = "The last reason" if judged else "The last answer began"
        began = f" {what}: “{last.quote}”." if last.quote else ""
        return (
            f"{counted(len(row.calls), 'call')} in a row{where} brought nothing usable.{began} "
            f"{last.likely.cause}: {last.likely.remedy}. Then go on."
        )

    def _row(self, category: str) -> _Row:
        return self._rows.setdefault(category, _Row(self._at_once))
