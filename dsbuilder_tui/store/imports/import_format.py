"""One format of a file that becomes a session: how it is recognised, what reads it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.plan import DatasetPlanInput


@dataclass(frozen=True, slots=True)
class ImportedCase:
    """A case for one slot of the plan that comes with it; ``ordinal`` counts from 1 within its category."""

    category: str
    ordinal: int
    inputs: dict[str, Any]
    expectations: dict[str, Any]
    tags: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportedDataset:
    """A file, read and checked: a plan, and cases for some or all of its slots.

    ``session_id`` is set when a session of dsbuilder wrote it; ``notes`` say what was mended. ``retired`` are slots that
    a plan revision has taken out, in order; a category has so many more ordinals than its count.
    """

    plan: DatasetPlanInput
    cases: Sequence[ImportedCase]
    session_id: str | None = None
    seed: int | None = None
    notes: Sequence[str] = ()
    retired: Mapping[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFormat:
    """A row of the registry ``dsbuilder.import_formats``.

    ``ending`` is how the names of such files end. ``read`` takes the path of a file that can be opened; it raises
    ``InputError`` or ``PlanError`` naming what is wrong in the file.
    """

    ending: str
    read: Callable[[Path], ImportedDataset]
