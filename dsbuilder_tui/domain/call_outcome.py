"""How a worker call ended."""

from __future__ import annotations

from enum import StrEnum


class CallOutcome(StrEnum):
    """How a worker call ended; as it stands in the session file."""

    OK = "ok"  # with cases, all or fewer than asked for
    TRUNCATED = "truncated"  # cut off by its length, or within a case
    TOO_LARGE = "too_large"  # the request did not fit the model's context
    REFUSED = "refused"  # by the model in words, or by a content filter
    UNUSABLE = "unusable"  # there was JSON, and no case in it
    EMPTY = "empty"
    FAILED = "failed"  # the network, or the endpoint
    CANCELLED = "cancelled"
