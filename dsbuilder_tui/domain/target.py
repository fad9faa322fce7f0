"""The evaluated application as a plan describes it: the rules that it keeps, and its tools with what they take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_serializer, model_validator

MOST_RULES = 20_000  # characters
MOST_TOOLS = 200


class ParameterType(StrEnum):
    """What a parameter of a tool takes, in the words of JSON schemas."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


_TYPES = {
    "str": "string", "string": "string", "text": "string", "date": "string", "datetime": "string", "uuid": "string",
    "int": "integer", "integer": "integer", "float": "number", "number": "number", "decimal": "number",
    "bool": "boolean", "boolean": "boolean", "list": "array", "array": "array", "tuple": "array", "set": "array",
    "sequence": "array", "dict": "object", "object": "object", "mapping": "object",
}  # fmt: skip
_PARAMETER = re.compile(r"(?P<stars>\**)(?P<name>[\w\-]+)(?P<mark>\??)\s*+(?::\s*+(?P<type>.+)|\((?P<inner>[^()]+)\))?")
_CUT_OFF = re.compile(r"…|\.\.\.")
_OPTIONAL = re.compile(r"\(optional\)", re.IGNORECASE)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class ToolParameter:
    """One argument that a tool takes. ``type`` is None when it is not known; ``choices`` are all values there are."""

    name: str
    type: ParameterType | None = None
    required: bool = True
    choices: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The parameter in one line: ``unit: one of km, mi (optional)``."""
        kind = f"one of {', '.join(self.choices)}" if self.choices else self.type or ""
        return self.name + (f": {kind}" if kind else "") + ("" if self.required else " (optional)")


class ToolSchema(BaseModel):
    """One tool: what it does, and its parameters as a JSON schema or as code has them (``order_id: str``).

    Without parameters nothing is known of them. A plan may give the schema or the list alone. Raises
    ``pydantic.ValidationError`` for what is neither.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(default="", max_length=2000)
    parameters: dict[str, Any] | tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if isinstance(value, str):
            return {"description": value}
        if isinstance(value, list | tuple):
            return {"parameters": value}
        if isinstance(value, Mapping) and ("properties" in value or value.get("type") == "object"):
            return {"parameters": value}
        if isinstance(value, Mapping) and "parameters" in value:
            return {key: value[key] for key in ("description", "parameters") if value.get(key) is not None}
        return {} if value is None else value

    @field_validator("parameters", mode="after")
    @classmethod
    def _check_parameters(
        cls, value: dict[str, Any] | tuple[str, ...] | None
    ) -> dict[str, Any] | tuple[str, ...] | None:
        for written in value if isinstance(value, tuple) else ():
            if not _CUT_OFF.match(written.strip()) and _of_code(written) is None:
                raise ValueError(f"{written!r} is no parameter; write for example 'order_id: str'")
        return value

    @model_serializer(mode="plain")
    def _as_written(self) -> Any:
        if self.parameters is None:
            return {"description": self.description} if self.description else {}
        given = list(self.parameters) if isinstance(self.parameters, tuple) else dict(self.parameters)
        return {"description": self.description, "parameters": given} if self.description else given

    def known_parameters(self) -> tuple[ToolParameter, ...] | None:
        """What it takes; None when it takes any argument, or not all are known."""
        if isinstance(self.parameters, tuple):
            return _of_list(self.parameters)
        if self.parameters is None:
            return None
        properties = self.parameters.get("properties")
        if not isinstance(properties, Mapping) or self.parameters.get("additionalProperties"):
            return None
        required = self.parameters.get("required")
        must = {str(name) for name in required} if isinstance(required, list) else set()
        return tuple(_of_schema(str(name), detail, str(name) in must) for name, detail in properties.items())

    def signature(self, name: str) -> str:
        """The tool in one line: ``lookup_order(order_id: string): finds an order``."""
        known = self.known_parameters()
        takes = "…" if known is None else ", ".join(parameter.words for parameter in known)
        return f"{name}({takes})" + (f": {' '.join(self.description.split())}" if self.description else "")


def _of_list(parameters: Sequence[str]) -> tuple[ToolParameter, ...] | None:
    found = []
    for written in parameters:
        parameter = None if _CUT_OFF.match(written.strip()) else _of_code(written)
        if parameter is None or written.strip().startswith("*"):
            return None
        found.append(parameter)
    return tuple(found)


def _of_code(written: str) -> ToolParameter | None:
    """``limit: int = 5 — how many``, as it stands in code or in a list of parameters; None for what is no parameter."""
    text = re.split(r" — | # ", written.strip(), maxsplit=1)[0]
    optional = bool(_OPTIONAL.search(text))
    text, default, _ = _OPTIONAL.sub("", text).strip().partition("=")
    match = _PARAMETER.fullmatch(text.strip())
    if match is None:
        return None
    kind = (match["type"] or match["inner"] or "").strip()
    required = not (optional or default or match["mark"] or match["stars"])
    choices: tuple[str, ...] = ()
    if kind.casefold().startswith("one of "):
        choices = tuple(choice.strip() for choice in kind[len("one of ") :].split(","))
    elif kind.startswith("Literal[") or ".Literal[" in kind:
        choices = tuple("".join(groups) for groups in _QUOTED.findall(kind))
    return ToolParameter(match["name"], None if choices else _type_of(kind), required, choices)


def _type_of(kind: str) -> ParameterType | None:
    """The type that an annotation names, alone or beside nothing."""
    inner = re.fullmatch(r"(?:\w+\.)?(?:Optional|Annotated)\[([^,]+)(?:,.*)?\]", kind)
    parts = re.split(r"\||\sor\s", inner.group(1) if inner else kind)
    names = {re.sub(r"\[.*", "", part).rsplit(".", 1)[-1].strip().casefold() for part in parts} - {"none", "null", ""}
    known = {_TYPES.get(name) for name in names}
    found = known.pop() if len(known) == 1 else None
    return ParameterType(found) if found else None


def _of_schema(name: str, detail: object, required: bool) -> ToolParameter:
    detail = detail if isinstance(detail, Mapping) else {}
    choices, kind = detail.get("enum"), detail.get("type")
    if isinstance(choices, list) and choices and all(isinstance(choice, str) for choice in choices):
        return ToolParameter(name, ParameterType.STRING, required, tuple(choices))
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    known = _TYPES.get(str(kinds[0]).casefold()) if len(kinds) == 1 else None
    return ToolParameter(name, ParameterType(known) if known else None, required)


class PlanTarget(BaseModel):
    """What a plan says of the application: ``rules`` is its prompt or what it must keep to, ``tools`` are by name.

    Raises ``pydantic.ValidationError`` for bad values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: str = Field(default="", max_length=MOST_RULES)
    tools: dict[str, ToolSchema] = Field(default_factory=dict, max_length=MOST_TOOLS)

    @field_validator("tools", mode="before")
    @classmethod
    def _check_tools(cls, value: object) -> object:
        if value is None:
            return {}
        if isinstance(value, list | tuple):  # names alone
            return {name: {} for name in value}
        return value

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not self.rules and not self.tools
