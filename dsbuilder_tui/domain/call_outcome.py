"""The outcome of a worker call: how it ended."""

from __future__ import annotations

from enum import StrEnum


class CallOutcome(StrEnum):
    """How a worker call ended. The values stand in session files and in JSON lines."""

    OK = "ok"  # with cases, all or fewer than asked for
    TRUNCATED = "truncated"  # the answer was cut off by its length, or ended within a case
    TOO_LARGE = "too_large"  # the request did not fit the model
    REFUSED = "refused"  # by the model in words, or by a content filter
    UNUSABLE = "unusable"  # there was JSON, and no case in it
    EMPTY = "empty"
    MALFORMED = "malformed"  # in older sessions alone
    FAILED = "failed"  # the network, or the endpoint
    CANCELLED = "cancelled"  # by a person, or by the end of the run
