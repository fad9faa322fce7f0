"""Slots, candidates, accepted cases and rejections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind, kind_of_tags
from dsbuilder_tui.domain.case_pair import PlannedPair
from dsbuilder_tui.domain.conversation import turns_of, user_turns
from dsbuilder_tui.domain.flags import flags_of
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.row_axis import SourceRow

IMPORTED_FROM = "imported_from"
"""The tag of a case that came with a file of rows: the name of that file."""
TIMES_ASKED = "times_asked"
"""The tag of a case that users asked more than once, word for word: how often."""


def times_asked(tags: Mapping[str, Any]) -> int:
    """How often users asked what has these tags; once where they do not say."""
    times = tags.get(TIMES_ASKED)
    return times if isinstance(times, int) and times > 1 else 1


def case_id(category: str, ordinal: int) -> str:
    """The stable name of the case that fills a slot: ``order_status-00017``."""
    return f"{category}-{ordinal:05d}"


def slot_of(named: str) -> tuple[str, int] | None:
    """Category and ordinal of a case by its name; None for what is none."""
    category, _, ordinal = named.rpartition("-")
    return (category, int(ordinal)) if category and ordinal.isascii() and ordinal.isdigit() else None


def runs(ordinals: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Growing numbers as (first, last) of each stretch without a gap."""
    first = 0
    for place, ordinal in enumerate(ordinals):
        if place + 1 == len(ordinals) or ordinals[place + 1] != ordinal + 1:
            yield ordinals[first], ordinal
            first = place + 1


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned case. ``ordinal`` counts from 1 within its category; ``passages`` are what it is to be written from, ``row``
    what it is to be about.

    With a ``pair`` it is to be the partner of another case, ``original``, which is known when the slot is written; as well as
    the case ``varied``, at which the application failed, in the slot that it ``varies``; ``failures`` say why, as scorers did.
    """

    category: str
    ordinal: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    pair: PlannedPair | None = None
    original: AcceptedCase | None = None
    row: SourceRow | None = None
    varies: int | None = None
    varied: AcceptedCase | None = None
    failures: tuple[str, ...] = ()

    @property
    def case_id(self) -> str:
        return case_id(self.category, self.ordinal)

    @property
    def source(self) -> str:
        """The text of its passages and its row; empty where it has none."""
        return "\n\n".join((*(p.text for p in self.passages), *((self.row.text,) if self.row else ())))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that a worker wrote and nobody has judged yet. ``raw`` is what the model said, parsed."""

    slot: Slot
    attempt: int
    raw: Any
    batch: int
    model: str


@dataclass(frozen=True, slots=True)
class AcceptedCase:
    """A candidate the gate let in. ``seq`` is its place in the session's history, ``batch`` the worker call it came from
    (0 when unknown).

    With ``damaged`` its checksum does not match: ``inputs`` then holds the raw text as ``query``.
    """

    seq: int
    category: str
    ordinal: int
    inputs: dict[str, Any]
    expectations: dict[str, Any]
    tags: dict[str, Any]
    created_at: float
    structure: int | None = None
    batch: int = 0
    damaged: bool = False

    @property
    def case_id(self) -> str:
        return case_id(self.category, self.ordinal)

    @property
    def kind(self) -> CaseKind:
        """What it is: one request, a conversation, or a scenario."""
        return kind_of_tags(self.tags)

    @property
    def flag_kinds(self) -> tuple[str, ...]:
        """What is worth knowing about it beside the cases it was compared with: contrast, contradiction, similar."""
        return tuple(flag.kind for flag in flags_of(self.tags))

    def record(self) -> dict[str, Any]:
        """The case as an MLflow evaluation-dataset record."""
        return {
            "inputs": self.inputs,
            "expectations": self.expectations,
            "tags": {"case_id": self.case_id, "category": self.category, "slot": self.ordinal, **self.tags},
        }


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate turned away: which stage, how close to what, and why in words.

    ``candidate`` holds ``inputs``, ``expectations`` and ``tags`` when it was a whole case, so that it can be kept after all.
    """

    seq: int
    category: str
    ordinal: int
    attempt: int
    stage: str
    reason: str
    text: str
    created_at: float
    score: float | None = None
    threshold: float | None = None
    nearest_seq: int | None = None
    nearest_case_id: str | None = None
    batch: int = 0
    candidate: dict[str, Any] | None = None


def exhausted_words(tries: int, stage: str, reason: str) -> str:
    """Why a slot is exhausted, in words."""
    return f"{tries} tries, the last one turned away at {stage}: {reason}"


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A slot whose attempts are used up. ``seq`` is that of its last rejection."""

    seq: int
    category: str
    ordinal: int
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point in a session's history that can be returned to: a row, not a copy.

    ``seq`` is its place in the history, ``reason`` why it was written (a ``CheckpointCause``), ``branch`` the name of the branch
    on whose line it lies. ``revision`` is that of the plan and ``message_seq`` the place of the last message by then. ``before``
    is the checkpoint that lies before it on its line, None where it is the first: so all of them together are a tree.
    """

    id: int
    seq: int
    reason: str
    accepted: int
    planned: int
    created_at: float
    name: str = ""
    note: str = ""
    branch: str = "main"
    revision: int = 1
    message_seq: int = 0
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or many model calls. ``known`` is false when the server did not report them, ``estimated`` when some
    were counted by the length of the texts instead.

    ``cached_tokens`` are those of ``prompt_tokens`` that came out of the provider's prompt cache, ``reasoning_tokens``
    those of ``completion_tokens`` that the model spent on thinking.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    known: bool = False
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            known=self.known or other.known,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated=self.estimated or other.estimated,
        )


def display_text(inputs: object) -> str:
    """The inputs as one line a person reads: the values, in the plan's field order; of messages what the user says."""
    if not isinstance(inputs, Mapping):
        return str(inputs)
    return " · ".join(" ".join(_in_words(value).split()) for value in inputs.values())


def _in_words(value: object) -> str:
    if turns_of(value):
        return " / ".join(user_turns(value))
    return "; ".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else str(value)
