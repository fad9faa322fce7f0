"""Approvals: what the agent needs a person's yes for, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_serializer, model_validator

from dsbuilder_tui.domain.message import PlanContent, RecordedModel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters


class ApprovalState(StrEnum):
    """How far a question has come."""

    OPEN = "open"
    DECIDED = "decided"  # the answer is known and has had no effect yet
    SETTLED = "settled"


class ApprovalDecision(StrEnum):
    """The answer to a question."""

    UNDECIDED = ""
    APPROVED = "approved"
    DECLINED = "declined"
    REPLACED = "replaced"  # by a later question


class ApprovalKind(StrEnum):
    """Kinds of questions, as the session file names them."""

    PLAN = "plan"
    QUESTION = "question"
    OTHER = "other"  # of a later version, or damaged


class QuestionSubject(StrEnum):
    """What a yes to a question lets happen."""

    RUN = "run"  # the plan is carried out: cases are written, or the dataset is finished as it was asked for
    READING = "reading"  # a file or folder that the person did not name is read
    WRITING = "writing"  # a file outside of the session's folder is written, or one is replaced
    SETTING = "setting"  # another model is used than the person named
    SESSION = "session"  # this session is left for another one
    HISTORY = "history"  # the session goes back, and what is there now is left behind on a branch
    OTHER = "other"  # of another version, which did not say


class _Request(RecordedModel):
    """What every question has in common. ``arguments`` are those of the tool call, ``said`` the person's words to it."""

    def for_call(self, arguments: dict[str, Any]) -> Self:
        """The question as it is asked about a call with these arguments."""
        return self.model_copy(update={"arguments": whole_characters(arguments)})

    def answered(self, said: str, edited: DatasetPlanInput | None = None) -> Self:
        """With the person's words; ``edited`` is a proposed plan as they changed it."""
        return self.model_copy(update={"said": whole_characters(said)})

    def unanswered(self) -> Self:
        """As it was asked."""
        return self.model_copy(update={"said": None})

    def data(self) -> dict[str, Any]:
        absent = {name for name in ("said", "edited") if getattr(self, name, None) is None}
        return self.model_dump(mode="json", exclude_unset=True, exclude=absent)

    @model_validator(mode="before")
    @classmethod
    def _with_kind(cls, data: Any) -> Any:
        # It is written down also where it was not given.
        return {**data, "kind": cls.model_fields["kind"].default} if isinstance(data, Mapping) else data


class PlanApproval(_Request):
    """A proposed plan: its card, what it is ``against`` (a revision), what it renames and changes."""

    card: PlanContent
    plan: DatasetPlanInput
    against: int = 0
    renamed: dict[str, str] = Field(default_factory=dict)
    changes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()  # parts of the request that the plan does not have, in the person's words
    text: str = ""
    kind: Literal[ApprovalKind.PLAN] = ApprovalKind.PLAN
    arguments: dict[str, Any] = Field(default_factory=dict)
    said: str | None = None
    edited: DatasetPlanInput | None = None

    @property
    def wanted(self) -> DatasetPlanInput:
        """The plan as the person may have edited it."""
        return self.edited or self.plan

    def answered(self, said: str, edited: DatasetPlanInput | None = None) -> Self:
        return self.model_copy(update={"said": whole_characters(said), "edited": edited})

    def unanswered(self) -> Self:
        return self.model_copy(update={"said": None, "edited": None})

    @field_serializer("plan", "edited")
    def _whole_plan(self, plan: DatasetPlanInput | None) -> dict[str, Any] | None:
        return None if plan is None else plan.model_dump(mode="json")


class QuestionApproval(_Request):
    """A question in a sentence, and what it is about."""

    text: str
    subject: QuestionSubject = QuestionSubject.OTHER
    kind: Literal[ApprovalKind.QUESTION] = ApprovalKind.QUESTION
    arguments: dict[str, Any] = Field(default_factory=dict)
    said: str | None = None


class OtherApproval(_Request):
    """A question that this version cannot read: shown by its words, ``given`` is what the session file holds."""

    text: str = ""
    kind: Literal[ApprovalKind.OTHER] = ApprovalKind.OTHER
    arguments: dict[str, Any] = Field(default_factory=dict)
    said: str | None = None
    given: Any

    def unanswered(self) -> Self:
        given = self.given
        if isinstance(given, Mapping):
            given = {key: value for key, value in given.items() if key not in ("said", "edited")}
        return self.model_copy(update={"said": None, "given": given})

    def data(self) -> Any:
        said = {} if self.said is None else {"said": self.said}
        return {**self.given, **said} if isinstance(self.given, Mapping) else self.given


ApprovalRequest = PlanApproval | QuestionApproval | OtherApproval


def is_of_the_run(request: ApprovalRequest) -> bool:
    """Whether a yes that was given beforehand, to the plan and the run, is an answer to this."""
    if isinstance(request, PlanApproval):
        return True
    return isinstance(request, QuestionApproval) and request.subject is QuestionSubject.RUN


_READABLE: TypeAdapter[PlanApproval | QuestionApproval] = TypeAdapter(
    Annotated[PlanApproval | QuestionApproval, Field(discriminator="kind")]
)


def approval_request(data: Any) -> ApprovalRequest:
    """A question out of what the session file holds; ``OtherApproval`` when this version cannot read it."""
    known = {"kind": ApprovalKind.QUESTION, "text": "", **data} if isinstance(data, Mapping) else {}
    if known.get("subject", QuestionSubject.OTHER) not in list(QuestionSubject):
        known["subject"] = QuestionSubject.OTHER
    try:
        return _READABLE.validate_python(known)
    except ValidationError:
        text, arguments, said = known.get("text"), known.get("arguments"), known.get("said")
        return OtherApproval(
            text=text if isinstance(text, str) else "",
            arguments=arguments if isinstance(arguments, dict) else {},
            said=said if isinstance(said, str) else None,
            given=data,
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """A question that needs the person's yes, asked by a tool call."""

    call_id: str
    seq: int
    tool: str
    request: ApprovalRequest
    state: ApprovalState
    decision: ApprovalDecision
    created_at: float
