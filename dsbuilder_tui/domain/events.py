"""Every change in a session as a typed event. The TUI, the progress display and the JSON lines read the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from dsbuilder_tui.domain.approval import ApprovalDecision, ApprovalRequest
from dsbuilder_tui.domain.batch_job import BatchJobState
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.clock import iso
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import PauseCause

TEXT_LENGTH = 200  # characters of a case that an event carries


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``ts`` is the wall time in seconds; JSON shows it as ISO 8601 in UTC."""

    type: ClassVar[str] = "event"
    ts: float

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON-ready data: ``type`` and ``ts`` first."""
        return {"type": self.type, "ts": iso(self.ts), **self.facts()}

    def facts(self) -> dict[str, Any]:
        """The event's own facts, JSON-ready, without its time."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "ts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    type: ClassVar[str] = "run_started"
    session: str
    dataset_name: str
    provider: str
    worker_model: str
    planned: int
    accepted: int
    categories: Mapping[str, Mapping[str, int]]  # name → {"planned", "accepted", "rejected", "exhausted"}
    max_workers: int
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted(Event):
    type: ClassVar[str] = "batch_started"
    batch: int
    worker: int
    category: str
    slots: tuple[int, ...]
    attempt: int
    role: CallRole = CallRole.WORKER


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFinished(Event):
    """``dollars`` is None when the model's price is not known. Tokens are ``estimated`` when the endpoint did not say them
    all: of a call that was cut off, or closed behind its last case.
    """

    type: ClassVar[str] = "batch_finished"
    batch: int
    worker: int
    category: str
    outcome: CallOutcome
    delivered: int
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    detail: str = ""
    dollars: float | None = None
    estimated: bool = False
    role: CallRole = CallRole.WORKER


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCalled(Event):
    """The main agent called its model. ``purpose``: turn, preview. ``cached_tokens`` are part of ``prompt_tokens``.

    ``dollars`` is None when the model's price is not known.
    """

    type: ClassVar[str] = "agent_called"
    purpose: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float
    dollars: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAccepted(Event):
    """The case is on disk when this event is sent. ``slot`` is the ordinal within the category.

    ``flags`` are the kinds of its flags: contrast, contradiction, similar.
    """

    type: ClassVar[str] = "case_accepted"
    case_id: str
    category: str
    slot: int
    seq: int
    batch: int
    text: str
    accepted: int
    planned: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJudged(Event):
    """There is a judge's verdict on a case of the dataset. ``failed`` are the criteria that it does not meet.

    ``good``, ``bad`` and ``not_judged`` count the verdicts in its category that stand, this one among them.
    """

    type: ClassVar[str] = "case_judged"
    case_id: str
    category: str
    slot: int
    seq: int
    finding: Judgement
    failed: tuple[str, ...]
    reason: str
    good: int
    bad: int
    not_judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRejected(Event):
    type: ClassVar[str] = "case_rejected"
    category: str
    slot: int
    seq: int
    batch: int
    stage: str
    reason: str
    text: str
    attempt: int
    score: float | None
    threshold: float | None
    nearest_case_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotExhausted(Event):
    type: ClassVar[str] = "slot_exhausted"
    category: str
    slot: int
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEdited(Event):
    """A person changed a case. ``seq`` is that of the case which fills the slot now."""

    type: ClassVar[str] = "case_edited"
    case_id: str
    category: str
    slot: int
    seq: int
    text: str
    change: CaseChange


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWithdrawn(Event):
    """A person took a case out; its slot is open again. It counts as one rejection, which has no event of its own."""

    type: ClassVar[str] = "case_withdrawn"
    case_id: str
    category: str
    slot: int
    seq: int
    text: str
    reason: str
    accepted: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded(Event):
    """Somebody said something."""

    type: ClassVar[str] = "message_added"
    message: Message

    def facts(self) -> dict[str, Any]:
        m = self.message
        kind, data = m.content.recorded_kind, m.content.data()
        return {"seq": m.seq, "role": m.role, "kind": kind, "text": m.text, "data": data}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(Event):
    """The main agent needs a yes before a tool call is carried out."""

    type: ClassVar[str] = "approval_asked"
    call_id: str
    tool: str
    request: ApprovalRequest

    def facts(self) -> dict[str, Any]:
        return {"call_id": self.call_id, "tool": self.tool, "data": self.request.data()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(Event):
    """The question has its answer."""

    type: ClassVar[str] = "approval_decided"
    call_id: str
    tool: str
    decision: ApprovalDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRevised(Event):
    type: ClassVar[str] = "plan_revised"
    revision: int
    planned: int
    categories: Mapping[str, Mapping[str, int]]  # as in ``RunStarted``


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMoved(Event):
    """Cases have come and gone without events of their own. Whatever was read of the session before is to be read anew.

    ``branch`` is the one that is worked on now, ``checkpoint`` where it stands; ``state`` is that of the session, ``revision``
    that of its plan.
    """

    branch: str
    checkpoint: int
    accepted: int
    planned: int
    revision: int
    state: str
    categories: Mapping[str, Mapping[str, int]]  # as in ``RunStarted``
    stages: Mapping[str, int]  # rejections by stage


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSwitched(HeadMoved):
    """The session stands at another point of its history; ``left`` is the branch that holds what was there before."""

    type: ClassVar[str] = "branch_switched"
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMerged(HeadMoved):
    """Cases of the branch ``merged`` were taken over: so many came, so many changed what they say, so many were turned away."""

    type: ClassVar[str] = "branch_merged"
    merged: str
    came: int
    edited: int
    turned_away: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    """A call failed and will be made again in ``wait_s`` seconds."""

    type: ClassVar[str] = "retry_scheduled"
    batch: int
    worker: int
    kind: FailureKind
    wait_s: float
    attempt: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHedged(Event):
    """A call was silent for so many seconds that the same was asked a second time; whichever answers first counts.

    The tokens of both count.
    """

    type: ClassVar[str] = "call_hedged"
    batch: int
    worker: int
    silent_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyChanged(Event):
    type: ClassVar[str] = "concurrency_changed"
    limit: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJobChanged(Event):
    """How a batch job stands: the fields of ``domain.batch_job.BatchJob``."""

    type: ClassVar[str] = "batch_job_changed"
    job: int
    round: int
    model: str
    remote_id: str
    state: BatchJobState
    status: str
    requests: int
    done: int
    failed: int
    since: float
    cancelled: bool
    trouble: str
    next_look: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved(Event):
    type: ClassVar[str] = "checkpoint_saved"
    checkpoint: int
    seq: int
    reason: str
    accepted: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPausing(Event):
    type: ClassVar[str] = "run_pausing"
    draining: int
    reason: str
    cause: PauseCause = PauseCause.ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(Event):
    type: ClassVar[str] = "run_paused"
    accepted: int
    planned: int
    dropped_batches: int
    reason: str
    cause: PauseCause = PauseCause.ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Tokens are those of all worker calls of the session; ``dollars`` is what it has cost, main agent included, or None
    when the price of a model that was used is not known.
    """

    type: ClassVar[str] = "run_finished"
    accepted: int
    planned: int
    rejected: int
    exhausted: int
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWritten(Event):
    type: ClassVar[str] = "export_written"
    path: str
    format: str
    cases: int
    sha256: str = ""  # of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversityMeasured(Event):
    """How different the accepted cases are (see ``domain.figures``); ``final`` just before a run finishes.

    What there is too little for is None. ``cells`` are axis values in a category that are planned.
    """

    type: ClassVar[str] = "diversity_measured"
    cases: int
    variety: float | None
    mean_likeness: float | None
    nearest_likeness: float | None
    packed: float | None
    cells: int
    cells_filled: int
    rejected: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesLogged(Event):
    """How far the session has been logged to MLflow: the fields of ``domain.tracking_state.TrackingState``."""

    type: ClassVar[str] = "cases_logged"
    accepted: int
    waiting: int
    given_up: int
    behind_s: float
    error: str
    retry_in_s: float | None
    link: str
    finished: bool
    traces_waiting: int = 0
    traces_lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsRead(Event):
    """Evaluations of the application were read from MLflow: how many are new or say something else, and what came of the
    session's cases in all. ``worst`` is the category that certainly fails most, empty when none fails."""

    type: ClassVar[str] = "results_read"
    evaluations: int
    cases: int
    passed: int
    failed: int
    errors: int
    easy: int
    worst: str
    worst_bad: int
    worst_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something a person should read."""

    type: ClassVar[str] = "notice"
    level: NoticeLevel
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsSkipped(Event):
    """A slow reader missed ``count`` events; it should read the session's summary again."""

    type: ClassVar[str] = "events_skipped"
    count: int
