"""Parameters out of schemas as JavaScript writes them: zod's objects, and JSON schemas as object literals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsbuilder_tui.sources.target.script_values import (
    CallValue,
    ListValue,
    ObjectValue,
    ScriptValue,
)

_TYPES = {
    "string": "string", "email": "string", "url": "string", "uuid": "string", "iso": "string", "date": "string",
    "datetime": "string", "number": "number", "int": "integer", "bigint": "integer", "boolean": "boolean", "array": "array",
    "tuple": "array", "set": "array", "object": "object", "record": "object", "map": "object", "looseObject": "object",
    "strictObject": "object",
}  # fmt: skip
_OBJECTS = ("object", "strictObject", "looseObject")
_NOT_REQUIRED = {"optional", "default", "nullish", "prefault", "catch"}
_WRAPPERS = {"optional", "nullable", "nullish", "preprocess", "pipe", "lazy", "promise", "readonly"}
_DEEPEST = 10

Known = Callable[[ScriptValue], ScriptValue]
Said = Callable[[ScriptValue], str | None]


def schema_of(value: ScriptValue, known: Known, said: Said, depth: int = 0) -> dict[str, Any] | None:
    """The JSON schema of a zod schema, or of a plain object of them (a raw shape); None for what is neither.

    ``known`` gives what a name stands for, ``said`` the text that a value is.
    """
    value = known(value)
    if depth > _DEEPEST:
        return None
    if isinstance(value, ObjectValue):
        fields = {name: schema_of(inner, known, said, depth + 1) for name, inner in value.fields.items()}
        return _object(fields) if fields and all(fields.values()) else None
    if not isinstance(value, CallValue) or not value.path:
        return None
    kind = value.path[-1]
    first = value.arguments[0] if value.arguments else ScriptValue(value.line)
    if kind in _OBJECTS and isinstance(inside := known(first), ObjectValue):
        found = _object({name: schema_of(inner, known, said, depth + 1) for name, inner in inside.fields.items()})
    elif kind in ("enum", "nativeEnum", "literal", "union"):
        found = {"enum": choices} if (choices := _choices(known(first), known, said)) else {}
    elif kind in _WRAPPERS:
        found = dict(schema_of(first, known, said, depth + 1) or {})
        found["optional"] = kind in _NOT_REQUIRED
    elif len(value.path) > 1 and (kind in _TYPES or value.path[0] in ("z", "zod", "v", "t", "Type", "Schema")):
        found = {"type": _TYPES[kind]} if kind in _TYPES else {}
    else:
        return None
    for name, arguments in value.chain:
        if name == "describe" and arguments:
            found["description"] = said(arguments[0]) or ""
        elif name == "int":
            found["type"] = "integer"
        elif name == "extend" and arguments and isinstance(more := known(arguments[0]), ObjectValue):
            whole = _object({key: schema_of(inner, known, said, depth + 1) for key, inner in more.fields.items()})
            found = {**found, "properties": {**found.get("properties", {}), **whole["properties"]},
                     "required": [*found.get("required", []), *whole["required"]]}  # fmt: skip
        found["optional"] = found.get("optional", False) or name in _NOT_REQUIRED
    return found


def _object(fields: dict[str, dict[str, Any] | None]) -> dict[str, Any]:
    required = [name for name, field in fields.items() if not (field or {}).get("optional")]
    return {"type": "object", "properties": {name: field or {} for name, field in fields.items()}, "required": required}


def _choices(value: ScriptValue, known: Known, said: Said) -> list[str]:
    match value:
        case ListValue(items=items):
            found = [said(item) or "".join(_choices(known(item), known, said)[:1]) for item in items]
            return [each for each in found if each] if all(found) else []
        case ObjectValue(fields=fields):
            texts = [said(item) for item in fields.values()]
            return [text for text in texts if text] if all(texts) else []
        case CallValue(arguments=[first, *_]) if value.path[-1] == "literal":
            return [said(first) or ""]
        case _:
            text = said(value)
            return [text] if text else []
