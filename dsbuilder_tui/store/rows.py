"""The rows that go into the session file together, and come out of it, as data."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Exhausted, Rejection, Usage
from dsbuilder_tui.domain.judging import Judgement, Verdict


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """One worker call as it is remembered: what it cost and how it ended."""

    seq: int
    category: str
    batch: int
    model: str
    size: int
    outcome: CallOutcome
    delivered: int
    retries: int
    usage: Usage
    seconds: float
    detail: str
    created_at: float
    worker: int = 0
    role: CallRole = CallRole.WORKER
    batched: bool = False  # made in a batch job, which costs less


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """What a model answered to a worker call, as it came.

    ``seq`` is the place of the call in the history, ``ordinals`` are its slots in the order of its prompt.
    """

    seq: int
    category: str
    ordinals: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class AgentCall:
    """One call of the main agent as it is remembered. ``purpose``: turn, preview."""

    seq: int
    purpose: str
    model: str
    usage: Usage
    seconds: float
    created_at: float


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A line for the session's history; ``category`` and ``ordinal`` when it is about one case."""

    seq: int
    kind: str
    data: dict[str, Any]
    created_at: float
    category: str | None = None
    ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Take the case ``seq`` out of the dataset. ``replaced_by`` is the case that takes its slot at once, if one does."""

    seq: int
    category: str
    withdrawn_seq: int
    reason: str
    withdrawn_at: float
    replaced_by: int | None = None


@dataclass(frozen=True, slots=True)
class CaseLikeness:
    """How like an accepted case is to the nearest before it, in each stage; guarded pairs are not counted."""

    seq: int
    near: float | None
    near_seq: int | None
    semantic: float | None
    semantic_seq: int | None


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """A judge's verdict on the case ``case_seq``, which said these ``inputs`` and ``expectations`` then.

    It stands only if the case still says so when it is written.
    """

    seq: int
    category: str
    ordinal: int
    case_seq: int
    inputs: dict[str, Any]
    expectations: dict[str, Any]
    verdict: Verdict
    created_at: float


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """A verdict as it is remembered."""

    seq: int
    category: str
    ordinal: int
    case_seq: int
    finding: Judgement
    failed: tuple[str, ...]
    reason: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedCase:
    """What the last finished stage of writing has made for an open slot.

    ``made_for`` is a digest of what the slot asked for; ``body`` holds inputs, expectations and tags, ``trail`` the finished
    stages with what came of each, as JSON. ``batch`` and ``model`` are those of the call that wrote it.
    """

    category: str
    ordinal: int
    made_for: str
    body: dict[str, Any]
    trail: list[dict[str, Any]]
    batch: int
    model: str
    created_at: float


@dataclass(frozen=True, slots=True)
class SlotUnstaged:
    """The gate has decided about what was staged for this slot, or nobody wants it any more."""

    category: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """What the session file says about one slot: its case, its last attempt, and whether it is exhausted."""

    case: AcceptedCase | None
    attempt: int
    exhausted: bool


@dataclass(slots=True)
class Changes:
    """What one commit writes, together.

    Cases leave (``withdrawn``, and ``reopened`` exhausted slots) before others come in, so that one commit can hold a
    withdrawal and the case that fills the slot anew. Only cases that are on disk already may be withdrawn or edited.
    """

    withdrawn: list[Withdrawal] = field(default_factory=list)
    reopened: list[tuple[str, int]] = field(default_factory=list)  # slots no longer exhausted

    accepted: list[AcceptedCase] = field(default_factory=list)
    likeness: list[CaseLikeness] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    exhausted: list[Exhausted] = field(default_factory=list)
    calls: list[WorkerCall] = field(default_factory=list)
    answers: list[WorkerAnswer] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    edited: list[AcceptedCase] = field(default_factory=list)
    verdicts: list[CaseVerdict] = field(default_factory=list)
    staged: list[StagedCase | SlotUnstaged] = field(default_factory=list)  # in the order in which it happened
    history: list[HistoryRow] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)

    def __add__(self, later: Changes) -> Changes:
        lists = {f.name: getattr(self, f.name) + getattr(later, f.name) for f in fields(self) if f.name != "meta"}
        return Changes(**lists, meta={**self.meta, **later.meta})

    def __len__(self) -> int:
        return sum(len(getattr(self, name)) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class CategoryProgress:
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0


@dataclass(frozen=True, slots=True)
class RemovedText:
    """What a case said that is gone, or says something else by now. It must not come back."""

    seq: int
    category: str
    ordinal: int
    inputs: dict[str, Any]
    expectations: dict[str, Any]


FilledSlot = tuple[int, int | None, int]  # ordinal, structure, seq


class FilledSlots(Collection[FilledSlot]):
    """The slots of a category that have a case, in order of seq; 24 bytes each. A structure of 0 stands for none."""

    def __init__(self) -> None:
        self._columns = (array("q"), array("q"), array("q"))

    def append(self, ordinal: int, structure: int | None, seq: int) -> None:
        """Add a slot."""
        for column, value in zip(self._columns, (ordinal, structure or 0, seq), strict=True):
            column.append(value)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[FilledSlot]:
        return ((ordinal, structure or None, seq) for ordinal, structure, seq in zip(*self._columns, strict=True))

    def __contains__(self, slot: object) -> bool:
        return any(slot == one for one in self)


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """What the slot ledger needs at the start of a run."""

    filled: Mapping[str, Collection[FilledSlot]]  # by category, in order of seq
    attempts: dict[tuple[str, int], tuple[int, int, list[int]]]  # open slot → (last attempt, tries, nearest seqs)
    exhausted: dict[str, list[int]]
    gone: list[RemovedText] = field(default_factory=list)
    retired: dict[str, list[int]] = field(default_factory=dict)  # slots that a plan revision has taken out
    critiques: dict[tuple[str, int], str] = field(default_factory=dict)  # open slot → what was wrong with the last try
