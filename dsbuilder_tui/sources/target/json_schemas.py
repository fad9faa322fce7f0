"""Tools and parameters out of JSON schemas, in the forms in which model providers take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.sources.target.findings import TargetTool, make_tool

TOOL_LISTS = {"tools", "functions", "function_declarations", "functionDeclarations"}
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "params_json_schema", "parametersJsonSchema")


def tool_of(value: Mapping[str, Any], where: str, *, listed: bool = False) -> TargetTool | None:
    """A tool definition of OpenAI's (nested or flat), Anthropic's, Bedrock's or MCP's form, or None when it is something else."""
    spec = value.get("toolSpec")  # Bedrock's
    if isinstance(spec, dict) and isinstance(spec.get("inputSchema"), dict):
        schema = spec["inputSchema"].get("json")
        value, listed = {**spec, "inputSchema": schema if isinstance(schema, dict) else {}}, True
    inner = value.get("function")
    if isinstance(inner, dict) and isinstance(inner.get("name"), str):
        value, listed = inner, True
    name, about = value.get("name"), value.get("description")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.\-/: ]{1,128}", name):
        return None
    schema = next((value[key] for key in _SCHEMAS if isinstance(value.get(key), dict)), None)
    looks_so = schema is not None and (not schema or not {"type", "properties", "$ref", "anyOf"}.isdisjoint(schema))
    if not looks_so and value.get("type") != "function" and not (listed and isinstance(about, str)):
        return None
    return make_tool(name, parameters_of(schema or {}), about if isinstance(about, str) else "", where)


def parameters_of(schema: Mapping[str, Any]) -> list[str]:
    """The parameters of a JSON schema, one line each."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return []
    must = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set(properties)
    lines = []
    for name, detail in properties.items():
        detail = detail if isinstance(detail, dict) else {}
        line = f"{name}: {_kind(detail)}" + ("" if name in must else " (optional)")
        if isinstance(detail.get("description"), str) and detail["description"].strip():
            line += f" — {detail['description'].strip()}"
        lines.append(line)
    return lines


def _kind(detail: Mapping[str, Any]) -> str:
    choices, kind = detail.get("enum"), detail.get("type")
    if isinstance(choices, list) and choices and all(isinstance(choice, str | int | float) for choice in choices):
        return "one of " + ", ".join(str(choice) for choice in choices[:12])
    if isinstance(kind, list):
        return " or ".join(str(each) for each in kind[:4] if isinstance(each, str))
    return kind if isinstance(kind, str) else "any"
