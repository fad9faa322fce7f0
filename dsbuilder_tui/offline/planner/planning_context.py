"""The planner's knowledge besides the conversation, and its interpretation of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import COMPARING_STAGES


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """What the planner knows besides the conversation."""

    plan: DatasetPlanInput | None = None  # None: nothing is planned yet
    proposed: DatasetPlanInput | None = None  # a plan that waits for the person's yes
    sent_back: DatasetPlanInput | None = None  # the newest one that was proposed and got none
    first: DatasetPlanInput | None = None  # the first one that was proposed
    running: bool = False
    accepted: dict[str, int] = field(default_factory=dict)  # cases by category
    exhausted: dict[str, int] = field(default_factory=dict)  # slots by category, where there are any
    stages: tuple[str, ...] = COMPARING_STAGES  # those that compare, where a category does not say otherwise
    models: str = "built-in"
    tools: tuple[str, ...] = ()  # of the evaluated application, by name
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the plan's cases, with all their values
    branches: tuple[str, ...] = ()  # of the session's history, by name
    folder: Path | None = None  # where paths are seen from; None: a bare name is never one

    @property
    def base(self) -> DatasetPlanInput | None:
        """The plan that a change goes against."""
        return self.proposed or self.plan

    @property
    def stages_by_category(self) -> dict[str, tuple[str, ...]]:
        """The stages that compare in each category; under the empty name those of all others."""
        own = {c.name: c.stages for c in self.base.categories if c.stages is not None} if self.base else {}
        return {"": self.stages, **own}


@dataclass(frozen=True, slots=True)
class Act:
    """A tool to call, with its JSON arguments."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What to do about a message. The words are said before the acts; without acts they are the whole answer."""

    acts: tuple[Act, ...] = ()
    words: str = ""
    asks: bool = False  # the words ask for what was missing; the next message may be the answer
    unread: bool = False  # some of it was not understood, as the words say
