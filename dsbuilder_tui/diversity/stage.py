"""What every comparing stage of the gate offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Match:
    """An accepted case that a candidate is too close to. ``score`` is rejected from ``threshold`` on."""

    nearest_seq: int
    score: float
    threshold: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a stage saw: its fingerprint of the candidate, and the match that speaks against it, if any."""

    key: int
    match: Match | None


class Stage(Protocol):
    """Examines candidates one at a time; the gate is the only caller, so check-then-admit cannot race."""

    name: str

    def examine(self, category: str, inputs: Mapping[str, Any]) -> Finding: ...

    def admit(self, key: int, seq: int) -> None:
        """Remember an accepted case by its fingerprint. Called in the order of acceptance, also when resuming."""
