"""The application as a plan keeps it, made of one that was read."""

from __future__ import annotations

from pydantic import ValidationError

from dsbuilder_tui.domain.target import PlanTarget, ToolSchema
from dsbuilder_tui.sources.target.target_reader import Target

_RULES = 8000  # characters of a prompt that a plan keeps


def plan_target(target: Target) -> PlanTarget:
    """The application's prompt, and its tools as far as they can be understood."""
    tools: dict[str, ToolSchema] = {}
    for tool in target.tools:
        try:
            tools[tool.name] = ToolSchema(description=tool.description, parameters=tool.parameters)
        except ValidationError:  # parameters as nobody writes them
            tools[tool.name] = ToolSchema(description=tool.description)
    return PlanTarget(rules=target.prompt[:_RULES], tools=tools)
