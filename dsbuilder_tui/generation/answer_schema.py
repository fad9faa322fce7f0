"""The JSON schema of a worker's answer, in the subset that strict structured output takes."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind, context_arguments
from dsbuilder_tui.domain.case_pair import CHANGED
from dsbuilder_tui.domain.conversation import MESSAGES, Speaker
from dsbuilder_tui.domain.expectation import ExpectationType, MlflowKey, WrittenExpectation
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.scenario import CONTEXT, GOAL, GUIDELINES, PERSONA
from dsbuilder_tui.domain.target import ParameterType, ToolParameter
from dsbuilder_tui.generation.input_check import field_examples
from dsbuilder_tui.models.strict_schema import strict_object

_TEXT_LENGTH = 4000
_MOST_SHAPES = 20  # of tools; of more their names alone are in the schema
_TEXT = {"type": "string", "maxLength": _TEXT_LENGTH}
_TEXTS = {"type": "array", "items": _TEXT}
_SPEAKER = {"type": "string", "enum": [Speaker.USER.value, Speaker.ASSISTANT.value]}
# An object with any keys is not in the subset.
_JSON_TEXT = {"type": "string", "maxLength": _TEXT_LENGTH, "description": "a JSON object"}
_OWN: dict[ExpectationType, dict[str, Any]] = {
    ExpectationType.TEXT: _TEXT, ExpectationType.NUMBER: {"type": "number"}, ExpectationType.BOOLEAN: {"type": "boolean"},
    ExpectationType.LIST: _TEXTS, ExpectationType.OBJECT: _JSON_TEXT,
}  # fmt: skip
_PARAMETERS: dict[ParameterType, dict[str, Any]] = {
    ParameterType.INTEGER: {"type": "integer"}, ParameterType.NUMBER: {"type": "number"},
    ParameterType.BOOLEAN: {"type": "boolean"}, ParameterType.ARRAY: _TEXTS, ParameterType.OBJECT: _JSON_TEXT,
    ParameterType.STRING: _TEXT,
}  # fmt: skip


def case_schema(
    plan: DatasetPlanInput, category: DatasetCategory, candidates: int = 1, count: int | None = None
) -> dict[str, Any]:
    """The schema of an answer with ``count`` cases, or with any number of them."""
    slot: dict[str, Any] = {"slot": {"type": "integer"}}
    case: dict[str, Any] = {"inputs": strict_object(_inputs(plan, category))}
    if plan.sources_of(category) and category.answerable:
        case["evidence"] = _TEXTS  # before the facts: what is quoted first is what they are made of
    if expectations := _expectations(plan, category):
        case["expectations"] = strict_object(expectations)
    if category.pairs:
        case[CHANGED] = _or_null(_TEXT)
    if candidates > 1:
        case = {"candidates": {"type": "array", "items": strict_object({"probability": {"type": "number"}, **case})}}
    cases: dict[str, Any] = {"type": "array", "items": strict_object(slot | case)}
    if count is not None:
        cases |= {"minItems": count, "maxItems": count}
    return strict_object({"cases": cases})


def _inputs(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, Any]:
    schemas = {field: _schema_of(example) for field, example in field_examples(plan, category).items()}
    match category.kind:
        case CaseKind.CONVERSATION:
            schemas[MESSAGES] = {"type": "array", "items": strict_object({"role": _SPEAKER, "content": _TEXT})}
        case CaseKind.SCENARIO:
            schemas = {GOAL: _TEXT, PERSONA: _TEXT, GUIDELINES: _TEXTS}
            if arguments := context_arguments(plan.input_fields, plan.examples(category)):
                schemas[CONTEXT] = strict_object({name: _schema_of(value) for name, value in arguments.items()})
    return schemas


def _expectations(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, Any]:
    """Constants first, each of which may be null; then what is written for each case."""
    written = {one.key: one for one in plan.written_for(category)}
    schemas = {key: _or_null(_schema_of(value)) for key, value in category.expectations.items() if key not in written}
    schemas |= {key: _written(plan, category, one) for key, one in written.items()}
    if category.expected_tools and MlflowKey.TOOL_CALLS not in schemas:
        schemas[MlflowKey.TOOL_CALLS.value] = _or_null(_tool_calls(plan, category))
    return schemas


def _written(plan: DatasetPlanInput, category: DatasetCategory, one: WrittenExpectation) -> dict[str, Any]:
    match one.of_mlflow:
        case MlflowKey.FACTS | MlflowKey.GUIDELINES:
            schema: dict[str, Any] = _TEXTS
        case MlflowKey.RESPONSE:
            schema = _TEXT
        case MlflowKey.TOOL_CALLS:
            schema = _tool_calls(plan, category)
        case None:
            schema = {"enum": list(one.values)} if one.values else _OWN[one.type]
            if one.values and all(isinstance(value, str) for value in one.values):
                schema = {"type": "string", **schema}
    return _or_null(schema) if one.optional else schema


def _tool_calls(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, Any]:
    """A list of calls: each tool with its own arguments where they are known."""
    known = {name: tool.known_parameters() for name, tool in plan.target.tools.items()}
    names = [*known, *(tool.name for tool in category.expected_tools if tool.name not in known)]
    if not names:
        return {"type": "array", "items": strict_object({"name": _TEXT, "arguments": _or_null(_JSON_TEXT)})}
    open_names = [name for name in names if known.get(name) is None]
    shapes = [_call([name], _arguments(takes)) for name, takes in known.items() if takes is not None]
    if len(shapes) > _MOST_SHAPES:
        shapes, open_names = [], names
    if open_names:
        shapes.append(_call(open_names, _JSON_TEXT))
    return {"type": "array", "items": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}


def _call(names: list[str], arguments: dict[str, Any]) -> dict[str, Any]:
    return strict_object({"name": {"type": "string", "enum": names}, "arguments": _or_null(arguments)})


def _arguments(parameters: tuple[ToolParameter, ...]) -> dict[str, Any]:
    """Each parameter; one that may be left out as null, since the subset knows no key that may be missing."""
    schemas = {}
    for parameter in parameters:
        schema = _PARAMETERS[parameter.type or ParameterType.STRING]
        if parameter.choices:
            schema = {"type": "string", "enum": list(parameter.choices)}
        schemas[parameter.name] = schema if parameter.required else _or_null(schema)
    return strict_object(schemas)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _schema_of(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}
    if isinstance(value, list | tuple):
        return {"type": "array", "items": _schema_of(value[0] if value else "")}
    if isinstance(value, dict):
        return strict_object({key: _schema_of(inner) for key, inner in value.items()})
    return _TEXT
