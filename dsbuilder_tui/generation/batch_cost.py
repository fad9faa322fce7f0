"""The likely cost of a call in a batch job, before it is made: the most at first, later what such calls took."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import WorkerRequest

_ENOUGH_SEEN = 10  # cases, from which on answers take what theirs took
_CAUTION = 1.25  # on what an answer is likely to take
_CHARACTERS = 4  # a token


class BatchCost:
    """Learns from answers how many tokens a case takes. One instance a run."""

    def __init__(self, prices: PriceTable) -> None:
        self._prices = prices
        self._cases = self._tokens = 0  # of answers that were seen

    def learn(self, result: BatchOutcome) -> None:
        """Take in a call that has ended."""
        if result.usage.known:
            self._cases += max(1, len(result.delivered))
            self._tokens += result.usage.completion_tokens

    def dollars(self, model: str, request: WorkerRequest, *, batched: bool = True) -> float:
        """What a call is likely to cost, 0 where the price is not known: as much as its answer may take, until it is known what
        answers take. Without ``batched`` it would be made at once."""
        answer = request.max_tokens
        if self._cases >= _ENOUGH_SEEN:
            each = self._tokens / self._cases * _CAUTION
            answer = min(answer, round(each * len(request.slots) * request.candidates))
        usage = Usage((len(request.system) + len(request.prompt)) // _CHARACTERS, answer, known=True)
        return self._prices.cost(model, usage, batched=batched) or 0.0
