"""The validator of tool calls: tools that an expectation names exist, and their arguments fit their parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, field_validator

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions
from dsbuilder_tui.quality.written_values import TOOL_CALLS

_PARAMETER = re.compile(r"\**(?P<name>[\w\-]+)\??\s*(?:[:(]\s*(?P<type>[\w\[\]|, .]+?)\s*\)?)?\s*(?:=.*)?")
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "string": (str,), "int": (int,), "integer": (int,), "float": (int, float), "number": (int, float),
    "bool": (bool,), "boolean": (bool,), "list": (list,), "array": (list,), "dict": (Mapping,), "object": (Mapping,),
}  # fmt: skip
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}


class ToolOptions(ValidatorOptions):
    """``known`` are the application's tools: for each its JSON schema, or its parameters as code has them
    (``order_id: str``). Without it they are those that the plan's categories expect."""

    known: dict[str, dict[str, Any] | list[str]] = Field(default_factory=dict)

    @field_validator("known")
    @classmethod
    def _check_parameters(cls, known: dict[str, dict[str, Any] | list[str]]) -> dict[str, dict[str, Any] | list[str]]:
        for name, written in known.items():
            for parameter in written if isinstance(written, list) else ():
                if not _PARAMETER.fullmatch(parameter.strip()):
                    raise ValueError(f"{name}: {parameter!r} is no parameter; write for example 'order_id: str'")
        return known


Parameters = Mapping[str, tuple[type, ...] | None]


def _parameters(written: Mapping[str, Any] | Sequence[str]) -> Parameters | None:
    """Types by name, None for a type that is not known; None when any argument may be."""
    if isinstance(written, Mapping):
        schema = written.get("parameters", written) if isinstance(written.get("parameters"), Mapping) else written
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or schema.get("additionalProperties"):
            return None
        return {
            name: _TYPES.get(str(inner.get("type"))) if isinstance(inner, Mapping) else None
            for name, inner in properties.items()
        }
    found = [match for parameter in written if (match := _PARAMETER.fullmatch(parameter.strip()))]
    if any(parameter.strip().startswith("**") for parameter in written):
        return None
    return {match["name"]: _TYPES.get((match["type"] or "").strip().casefold()) for match in found}


def _fits(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: ToolOptions) -> Check:
    known: dict[str, Parameters | None] = {name: _parameters(written) for name, written in options.known.items()}
    expected = {tool.name for one in plan.categories for tool in one.expected_tools}
    names = set(known) or expected

    def fault(call: Any) -> str | None:
        if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
            return f"{TOOL_CALLS} holds what is no call; write {{name, arguments}}"
        name, arguments = call["name"], call.get("arguments") or {}
        if names and name not in names:
            return f"there is no tool {name!r}; the application has {', '.join(sorted(names))}"
        if not isinstance(arguments, Mapping):
            return f"the arguments of {name} are no mapping; write {{name: value}}"
        parameters = known.get(name)
        if parameters is None:
            return None
        for argument, value in arguments.items():
            if argument not in parameters:
                there = f"it takes {', '.join(parameters)}" if parameters else "it takes none"
                return f"{name} takes no argument {argument!r}; {there}"
            types = parameters[argument]
            if types is not None and value is not None and not _fits(value, types):
                return f"the argument {argument} of {name} must be {_KINDS.get(types[-1], 'a mapping')}"
        return None

    def check(case: CheckedCase) -> str | None:
        calls = case.expectations.get(TOOL_CALLS)
        if calls is None or (calls == case.planned.get(TOOL_CALLS) and not known):
            return None
        if not isinstance(calls, list):
            return f"{TOOL_CALLS} must be a list of calls"
        return next((found for call in calls if (found := fault(call))), None)

    return check


VALIDATOR = Validator(
    words="expected tools exist, and their arguments fit their parameters", prepare=_prepare, options=ToolOptions
)
