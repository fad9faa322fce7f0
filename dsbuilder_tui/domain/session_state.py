"""Where a session stands, in data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.errors import ExitCode


class SessionState(StrEnum):
    """States of a session, as listings show them."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"  # its process ended without pausing
    COMPLETE = "complete"
    SHORT = "short"  # finished, with exhausted slots
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: complete, short (some slots exhausted), or paused."""

    state: SessionState
    accepted: int
    planned: int
    exhausted: int
    seconds: float

    @property
    def exit_code(self) -> ExitCode:
        codes = {SessionState.COMPLETE: ExitCode.COMPLETE, SessionState.SHORT: ExitCode.SHORT}
        return codes.get(self.state, ExitCode.RESUMABLE)


@dataclass(frozen=True, slots=True)
class BuilderState:
    """A summary of a session: progress, checkpoints, rejections, categories. JSON-ready through ``as_dict``."""

    session: str
    dataset_name: str
    state: SessionState
    instances_created: int
    total_instances_planned: int
    progress_percentage: float
    categories: dict[str, dict[str, int]]
    rejections: dict[str, int]  # by stage
    diversity_rejections: int
    exhausted_slots: int
    checkpoints: int
    last_checkpoint: dict[str, Any] | None
    prompt_tokens: int
    completion_tokens: int
    provider: str
    worker_model: str
    seed: int
    path: str
    cost: dict[str, Any]  # main_agent, workers, dollars, known_dollars, saving, prices_as_of: see ``Spending``

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
