"""What goes into the session file together, and what comes out of it, in data."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Exhausted, Rejection, Usage


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """One worker call as it is remembered: what it cost and how it ended."""

    seq: int
    category: str
    batch: int
    model: str
    size: int
    outcome: str
    delivered: int
    retries: int
    usage: Usage
    seconds: float
    detail: str
    created_at: float


@dataclass(slots=True)
class Changes:
    """What one commit writes, together."""

    accepted: list[AcceptedCase] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    exhausted: list[Exhausted] = field(default_factory=list)
    calls: list[WorkerCall] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def __add__(self, later: Changes) -> Changes:
        return Changes(
            self.accepted + later.accepted,
            self.rejected + later.rejected,
            self.exhausted + later.exhausted,
            self.calls + later.calls,
            self.checkpoints + later.checkpoints,
        )

    def __len__(self) -> int:
        return len(self.accepted) + len(self.rejected) + len(self.exhausted) + len(self.calls) + len(self.checkpoints)


@dataclass(frozen=True, slots=True)
class CategoryProgress:
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """What the slot ledger needs at the start of a run."""

    filled: dict[str, list[tuple[int, int | None, int]]]  # category → (ordinal, structure, seq), in order of seq
    attempts: dict[tuple[str, int], tuple[int, int, list[int]]]  # open slot → (last attempt, tries, nearest seqs)
    exhausted: dict[str, list[int]]
