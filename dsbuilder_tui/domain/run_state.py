"""The states of a run and of its workers, as displays show them."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """Where the run of an open session stands; listings have ``SessionState``."""

    IDLE = "idle"  # not begun
    RUNNING = "running"
    PAUSING = "pausing"  # waits for what is in flight
    PAUSED = "paused"
    FINISHED = "finished"


class WorkerState(StrEnum):
    """What a worker does while its call is in flight; how the call ended is a ``CallOutcome``."""

    STREAMING = "streaming"
    WAITING = "waiting"  # before another try
