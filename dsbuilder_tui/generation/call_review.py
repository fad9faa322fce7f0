"""The review of worker calls: how many cases to ask for next, how much room to give, and when to stop."""

from __future__ import annotations

from collections.abc import Iterable

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.batch_size import BatchSizer
from dsbuilder_tui.generation.brake import Barren, BarrenCause, Brake, barren_cause
from dsbuilder_tui.generation.gate import TurnedAway
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit


class CallReview:
    """Looks at each worker call that has ended. One instance a run."""

    def __init__(
        self, categories: Iterable[str], largest_batch: int, room: OutputLimit, *, at_once: int, brakes: bool
    ) -> None:
        """``at_once`` calls are in flight at most. Without ``brakes`` the run is never stopped: for a writer that is no
        language model."""
        self._sizers = {name: BatchSizer(largest_batch) for name in categories}
        self._room, self._brakes = room, brakes
        self.brake = Brake(at_once)

    def size(self, category: str) -> int:
        """How many cases the next call of a category is asked for."""
        return self._sizers[category].size

    def take_in(self, batch: Batch, result: BatchOutcome, accepted: int, turned_away: list[TurnedAway]) -> bool:
        """Learn from a call of which ``accepted`` cases were let in; ``turned_away`` is at which stage the others were not,
        and why.

        Returns whether such a call would be made with more room, or fewer cases, from now on.
        """
        name = batch.category.name
        learned = self._learn(name, len(batch.slots), result, accepted)
        if accepted:
            self.brake.accepted(name)
            return learned
        barren = _barren(result, turned_away)
        if barren is not None and self._brakes:
            # Repeats cost a slot its attempts, which are few; and what was turned away teaches the next call.
            self.brake.observe(name, barren, learned=learned or barren.likely is BarrenCause.TURNED_AWAY)
        return learned

    def _learn(self, category: str, asked: int, result: BatchOutcome, accepted: int) -> bool:
        outcome = result.outcome
        if outcome is CallOutcome.CANCELLED:  # it says nothing about the size
            return False
        if result.max_tokens and self._room.learn(
            result.usage, cases=asked, limit=result.max_tokens, cut=result.cut, written=result.written,
            thought=result.thought,
        ):  # fmt: skip
            return True  # it was not the cases that were too many
        sizer = self._sizers[category]
        sizer.observe(asked=asked, delivered=len(result.delivered), accepted=accepted, outcome=outcome)
        return outcome in (CallOutcome.TRUNCATED, CallOutcome.TOO_LARGE) and sizer.size < asked


def _barren(result: BatchOutcome, turned_away: list[TurnedAway]) -> Barren | None:
    """What a call that has brought nothing usable says about the model; None when it says nothing about it."""
    if result.delivered:
        if len(turned_away) < len(result.delivered):
            return None
        shape = all(one.stage == Stage.SCHEMA for one in turned_away)
        return Barren(BarrenCause.VALUES if shape else BarrenCause.TURNED_AWAY, turned_away[-1].reason)
    if result.outcome in (CallOutcome.FAILED, CallOutcome.CANCELLED):
        return None
    if result.refused is not None:
        filtered = result.refused is FailureKind.CONTENT
        return Barren(BarrenCause.FILTER if filtered else BarrenCause.ENDPOINT, result.detail)
    thinking = result.usage.reasoning_tokens > 0 or result.only_thoughts or result.written == 0
    cause = barren_cause(result.outcome, thinking=thinking, surplus=result.found > 0, in_words=bool(result.quote))
    return Barren(cause, result.quote)
