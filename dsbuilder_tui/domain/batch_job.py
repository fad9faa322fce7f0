"""A batch job: many worker calls that a provider makes together, within a day, for less."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BatchJobState(StrEnum):
    """Where a batch job stands, as the session remembers it. The values stand in session files."""

    PREPARED = "prepared"  # written down; nothing was sent that costs
    ASKED = "asked"  # its file is with the provider, and the job was asked for: it may be there
    WAITING = "waiting"  # the provider has it
    ENDED = "ended"  # nothing more will come: its answers are collected
    COLLECTED = "collected"
    DROPPED = "dropped"  # there never was one, or the provider knows it no more

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self not in (BatchJobState.COLLECTED, BatchJobState.DROPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One job. ``done`` and ``failed`` count the provider's requests; times are seconds of the epoch.

    ``status`` is the provider's word, ``trouble`` what was wrong when it was last asked, empty when nothing was.
    ``branch`` is that of the session which it was made for.
    """

    number: int
    branch: int
    round: int
    model: str
    state: BatchJobState
    requests: int
    created_at: float
    remote_id: str = ""
    file_id: str = ""
    status: str = ""
    done: int = 0
    failed: int = 0
    cancelled: bool = False  # a person wants it ended
    trouble: str = ""
    token: str = ""  # by which it is found again at the provider
    endpoint: str = ""  # a digest of the address that it was sent to
    options: tuple[str, ...] = ()  # of its chat requests, as they were sent
    next_look: float | None = None  # when it is asked about again, while a run waits for it

    @property
    def is_waiting(self) -> bool:
        """Whether the provider has it, or may have it."""
        return self.state in (BatchJobState.ASKED, BatchJobState.WAITING, BatchJobState.ENDED)
