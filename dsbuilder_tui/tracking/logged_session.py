"""A session as its run in MLflow keeps it, beside plan and records: with it one that is lost can be rebuilt exactly."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "session.json"  # among the artifacts of the run
_Place = Annotated[int, Field(ge=1, lt=2**62)]


class _Logged(BaseModel):
    model_config = ConfigDict(frozen=True)


class LoggedExhausted(_Logged):
    """A slot that was given up."""

    category: str
    ordinal: _Place
    attempts: int = Field(ge=0)
    reason: str


class LoggedText(_Logged):
    """What a case said that is gone, and must not come back."""

    category: str
    ordinal: _Place
    inputs: dict[str, Any]
    expectations: dict[str, Any]


class LoggedSession(_Logged):
    """``settings`` are what was set for the session, without secrets; ``retired`` the first and last slot of each stretch
    that the plan's revisions have taken out; ``revisions`` the places of these in the history.
    """

    session: str
    seed: int = Field(ge=0, lt=2**63)
    provider: str = ""
    worker_model: str = ""
    settings: dict[str, Any] = {}
    revisions: dict[int, _Place] = {}
    retired: dict[str, list[tuple[_Place, _Place]]] = {}
    exhausted: list[LoggedExhausted] = []
    removed: list[LoggedText] = []

    @classmethod
    def parse(cls, text: str) -> LoggedSession | None:
        """What a file says; None for one that is damaged, or of somebody else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None
