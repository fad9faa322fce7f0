"""Expectations that are written for each case: the keys that MLflow's scorers read, and a plan's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_serializer,
    model_validator,
)

_MOST_KEYS = 30
_LONGEST_KEY = 64


class MlflowKey(StrEnum):
    """Keys of ``expectations`` that have a meaning to MLflow's scorers."""

    FACTS = "expected_facts"
    RESPONSE = "expected_response"
    GUIDELINES = "guidelines"
    TOOL_CALLS = "expected_tool_calls"


class ExpectationType(StrEnum):
    """What the value of an own key is."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"  # of texts
    OBJECT = "object"


_TYPE_NAMES = {
    "str": "text", "string": "text", "int": "number", "integer": "number", "float": "number", "bool": "boolean",
    "true or false": "boolean", "array": "list", "list of text": "list", "texts": "list", "dict": "object",
    "mapping": "object",
}  # fmt: skip
_MEANINGS = {
    MlflowKey.FACTS: "a list of 1 to 4 short facts that a right answer to this very input states or follows from; "
    "each can be checked alone, and none of them stands in the input itself",
    MlflowKey.RESPONSE: "the right answer to this very input, in full",
    MlflowKey.GUIDELINES: "a list of 1 to 3 rules in plain words that a right answer to this very input keeps: what it "
    "must do, and what it must not",
    MlflowKey.TOOL_CALLS: 'the tool calls that a right answer makes, in order: a list of {"name", "arguments"}; '
    "the arguments come from this input; [] when no tool is to be called",
}


class WrittenExpectation(BaseModel):
    """One key that a worker writes for each case.

    ``type`` and ``values`` (all there are) are those of an own key, which needs a ``meaning``; to a key of MLflow's the
    meaning is added. One that is ``optional`` may be left out. In a plan it is the key alone, ``{key: meaning}`` or
    ``{key: {type, meaning, values, optional}}``. Raises ``pydantic.ValidationError`` for bad values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    type: ExpectationType = ExpectationType.TEXT
    meaning: str = Field(default="", max_length=1000)
    values: tuple[str | bool | int | float, ...] = ()
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if isinstance(value, str):
            return {"key": value}
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1 and "key" not in value:
            ((key, said),) = value.items()
            said = {"meaning": said} if isinstance(said, str) else said
            if said is not None and not isinstance(said, Mapping):
                raise ValueError(
                    "must be the name of a key, or for example {priority: {type: text, meaning: how urgent}}"
                )
            value = {"key": key, **(said or {})}
        if value.get("key") in set(MlflowKey):  # whose shape is known, whatever is said of it
            return {name: inner for name, inner in value.items() if name != "type"}
        return value

    @field_validator("key", mode="before")
    @classmethod
    def _check_key(cls, value: object) -> object:
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_KEY:
            raise ValueError(f"must be a name of 1 to {_LONGEST_KEY} characters, such as expected_facts")
        return value.strip()

    @field_validator("type", mode="before")
    @classmethod
    def _check_type(cls, value: object) -> object:
        return _TYPE_NAMES.get(value.strip().casefold(), value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_own(self) -> WrittenExpectation:
        if self.of_mlflow is not None:
            if self.values:
                raise ValueError(f"{self.key} has the shape that MLflow reads; take `values` out")
        elif not self.meaning and not self.values:
            raise ValueError(
                f"{self.key!r} is none of {', '.join(MlflowKey)}; say what it means, for example "
                f"{{{self.key}: {{type: text, meaning: …}}}}"
            )
        return self

    @model_serializer(mode="plain")
    def _as_written(self) -> Any:
        said: dict[str, Any] = {} if self.type is ExpectationType.TEXT else {"type": str(self.type)}
        said |= {"meaning": self.meaning} if self.meaning else {}
        said |= {"values": list(self.values)} if self.values else {}
        said |= {"optional": True} if self.optional else {}
        return {self.key: said} if said else self.key

    @property
    def of_mlflow(self) -> MlflowKey | None:
        """Which of MLflow's keys it is; None for an own one."""
        return MlflowKey(self.key) if self.key in set(MlflowKey) else None

    @property
    def words(self) -> str:
        """What it is for, as a worker is told."""
        known = self.of_mlflow
        if known is not None:
            return _MEANINGS[known] + (f" ({self.meaning})" if self.meaning else "")
        kind = {
            ExpectationType.BOOLEAN: "true or false", ExpectationType.LIST: "a list of texts",
            ExpectationType.NUMBER: "a number", ExpectationType.OBJECT: "an object", ExpectationType.TEXT: "text",
        }[self.type]  # fmt: skip
        if self.values:
            kind = f"one of {', '.join(str(value) for value in self.values)}"
        return kind + (f": {self.meaning}" if self.meaning else "") + ("; null if none" if self.optional else "")


def merged_keys(*lists: Iterable[WrittenExpectation]) -> tuple[WrittenExpectation, ...]:
    """The keys of several lists, one for each name: what a later list says of a name holds."""
    return tuple({written.key: written for keys in lists for written in keys}.values())


def _listed(value: object) -> object:
    if value is None:
        return ()
    if isinstance(value, Mapping) and len(value) > 1 and "key" not in value:
        return [{key: said} for key, said in value.items()]
    return [value] if isinstance(value, str | Mapping) else value


def _checked_list(keys: tuple[WrittenExpectation, ...]) -> tuple[WrittenExpectation, ...]:
    times = Counter(written.key for written in keys)
    if repeated := sorted(key for key, number in times.items() if number > 1):
        raise ValueError(f"names {repeated[0]!r} twice; remove one of them")
    return keys


WrittenKeys = Annotated[
    tuple[WrittenExpectation, ...],
    BeforeValidator(_listed),
    AfterValidator(_checked_list),
    Field(max_length=_MOST_KEYS),
]


def key_words(key: str) -> str:
    """A key of ``expectations`` as a sentence names it: ``expected facts``; an own key by its own name."""
    return key.replace("_", " ") if key in set(MlflowKey) else key


def value_words(value: object) -> str:
    """A value of ``expectations`` in a line: ``yes``, ``it is late; it comes on Monday``, ``name refund, arguments amount 5``."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name} {value_words(inner)}" for name, inner in value.items())
        case list() | tuple():
            return "; ".join(value_words(inner) for inner in value)
        case _:
            return str(value)
