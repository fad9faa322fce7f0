"""Runners of batches. They execute at least once and in any order; the pipeline alone decides what counts."""

from __future__ import annotations

from typing import Protocol

from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.worker import Deliver
from dsbuilder_tui.models.protocol import WorkerRequest


class Runner(Protocol):
    """Executes one batch and hands over its candidates as they come."""

    async def execute(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
    ) -> None:
        """``result`` is filled on the way, so that it tells the truth also when the call is cut off."""
