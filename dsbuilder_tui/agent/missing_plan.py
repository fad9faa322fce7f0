"""A turn that ended without a plan: what the model said in its place, the likely cause, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dsbuilder_tui.agent.tools.plan_proposal import ProposePlan
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.message import MessageRole, TextContent, ToolContent
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session import Session

_MOST_QUOTED = 200  # characters
_LOOKED_AT = 200  # of the newest messages
_OTHERS = (
    "take another one (--model, or the settings), or write the plan in a file and give that to `dsbuilder run`; "
    "`dsbuilder doctor` tries whether a model calls tools"
)


class MissingPlanCause(Enum):
    """Why there is no plan: what is likely, of a model with the name {model}, and what helps."""

    IN_WORDS = (
        "{model} answered in words and called no tool, as models without tool calling do",
        f"If it asks something, answer it. If it never calls a tool, {_OTHERS}.",
    )
    QUESTION = (
        "{model} answered in words, and may want to know more",
        "Answer it, or tell it to propose the plan with what it has.",
    )
    UNUSABLE = (
        "what {model} proposed is no plan that can be used",
        f"Say it in other words or ask for less at once, or {_OTHERS}.",
    )
    REFUSED = ("{model} refused", f"Say what the cases are for, or {_OTHERS}.")
    ENDPOINT = ("the endpoint would not serve {model}, as it says", f"Mend that, or {_OTHERS}.")
    FAILED = ("the answer of {model} could not be had", f"Send it again, or {_OTHERS}.")

    def likely(self, model: str) -> str:
        """The likely cause, in words."""
        return self.value[0].format(model=model)

    @property
    def remedy(self) -> str:
        """What helps, in whole sentences."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class PlanMissing:
    """A turn has ended without a plan. ``said`` is the beginning of what came in its place; empty when nothing did.

    ``again`` says that it is not the first turn in a row that ended so.
    """

    cause: MissingPlanCause
    model: str
    said: str = ""
    again: bool = False

    @property
    def text(self) -> str:
        """All of it, for a person."""
        whose = "What is wrong with it" if self.cause is MissingPlanCause.UNUSABLE else "It said"
        said = f" {whose}: “{self.said}”." if self.said else ""
        return f"No plan was drawn up: {self.cause.likely(self.model)}.{said} {self.cause.remedy}"

    @property
    def needs_notice(self) -> bool:
        """Whether the conversation does not say so already: a question, and an error, speak for themselves."""
        if self.cause is MissingPlanCause.IN_WORDS:
            return self.again
        return self.cause in (MissingPlanCause.UNUSABLE, MissingPlanCause.REFUSED)


async def missing_plan(session: Session, *, failed: ExitCode | None, refused: bool) -> PlanMissing | None:
    """What a turn that is over has to say of the plan that it left out; None when there is one, or one was proposed.

    ``failed`` is the exit code of the error that it ended with, if it did.
    """
    if session.planned or await session.approvals.open() is not None:
        return None
    messages = await session.chat.messages(_LOOKED_AT)
    turns = [number for number, message in enumerate(messages) if message.role == MessageRole.PERSON]
    turn = messages[turns[-1] + 1 :] if turns else messages
    words = [m.text for m in turn if m.role == MessageRole.AGENT and isinstance(m.content, TextContent)]
    calls = [m for m in messages if isinstance(m.content, ToolContent)]
    wrong = [m.text for m in turn if isinstance(m.content, ToolContent) and m.content.tool == ProposePlan.name]
    said = words[-1] if words else ""
    if failed is not None:
        cause, said = MissingPlanCause.FAILED, ""
        if failed is ExitCode.ENDPOINT_REFUSED:
            cause = MissingPlanCause.ENDPOINT
    elif refused:
        cause = MissingPlanCause.REFUSED
    elif wrong:
        cause, said = MissingPlanCause.UNUSABLE, wrong[-1]
    elif calls or provider_of(session.config).make_agent_model is None:
        cause = MissingPlanCause.QUESTION
    else:
        cause = MissingPlanCause.IN_WORDS
    has_model = provider_of(session.config).make_agent_model is not None
    model = session.config.model if has_model else "the built-in planner"
    return PlanMissing(cause, model, one_line(said, _MOST_QUOTED), again=len(turns) > 1)
