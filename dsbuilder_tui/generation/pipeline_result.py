"""The result of a run, as its driver tells it."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.pause_cause import Pause


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """``finished`` when no slot is open; ``dropped`` counts batches cut off at a pause."""

    finished: bool
    dropped: int
    pause: Pause | None
