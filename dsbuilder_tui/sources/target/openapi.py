"""OpenAPI documents: each operation is a tool, its parameters are those of the address and of the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dsbuilder_tui.sources.target.findings import MOST_TOOLS, TargetFindings, make_tool
from dsbuilder_tui.sources.target.json_schemas import parameters_of

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_DEEPEST = 8
_SENT_BY_THE_CLIENT = {"header", "cookie"}  # keys and the like: no argument of a tool


def is_openapi(value: Any) -> bool:
    """Whether a parsed file describes an API, in OpenAPI 3 or Swagger 2."""
    return (
        isinstance(value, dict) and ("openapi" in value or "swagger" in value) and isinstance(value.get("paths"), dict)
    )


def read_openapi(document: Mapping[str, Any], where: str, found: TargetFindings) -> None:
    """Add each operation of an API as a tool."""
    for address, method, item, operation in _operations(document):
        name = operation.get("operationId")
        if not isinstance(name, str) or not name.strip():
            name = f"{method}_{'_'.join(part for part in str(address).replace('{', '').replace('}', '').split('/') if part)}"
        about = next((operation[key] for key in ("description", "summary") if _is_text(operation.get(key))), "")
        schema = _schema(document, item, operation)
        found.tools.append(make_tool(name, parameters_of(schema), about, where))
        if len(found.tools) > 2 * MOST_TOOLS:
            return


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    for address, item in document["paths"].items():
        item = _followed(document, item)
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                yield address, method, item, item[method]


def _schema(document: Mapping[str, Any], item: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    """All that an operation takes, as one JSON schema of an object."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for each in [*_list(item.get("parameters")), *_list(operation.get("parameters"))]:
        parameter = _followed(document, each)
        name = parameter.get("name")
        if not isinstance(name, str) or parameter.get("in") in _SENT_BY_THE_CLIENT:
            continue
        if parameter.get("in") == "body":  # Swagger 2
            _add_body(document, parameter.get("schema"), properties, required)
            continue
        detail = _followed(document, parameter.get("schema")) or parameter
        properties[name] = {**detail, "description": parameter.get("description") or detail.get("description")}
        # a scalar of YAML is read as text
        if parameter.get("required") in (True, "true", "True") and name not in required:
            required.append(name)
    body = _followed(document, operation.get("requestBody")).get("content")
    for kind in list(body.values())[:1] if isinstance(body, dict) else ():
        _add_body(document, kind.get("schema") if isinstance(kind, dict) else None, properties, required)
    return {"properties": properties, "required": required}


def _add_body(
    document: Mapping[str, Any], schema: Any, properties: dict[str, Any], required: list[str], depth: int = 0
) -> None:
    whole = _followed(document, schema)
    for part in _list(whole.get("allOf")) if depth < _DEEPEST else ():
        _add_body(document, part, properties, required, depth + 1)
    inner = whole.get("properties")
    for name, detail in inner.items() if isinstance(inner, dict) else ():
        properties[str(name)] = _followed(document, detail)
    required += [name for name in _list(whole.get("required")) if isinstance(name, str) and name not in required]


def _followed(document: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """A part of the document, or what its ``$ref`` within the document names; empty when it is neither."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict):
            return {}
        link = value.get("$ref")
        if not isinstance(link, str):
            return value
        if not link.startswith("#/"):
            return {}
        value = document
        for step in link[2:].split("/")[: 2 * _DEEPEST]:
            value = value.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
