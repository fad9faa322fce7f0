"""A place where a runner's calls are made, as it is shown: a node of a cluster, or whatever else the runner gives them to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PlaceState(StrEnum):
    """What a place does."""

    STARTING = "starting"
    WORKING = "working"
    RESTING = "resting"  # its own endpoint fails: it gets no calls for a while
    UNFIT = "unfit"  # it cannot work before somebody changes something
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerPlace:
    """One place. ``calls`` are in flight there and ``waiting`` are next; ``done`` have ended.

    ``given_again`` were lost with it and made elsewhere.
    """

    name: str
    state: PlaceState
    calls: int = 0
    waiting: int = 0
    done: int = 0
    given_again: int = 0
    detail: str = ""
