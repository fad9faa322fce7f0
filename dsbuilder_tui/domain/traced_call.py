"""A model call that has ended, as it is told to MLflow."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Usage

MOST_TEXT = 32 * 1024  # characters that are kept of each text


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedCall:
    """Who called (``worker``, ``judge``, ``main agent``, …), with what, and how it ended.

    ``started`` and ``ended`` are wall times, ``first_text`` is seconds from the start. ``key`` is 32 hex digits, by which a call
    that is sent twice is there once. Texts may be cut to ``MOST_TEXT`` characters at their end, see ``begun_with``.
    """

    caller: str
    model: str
    system: str
    messages: tuple[tuple[str, str], ...]  # role, text
    answer: str
    started: float
    ended: float
    outcome: CallOutcome
    usage: Usage
    category: str = ""
    batch: int = 0
    slots: tuple[int, ...] = ()
    delivered: int = 0
    retries: tuple[str, ...] = ()  # why each was made
    first_text: float | None = None
    detail: str = ""
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def size(self) -> int:
        """Characters of all texts."""
        return len(self.system) + len(self.answer) + len(self.detail) + sum(len(text) for _, text in self.messages)


def begun_with(text: str) -> str:
    """The beginning of a text, as much of it as is kept."""
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT]
