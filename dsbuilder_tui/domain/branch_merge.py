"""A merge: what of another branch was taken over into the one that is worked on, and what was not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergedCase:
    """A case that was not taken over. ``case_id`` is its name on its own branch, ``stage`` that of the gate; ``nearest`` is the
    case here that it repeats, if it repeats one."""

    case_id: str
    stage: str
    reason: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMerge:
    """What came of a merge.

    ``came`` maps the names of cases on their branch to those that they have here; ``edited`` are cases that now say what they
    say there. ``shared`` cases stood here already. ``checkpoint`` is the one before the merge, to which a rewind takes it
    back; None where nothing was taken over.
    """

    branch: str
    came: dict[str, str]
    edited: tuple[str, ...]
    shared: int
    turned_away: tuple[UnmergedCase, ...]
    checkpoint: int | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return asdict(self)
