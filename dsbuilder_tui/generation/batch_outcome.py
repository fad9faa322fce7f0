"""The outcome of one model call, as it is filled in while the call goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.generation.call_log import CallTrace


@dataclass(slots=True)
class BatchOutcome:
    """How a worker call ended, and what came in it. ``written`` and ``thought`` are characters."""

    outcome: CallOutcome = CallOutcome.OK
    retries: int = 0
    failures: int = 0  # of these tries, those that failed though the endpoint lets calls in
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    detail: str = ""
    refused: FailureKind | None = None  # in which way the endpoint turned the request away
    delivered: set[int] = field(default_factory=set)  # indexes into the batch's slots
    drafts: set[int] = field(default_factory=set)  # those of them whose case was a draft, as was seen later
    found: int = 0  # cases that were in the answer, surplus included
    quote: str = ""  # the beginning of the answer
    written: int = 0
    thought: int = 0
    only_thoughts: bool = False
    cut: bool = False  # the answer had reached its limit, or was endless
    max_tokens: int = 0  # that the answer could take
    trace: CallTrace | None = None  # for whoever watches
    hurry: asyncio.Event | None = None  # there is one while the call waits to be made again; set it to end the wait
