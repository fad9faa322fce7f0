"""Events of one turn of the main agent, piece by piece, for whoever shows it.

``TurnProgress`` is what is under way and kept nowhere. Everything else is kept by the session as a message too: who draws the
session's messages needs the progress only.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.errors import ExitCode


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A few more words of what the agent says."""

    text: str


@dataclass(frozen=True, slots=True)
class TextFinished:
    """The agent has said this to its end; the session keeps it as a message."""

    text: str


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
class ToolFinished:
    """A tool has answered: ``said`` in one line, ``detail`` for whoever looks closer. ``seconds`` it took."""

    call_id: str
    tool: str
    ok: bool
    said: str
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A question for the person; the turn ends here and goes on with the answer."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn could not go on: what happened, and the way out."""

    text: str
    exit_code: ExitCode = ExitCode.FAILED


TurnProgress = TextDelta | Activity | ToolStarted
TurnEvent = TurnProgress | TextFinished | ToolFinished | QuestionAsked | TurnFailed
