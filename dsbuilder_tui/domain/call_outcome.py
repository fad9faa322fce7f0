"""The outcome of a worker call: how it ended."""

from __future__ import annotations

from collections.abc import Mapping
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


# How it ended, in a word or two, and what that means for the cases that were asked for.
CALL_ENDINGS: Mapping[CallOutcome, str] = {
    CallOutcome.OK: "done", CallOutcome.TRUNCATED: "cut off", CallOutcome.TOO_LARGE: "too large", CallOutcome.REFUSED: "refused",
    CallOutcome.EMPTY: "empty answer", CallOutcome.UNUSABLE: "no case in it", CallOutcome.MALFORMED: "malformed",
    CallOutcome.FAILED: "failed", CallOutcome.CANCELLED: "cancelled",
}  # fmt: skip
CALL_REASONS: Mapping[CallOutcome, str] = {
    CallOutcome.OK: "the answer came whole",
    CallOutcome.TRUNCATED: "the answer broke off at its greatest length, or within a case",
    CallOutcome.TOO_LARGE: "the request did not fit the model",
    CallOutcome.REFUSED: "the model, or a content filter, refused",
    CallOutcome.EMPTY: "the answer was empty",
    CallOutcome.UNUSABLE: "the answer held no case",
    CallOutcome.MALFORMED: "the answer could not be read",
    CallOutcome.FAILED: "the endpoint gave no answer",
    CallOutcome.CANCELLED: "it was cut off by hand, or by the end of the run",
}
