"""A session as MLflow's run shows it: its parameters, figures and plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.tracking.described_target import DescribedTarget
from dsbuilder_tui.tracking.logged_session import LoggedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """``params`` are written when the run is new, ``metrics`` again and again, at the step of ``accepted`` cases;
    revisions of the plan, by number, that were not written yet, and what ``kept`` holds of the session when it has changed.
    ``target`` names the evaluated application where MLflow knows it, ``model_id`` is that of its logged model;
    ``described`` is what the plan says of it, for where MLflow does not know it yet.
    """

    name: str
    dataset_name: str
    scenarios_apart: bool
    plans: Mapping[int, Mapping[str, Any]]
    params: Mapping[str, str]
    metrics: Mapping[str, float] = field(default_factory=dict)
    accepted: int = 0
    target: str = ""
    model_id: str = ""
    described: DescribedTarget | None = None
    kept: LoggedSession | None = None
    report: Mapping[str, Any] | None = None
