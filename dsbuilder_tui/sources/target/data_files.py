"""Tools and prompts out of JSON and YAML, and out of Python literals: values are looked at, nothing is built from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import yaml

from dsbuilder_tui.sources.target.findings import TargetFindings, TargetTool, make_tool
from dsbuilder_tui.store.yaml_size import YamlTooLarge, check_yaml_size

_SCHEMAS = ("parameters", "input_schema", "inputSchema", "params_json_schema", "parametersJsonSchema")
_TOOL_LISTS = {"tools", "functions", "function_declarations", "functionDeclarations"}
_PROMPT_KEYS = {
    "system_prompt", "systemprompt", "system_message", "systemmessage", "system_instruction", "systeminstruction", "instructions",
}  # fmt: skip
_PROMPT_KEYS_OF_PROMPT_FILES = _PROMPT_KEYS | {
    "system",
    "instruction",
    "prompt",
    "prompt_template",
    "template",
    "content",
    "text",
}
_MOST_VALUES = 200_000
_MOST_ANCHORS = 100
_MOST_SLOW = 64 * 1024


class Unreadable(ValueError):
    """This text is not what its name says, or is built to be slow to read. The message ends a sentence."""


def json_value(text: str) -> Any:
    """Raises ``Unreadable``. Nesting is bounded by the parser (1,024 levels)."""
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError, MemoryError):
        raise Unreadable("it is not valid JSON") from None


def yaml_value(text: str) -> Any:
    """The document, or a list of several, with every scalar as text: no tag is obeyed and no number is worked out.

    Raises ``Unreadable``, also for documents whose aliases would make them much larger than they are.
    """
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    if loader is yaml.BaseLoader and len(text) > _MOST_SLOW:
        raise Unreadable("it is too long to be read without the C library for YAML")
    try:
        check_yaml_size(text, loader, _MOST_VALUES, _MOST_ANCHORS)
        documents = list(yaml.load_all(text, Loader=loader))
    except YamlTooLarge as error:
        raise Unreadable(str(error)) from None
    except (yaml.YAMLError, ValueError, RecursionError, MemoryError):
        raise Unreadable("it is not valid YAML") from None
    return documents[0] if len(documents) == 1 else documents


def read_value(value: Any, where: str, found: TargetFindings, *, whole: str = "") -> None:
    """Add the tools and prompts of a parsed file. ``whole``: the text of a file named as a prompt, which is one anyhow."""
    keys = _PROMPT_KEYS_OF_PROMPT_FILES if whole else _PROMPT_KEYS
    before = len(found.tools), len(found.prompts)
    for mapping, parent in mappings(value):
        tool = tool_of(mapping, where, listed=parent in _TOOL_LISTS)
        if tool is not None:
            found.tools.append(tool)
            continue
        if mapping.get("role") in ("system", "developer") and isinstance(mapping.get("content"), str):
            found.prompt("", mapping["content"], where)
        for key, text in mapping.items():
            if str(key).replace("-", "_").lower() in keys and isinstance(text, str) and is_sentence(text):
                found.prompt(str(key), text, where)
    if whole and before == (len(found.tools), len(found.prompts)):
        found.prompt("", whole, where)


def mappings(value: Any) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Every mapping in a value with the key that it, or the list it is in, stands under; each once, in order."""
    stack: list[tuple[Any, str]] = [(value, "")]
    seen: set[int] = set()
    while stack and len(seen) < _MOST_VALUES:
        here, parent = stack.pop()
        if not isinstance(here, dict | list) or id(here) in seen:
            continue
        seen.add(id(here))
        if isinstance(here, list):
            stack.extend((inner, parent) for inner in reversed(here))
            continue
        yield here, parent
        stack.extend((inner, str(key)) for key, inner in reversed(here.items()))


def tool_of(value: Mapping[str, Any], where: str, *, listed: bool = False) -> TargetTool | None:
    """A tool definition of OpenAI's (nested or flat), Anthropic's or MCP's form, or None when it is something else."""
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


def is_sentence(text: str) -> bool:
    """Whether a string is told to someone, not a path, a name or a setting."""
    return len(text) >= 20 and len(text.split(None, 4)) >= 4
