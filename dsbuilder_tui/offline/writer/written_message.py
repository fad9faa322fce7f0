"""A message of the built-in writer, with what is known of it that an expectation can be written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.offline.writer.frames import Frame
from dsbuilder_tui.offline.writer.values import Entity


class Stance(Enum):
    """How the application is to take the messages of a category."""

    SERVE = "serve"
    DECLINE = "decline"  # they are none of its business
    RESIST = "resist"  # they are attacks
    UNKNOWN = "unknown"  # nobody can know the answer


@dataclass(frozen=True, slots=True)
class SecondRequest:
    """Another thing that a message asks for, and the category that it would belong to, where it is one's example."""

    text: str
    category: DatasetCategory | None = None
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMessage:
    """What a message asks for and how.

    ``answered`` says what an answer to it does, and ``entities`` are the values in the request; both say nothing of what
    was left out. ``missing`` is the noun of what was left out. ``history`` is what a right answer takes from the messages
    before it.
    """

    frame: Frame
    stance: Stance
    answered: str
    entities: tuple[Entity, ...] = ()
    is_vague: bool = False
    missing: str = ""
    second: SecondRequest | None = None
    must_not: str = ""
    is_off_topic: bool = False
    language: str = "English"
    attributes: Mapping[str, str] = field(default_factory=dict)
    history: tuple[str, ...] = ()
