"""The bounded queue between workers and the gate, and, where order matters, what puts it in order."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.schema_check import Fitted, Misfit
from dsbuilder_tui.generation.validator_check import Fault, Validated

# Candidates in waiting. When it is full, workers stop reading their streams, and TCP slows the endpoint down.
_BOUND = 256
# Seconds that a candidate waits for others: judging in company costs a third less, and nobody waits for the judgement.
_COMPANY = 0.05
_FEW = 8  # workers; with fewer nobody comes in that time


@dataclass(frozen=True, slots=True)
class JudgedCandidate:
    """A candidate that the judge has read, with what may go on of it."""

    candidate: Candidate
    validated: Validated


@dataclass(frozen=True, slots=True)
class StagedCandidate:
    """A candidate that has gone through the stages of its category. ``fault`` is why it is to be turned away at once."""

    candidate: Candidate
    fitted: list[Fitted] | Misfit
    fault: Fault | None = None


Item = Candidate | StagedCandidate | JudgedCandidate | tuple[Batch, BatchOutcome]


class CandidateQueue:
    """Workers put candidates and, last, their batch's outcome; the gate gets them in order.

    In ``ordered`` mode everything of a batch comes out before anything of the next. What is held back for that is
    bounded by the batches in flight.
    """

    def __init__(self, *, ordered: bool, workers: int) -> None:
        """``workers`` is how many put at the same time."""
        self._waits = not ordered and workers >= _FEW
        self._queue: asyncio.Queue[Item] = asyncio.Queue(0 if ordered else _BOUND)
        self._ordered = ordered
        self._turns: deque[int] = deque()
        self._held: dict[int, list[Item]] = {}
        self._finished: set[int] = set()

    def expect(self, batch: Batch) -> None:
        """Say, in the order of leasing, that a batch will come."""
        if self._ordered:
            self._turns.append(batch.number)

    async def put(self, number: int, item: Item) -> None:
        if self._ordered and self._turns[0] != number:
            self._held.setdefault(number, []).append(item)
        else:
            await self._queue.put(item)

    async def finish(self, batch: Batch, outcome: BatchOutcome) -> None:
        await self.put(batch.number, (batch, outcome))
        if not self._ordered:
            return
        self._finished.add(batch.number)
        while self._turns and self._turns[0] in self._finished:
            self._finished.discard(self._turns.popleft())
            for item in self._held.pop(self._turns[0], ()) if self._turns else ():
                self._queue.put_nowait(item)

    async def put_back(self, judged: JudgedCandidate | StagedCandidate) -> None:
        """Hand in a candidate again that has been judged, or has gone through its stages. No turn is waited for: its batch
        has had it."""
        await self._queue.put(judged)

    async def get(self, most: int) -> list[Item]:
        """Wait for an item; it, and what else comes right after it, at most so many."""
        items = [await self._queue.get()]
        if self._waits and self._queue.qsize() + 1 < most:
            await asyncio.sleep(_COMPANY)
        while len(items) < most and not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items

    def done(self) -> None:
        """Say that one of the items last got has been judged."""
        self._queue.task_done()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the gate."""
        return self._queue.empty()

    async def join(self) -> None:
        """Wait until all that was put in its turn has been judged."""
        await self._queue.join()
