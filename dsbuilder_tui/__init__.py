"""dsbuilder: evaluation datasets for LLM applications, planned, diverse, resumable.

The names below are the public API. They are imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsbuilder_tui.agent.builder import DatasetBuilderAgent, get_builder_state_summary, load_from_checkpoint
    from dsbuilder_tui.dedup import DedupReport, deduplicate
    from dsbuilder_tui.domain.data_question import DataQuestion
    from dsbuilder_tui.domain.errors import DsbuilderError
    from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput, ExpectedTool
    from dsbuilder_tui.domain.session_state import BuilderState, RunResult
    from dsbuilder_tui.lint import CheckReport, check
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.session.plan_files import load_plan
    from dsbuilder_tui.settings.schema import DatasetBuilderConfig

__version__ = "0.8.0"

_HOMES = {
    "DatasetBuilderAgent": "agent.builder",
    "get_builder_state_summary": "agent.builder",
    "load_from_checkpoint": "agent.builder",
    "DatasetBuilderConfig": "settings.schema",
    "CheckReport": "lint",
    "check": "lint",
    "DedupReport": "dedup",
    "deduplicate": "dedup",
    "DataQuestion": "domain.data_question",
    "DsbuilderError": "domain.errors",
    "DatasetCategory": "domain.plan",
    "DatasetPlanInput": "domain.plan",
    "ExpectedTool": "domain.plan",
    "BuilderState": "domain.session_state",
    "RunResult": "domain.session_state",
    "Session": "session",
    "load_plan": "session.plan_files",
}

__all__ = [
    "BuilderState",
    "CheckReport",
    "DataQuestion",
    "DatasetBuilderAgent",
    "DatasetBuilderConfig",
    "DatasetCategory",
    "DatasetPlanInput",
    "DedupReport",
    "DsbuilderError",
    "ExpectedTool",
    "RunResult",
    "Session",
    "__version__",
    "check",
    "deduplicate",
    "get_builder_state_summary",
    "load_from_checkpoint",
    "load_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
