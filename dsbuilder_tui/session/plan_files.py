"""Plans that lie in files: YAML or JSON from a path or a text, and the examples that come with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.registered_reference import is_registered
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rubric_file import with_rubric_file
from dsbuilder_tui.store.plan_file import example_names, load_example, plan_of_text, read_plan

__all__ = [
    "PlanFile",
    "example_names",
    "load_example",
    "load_plan",
    "plan_of_text",
    "read_plan_file",
]


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan, and what a session is to know of its application: which version of MLflow's it is, where the plan names one."""

    plan: DatasetPlanInput
    known: Mapping[str, Any] = field(default_factory=dict)


def _nothing() -> None:
    return None


def load_plan(path: str | Path, config: DatasetBuilderConfig | None = None) -> DatasetPlanInput:
    """A plan from a ``.yaml``, ``.yml`` or ``.json`` file; a rubric may be a Markdown file beside it, and ``target`` an
    application that MLflow knows (``prompts:/bot/2``, ``models:/bot``), which is read at the MLflow of ``config``.

    Raises ``InputError`` or ``PlanError`` with the way out, and for such a target as ``read_registered``.
    """
    return read_plan_file(path, config).plan


def read_plan_file(
    path: str | Path, config: DatasetBuilderConfig | None = None, before_mlflow: Callable[[], object] = _nothing
) -> PlanFile:
    """As ``load_plan``. Waits for MLflow where the plan names a target there: not on an event loop then; ``before_mlflow`` is
    called first."""
    path = Path(path).expanduser()
    data = with_rubric_file(read_plan(path), path.parent)
    if (reference := _reference(data)) is None:
        return PlanFile(parse_plan(data, str(path)))
    if config is None:
        raise InputError(
            f"{path}: its target {reference} is read from MLflow.",
            "Use `dsbuilder run`, or load_plan(path, config), where an MLflow is set.",
        )
    from dsbuilder_tui.session.tracking import MODEL_ID, REGISTERED
    from dsbuilder_tui.settings.key_trust import foreign_tracking, refusal
    from dsbuilder_tui.sources.target.plan_target import plan_target
    from dsbuilder_tui.tracking.registered_target import read_registered

    before_mlflow()
    if foreign := foreign_tracking(config, reading=True):
        raise refusal(foreign)
    registered = read_registered(reference, config.tracking_uri)
    target = plan_target(registered.target)
    described = registered.target.brief()
    plan = parse_plan({"description": described, **data, "target": target.model_dump(mode="json")}, str(path))
    return PlanFile(plan, {REGISTERED: registered.reference, MODEL_ID: registered.model_id})


def _reference(data: Any) -> str | None:
    target = data.get("target") if isinstance(data, Mapping) else None
    return target.strip() if isinstance(target, str) and is_registered(target) else None
