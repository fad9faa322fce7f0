"""Messages of a conversation: who said it, the words, and content of its own for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.sanitise import whole_characters


class MessageRole(StrEnum):
    """Who says something."""

    PERSON = "person"
    AGENT = "agent"
    DSBUILDER = "dsbuilder"


class MessageKind(StrEnum):
    """Kinds of messages, as the session file names them."""

    TEXT = "text"
    PLAN = "plan"
    QUESTION = "question"
    TOOL = "tool"
    THOUGHTS = "thoughts"  # of the agent's model, before it spoke or acted
    COMMAND = "command"  # what a slash command answers
    NOTICE = "notice"
    ERROR = "error"
    WELCOME = "welcome"
    OTHER = "other"  # of a later version, or damaged


class RecordedModel(BaseModel):
    """A record that is kept as JSON. Fields that a later version added are kept as they came."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _with_whole_characters(cls, data: Any) -> Any:
        return whole_characters(data)

    def data(self) -> dict[str, Any]:
        """As the session file and the JSON lines hold it: what was given, JSON-ready."""
        return self.model_dump(mode="json", exclude_unset=True)


class MessageContent(RecordedModel):
    """What a message carries besides its words; nothing, unless its kind says otherwise."""

    kind: ClassVar[MessageKind]

    @property
    def recorded_kind(self) -> str:
        """The kind by the name that the session file has for it."""
        return self.kind


class TextContent(MessageContent):
    """Words of a person or of the agent, with the large texts that were pasted into them, by number."""

    kind = MessageKind.TEXT
    pastes: dict[int, str] = Field(default_factory=dict)


class PlanRow(RecordedModel):
    """A category of a plan on its card. ``was`` is its count in the plan before; ``count`` is 0 for one taken out."""

    name: str
    count: int
    was: int | None = None
    axes: int
    combinations: int
    case_kind: CaseKind = CaseKind.SINGLE


class PlanPart(RecordedModel):
    """A part of a plan, such as an axis with its values: what stays of it, goes and comes; of ``more`` items nothing is
    told."""

    subject: str
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    more: int = 0


class PlanContent(MessageContent):
    """A plan as a card. With ``call`` it is a proposal of the agent, which waits for the person's yes. ``writing`` says in
    words what is written for each case, ``differences`` what else than counts and ``axes`` differs from the plan before."""

    kind = MessageKind.PLAN
    revision: int = 1
    planned: int = 0
    rows: tuple[PlanRow, ...]
    changed: bool = False
    call: str = ""
    dataset: str = ""
    writing: str = ""
    notes: tuple[str, ...] = ()
    axes: tuple[PlanPart, ...] = ()
    differences: tuple[PlanPart, ...] = ()


class QuestionContent(MessageContent):
    """A question that needs a yes or a no before a tool is carried out."""

    kind = MessageKind.QUESTION
    call: str = ""
    tool: str = ""


class ToolContent(MessageContent):
    """What a tool was given and what it answered, both clipped; ``seconds`` it took."""

    kind = MessageKind.TOOL
    call: str = ""
    tool: str = ""
    ok: bool = True
    seconds: float = 0.0
    arguments: str = ""
    answer: str = ""


class ThoughtsContent(MessageContent):
    """What the agent's model thought, clipped, and the ``seconds`` that it took; no answer, and not remembered by it."""

    kind = MessageKind.THOUGHTS
    thoughts: str = ""
    seconds: float = 0.0


class CommandContent(MessageContent):
    """The answer of a slash command."""

    kind = MessageKind.COMMAND


class NoticeContent(MessageContent):
    """A line about what happened."""

    kind = MessageKind.NOTICE


class ErrorContent(MessageContent):
    """A line about what went wrong."""

    kind = MessageKind.ERROR


class WelcomeContent(MessageContent):
    """What is said before anybody has said anything."""

    kind = MessageKind.WELCOME


class OtherContent(MessageContent):
    """Content that this version cannot read: the words of the message are all there is to show."""

    kind = MessageKind.OTHER
    recorded: str
    given: Any

    @property
    def recorded_kind(self) -> str:
        return self.recorded

    def data(self) -> Any:
        return self.given


_CONTENTS: Mapping[str, type[MessageContent]] = {
    content.kind: content
    for content in (
        TextContent, PlanContent, QuestionContent, ToolContent, CommandContent, NoticeContent, ErrorContent, WelcomeContent,
        ThoughtsContent,
    )
}  # fmt: skip


def message_content(kind: str, data: Any) -> MessageContent:
    """The content of a message out of what the session file holds; ``OtherContent`` when this version cannot read it."""
    try:
        return _CONTENTS[kind].model_validate(data)
    except (KeyError, ValidationError):
        return OtherContent(recorded=kind, given=data)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation. ``role`` is plain text where a later version knows one more."""

    seq: int
    role: MessageRole | str
    text: str
    content: MessageContent
    created_at: float

    @property
    def kind(self) -> MessageKind:
        """What kind of message it is."""
        return self.content.kind

    @property
    def call(self) -> str:
        """The call of the agent that it tells of; empty when there is none."""
        match self.content:
            case PlanContent(call=call) | QuestionContent(call=call) | ToolContent(call=call):
                return call
        return ""
