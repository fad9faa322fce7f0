"""The validator of tool calls: tools that an expectation names exist, and their arguments fit their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.target import ParameterType, ToolParameter, ToolSchema
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions
from dsbuilder_tui.quality.written_values import TOOL_CALLS

_PYTHON_TYPES: Mapping[ParameterType, tuple[type, ...]] = {
    ParameterType.STRING: (str,), ParameterType.INTEGER: (int,), ParameterType.NUMBER: (int, float),
    ParameterType.BOOLEAN: (bool,), ParameterType.ARRAY: (list,), ParameterType.OBJECT: (Mapping,),
}  # fmt: skip
_KINDS: Mapping[ParameterType, str] = {
    ParameterType.STRING: "text", ParameterType.INTEGER: "a whole number", ParameterType.NUMBER: "a number",
    ParameterType.BOOLEAN: "true or false", ParameterType.ARRAY: "a list", ParameterType.OBJECT: "a mapping",
}  # fmt: skip


class ToolOptions(ValidatorOptions):
    """``known`` are the application's tools: for each its JSON schema, or its parameters as code has them
    (``order_id: str``). They come on top of the plan's ``target``. Without either they are those that the plan's
    categories expect."""

    known: dict[str, ToolSchema] = Field(default_factory=dict)


def _fits(value: Any, parameter: ToolParameter) -> bool:
    if parameter.type is None:
        return True
    if parameter.type is ParameterType.INTEGER and isinstance(value, float) and value.is_integer():
        return True
    return isinstance(value, _PYTHON_TYPES[parameter.type]) and (
        not isinstance(value, bool) or parameter.type is ParameterType.BOOLEAN
    )


def _argument_fault(name: str, arguments: Mapping[str, Any], parameters: Mapping[str, ToolParameter]) -> str | None:
    for argument, value in arguments.items():
        if argument not in parameters:
            there = f"it takes {', '.join(parameters)}" if parameters else "it takes none"
            return f"{name} takes no argument {argument!r}; {there}"
        parameter = parameters[argument]
        if value is None:
            continue
        if not _fits(value, parameter):
            assert parameter.type is not None
            return f"the argument {argument} of {name} must be {_KINDS[parameter.type]}"
        if parameter.choices and str(value) not in parameter.choices:
            return f"the argument {argument} of {name} must be one of {', '.join(parameter.choices)}"
    return None


def _missing(arguments: Mapping[str, Any], parameters: Mapping[str, ToolParameter]) -> str | None:
    """A parameter that is needed and not given. Scorers compare arguments as a whole: with some of them, no answer fits."""
    if not arguments:
        return None
    return next((name for name, p in parameters.items() if p.required and name not in arguments), None)


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: ToolOptions) -> Check:
    known: dict[str, dict[str, ToolParameter] | None] = {}
    for name, tool in {**plan.target.tools, **options.known}.items():
        takes = tool.known_parameters()
        known[name] = None if takes is None else {parameter.name: parameter for parameter in takes}
    expected = {tool.name for one in plan.categories for tool in one.expected_tools}
    names = {*known, *(expected if plan.target.tools and not options.known else ())} if known else expected

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
        # What a person names in `known` is not said to be all that a call needs.
        if name in plan.target.tools and (missing := _missing(arguments, parameters)):
            return f"{name} needs the argument {missing}; take it from the input, or leave all arguments out"
        return _argument_fault(name, arguments, parameters)

    def check(case: CheckedCase) -> str | None:
        calls = case.expectations.get(TOOL_CALLS)
        if calls is None or (calls == case.planned.get(TOOL_CALLS) and not options.known):
            return None
        if not isinstance(calls, list):
            return f"{TOOL_CALLS} must be a list of calls"
        return next((found for call in calls if (found := fault(call))), None)

    return check


VALIDATOR = Validator(
    words="expected tools exist, and their arguments fit their parameters", prepare=_prepare, options=ToolOptions
)
