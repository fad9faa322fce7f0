"""The event of an act that was undone or redone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.undo import ActKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ActUndone(Event):
    """An act was undone, or ``redone``: ``words`` say which. Whatever was read of what it changed is to be read anew.

    ``counts`` says by how many the counters of categories have changed, ``stages`` the rejections by stage. ``case_id`` is that
    of the case that it was about, if it was about one. A plan, or another point of the history, has an event of its own besides.
    """

    type: ClassVar[str] = "act_undone"
    act: ActKind
    words: str
    redone: bool
    counts: Mapping[str, Mapping[str, int]]
    stages: Mapping[str, int]
    case_id: str = ""
