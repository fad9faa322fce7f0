"""In which way a call to a model failed that another try may mend."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a call has to be made again."""

    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
