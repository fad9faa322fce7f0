"""Records that a person reads back: the story of a case, a search as it goes, a rejection with what is around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a session's history. ``created_at`` in seconds since the epoch."""

    seq: int
    kind: str
    data: dict[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True)
class SearchStep:
    """What a search found in its last window: places in the history, and how many of how many cases it has looked at."""

    seqs: list[int]
    scanned: int
    total: int


@dataclass(frozen=True, slots=True)
class RejectionContext:
    """What a rejection is seen against: the case it was too close to, the slot's attributes, who fills the slot now."""

    nearest: AcceptedCase | None
    attributes: dict[str, str]
    successor: AcceptedCase | None
