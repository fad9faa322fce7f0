"""How far a session has been logged to MLflow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dsbuilder_tui.domain.plain_words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingState:
    """``waiting`` cases have not arrived yet, ``given_up`` ones were refused; ``behind_s`` is how long the oldest waits.

    ``error`` is what went wrong last, empty when it went well; ``retry_in_s`` is when it is tried again. ``link`` is the
    address of the dataset for a browser, or the command that opens it. ``finished``: all is there and was compared.
    ``traces_waiting`` and ``traces_lost`` count calls of models that are to be there as traces.
    """

    accepted: int
    waiting: int = 0
    given_up: int = 0
    behind_s: float = 0.0
    error: str = ""
    retry_in_s: float | None = None
    link: str = ""
    finished: bool = False
    traces_waiting: int = 0
    traces_lost: int = 0

    @property
    def synced(self) -> int:
        """Cases that have arrived."""
        return max(0, self.accepted - self.waiting - self.given_up)

    def as_dict(self) -> dict[str, Any]:
        return {"synced": self.synced, **asdict(self)}

    @property
    def words(self) -> str:
        """``120 of 150 synced · 12 s behind · no connection to localhost:5000 · again in 4 s``"""
        parts = [f"{self.synced:,} of {self.accepted:,} synced"]
        if self.finished and not self.waiting and not self.given_up:
            parts = [f"all {counted(self.accepted, 'case')} synced and compared"]
        if self.waiting and self.behind_s >= 1:
            parts.append(f"{self.behind_s:.0f} s behind")
        if self.given_up:
            parts.append(f"{counted(self.given_up, 'case')} refused")
        if self.traces_lost:
            parts.append(f"{counted(self.traces_lost, 'trace')} lost")
        if self.error:
            parts.append(self.error)
        if self.retry_in_s is not None:
            parts.append(f"again in {self.retry_in_s:.0f} s")
        return " · ".join(parts)
