"""The driver of a run: what fills the open slots, workers or answers that were kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.pipeline_result import PipelineResult

if TYPE_CHECKING:
    from dsbuilder_tui.generation.batch_rounds import BatchRounds


class RunDriver(Protocol):
    """One run over the open slots.

    ``live`` while it takes in decisions that a person makes; ``ready`` once it is live, or never will be (again).
    ``journal`` is there as soon as the past is known.
    """

    @property
    def rounds(self) -> BatchRounds | None:
        """The rounds of batch jobs, where that is how calls are made."""
        ...

    live: bool
    ready: asyncio.Event
    journal: Journal | None
    gate: Gate

    async def run(self) -> PipelineResult:
        """Work until no slot is open or a pause is asked for; everything judged is on disk when this returns."""
        ...

    def pause(self, why: Pause) -> None: ...
    def stop_draining(self) -> None: ...
    def wake(self) -> None: ...
    def keep_budget(self) -> None: ...
    def cancel_call(self, batch: int) -> bool: ...
    def retry_call_now(self, batch: int) -> bool: ...
    def places(self) -> tuple[RunnerPlace, ...]:
        """Where its calls are made; none where that is this process."""
        ...
