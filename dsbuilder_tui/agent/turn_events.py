"""Events of one turn of the main agent, piece by piece, for whoever shows it.

``TurnProgress`` is what is under way and kept nowhere. A ``Message`` is what came of it: the very one that the session keeps and
announces with ``MessageAdded``, so that who draws the session's messages needs the progress only. ``QuestionAsked`` and
``TurnFailed`` say how a turn ended that came to no end of its own, ``PlanMissing`` that it has left the session without a plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.agent.missing_plan import PlanMissing
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.message import Message


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A few more words of what the agent says."""

    text: str


@dataclass(frozen=True, slots=True)
class WordsWithdrawn:
    """What has come in ``TextDelta`` since the last message was a thought, as its end has shown; it is not said."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What is happening now, for the line with the spinner."""

    words: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is being carried out; ``words`` say what it does."""

    call_id: str
    tool: str
    words: str


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A question for the person; the turn ends here and goes on with the answer."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn could not go on: what happened, and the way out."""

    text: str
    exit_code: ExitCode = ExitCode.FAILED


TurnProgress = TextDelta | WordsWithdrawn | Activity | ToolStarted
TurnEvent = TurnProgress | Message | QuestionAsked | TurnFailed | PlanMissing
