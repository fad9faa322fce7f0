"""Tools and prompts out of JSON and YAML, and out of Python literals: values are looked at, nothing is built from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import yaml

from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.sources.target.findings import TargetFindings
from dsbuilder_tui.sources.target.json_schemas import TOOL_LISTS, tool_of
from dsbuilder_tui.sources.target.openapi import is_openapi, read_openapi
from dsbuilder_tui.store.yaml_text import YamlTooLarge, check_yaml_size

PROMPT_KEYS = {
    "system_prompt", "systemprompt", "system_message", "systemmessage", "system_instruction", "systeminstruction", "instructions",
}  # fmt: skip
_PROMPT_KEYS_OF_PROMPT_FILES = PROMPT_KEYS | {
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
    keys = _PROMPT_KEYS_OF_PROMPT_FILES if whole else PROMPT_KEYS
    before = len(found.tools), len(found.prompts), len(found.guardrails)
    if is_openapi(value):
        read_openapi(value, where, found)
        return
    for mapping, parent in mappings(value):
        tool = tool_of(mapping, where, listed=parent in TOOL_LISTS)
        if tool is not None:
            found.tools.append(tool)
            continue
        task = mapping.get("task")  # of NeMo Guardrails: {task: self_check_input, content: …}
        if isinstance(task, str) and isinstance(mapping.get("content"), str) and is_sentence(mapping["content"]):
            found.prompt(task, mapping["content"], where)
            continue
        role = mapping.get("role")
        if isinstance(role, str) and (told := persona(role, mapping.get("goal"), mapping.get("backstory"))):
            found.prompt(one_line(role, 80), told, where)
            continue
        if mapping.get("role") in ("system", "developer") and isinstance(mapping.get("content"), str):
            found.prompt("", mapping["content"], where)
        for key, text in mapping.items():
            if str(key).replace("-", "_").lower() in keys and isinstance(text, str) and is_sentence(text):
                found.prompt(str(key), text, where)
    if whole and before == (len(found.tools), len(found.prompts), len(found.guardrails)):
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


def persona(role: str, goal: object, backstory: object) -> str:
    """What CrewAI tells an agent, of its role, its goal and its story; empty where one of them is no text."""
    if not (isinstance(goal, str) and isinstance(backstory, str)):
        return ""
    parts = (role.strip(), backstory.strip(), f"Goal: {goal.strip()}")
    return "\n".join(part for part in parts if part)


def is_sentence(text: str) -> bool:
    """Whether a string is told to someone, not a path, a name or a setting."""
    return len(text) >= 20 and len(text.split(None, 4)) >= 4
