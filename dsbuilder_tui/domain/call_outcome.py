"""The outcome of a worker call: how it ended."""

from __future__ import annotations

from enum import StrEnum


class CallOutcome(StrEnum):
    """How a worker call ended. The values stand in session files and in JSON lines."""

    OK = "ok"
    TRUNCATED = "truncated"  # the answer was cut off
    TOO_LARGE = "too_large"  # the request did not fit the model
    REFUSED = "refused"
    EMPTY = "empty"
    MALFORMED = "malformed"  # in older sessions alone
    FAILED = "failed"
    CANCELLED = "cancelled"  # by a person, or by the end of the run
