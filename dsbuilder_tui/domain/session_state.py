"""Where a session stands, in data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.judging import JudgedCounts


class SessionState(StrEnum):
    """States of a session, as listings show them."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"  # its process ended without pausing
    COMPLETE = "complete"
    SHORT = "short"  # finished, with exhausted slots
    DAMAGED = "damaged"

    @property
    def is_settled(self) -> bool:
        """Whether every slot has its case or was given up on."""
        return self in (SessionState.COMPLETE, SessionState.SHORT)


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
    checkpoints: int  # that the branch which is worked on stands on
    last_checkpoint: dict[str, Any] | None  # of these
    prompt_tokens: int
    completion_tokens: int
    provider: str
    worker_model: str
    seed: int
    path: str
    cost: dict[str, Any]  # main_agent, workers, judge, dollars, known_dollars, saving, prices_as_of: see ``Spending``
    checkpoints_elsewhere: int = 0  # on other branches alone
    imported: dict[str, Any] = field(default_factory=dict)  # name of the file, cases by category
    judged: dict[str, dict[str, Any]] = field(default_factory=dict)  # by category: see ``JudgedCounts``
    batch_jobs: int = 0  # that a provider has
    batch_jobs_since: float = 0.0  # when the oldest of them was made, in seconds of the epoch

    @property
    def judged_counts(self) -> dict[str, JudgedCounts]:
        """What the judge found, by category; those without a verdict are left out."""
        names = ("good", "bad", "not_judged", "cases")
        return {name: JudgedCounts(*(found[part] for part in names)) for name, found in self.judged.items()}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
