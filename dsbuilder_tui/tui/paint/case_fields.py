"""The fields of a case, inputs and expectations, each by its kind: as they are shown, and as a person edits them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.conversation import MESSAGES
from dsbuilder_tui.domain.expectation import ExpectationType, MlflowKey, WrittenExpectation
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import json_for_terminal, visible
from dsbuilder_tui.domain.scenario import CONTEXT, GUIDELINES
from dsbuilder_tui.domain.target import ParameterType
from dsbuilder_tui.generation.value_kinds import Unfit

_ROLES = ("user", "assistant", "system", "tool")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ARGUMENT = re.compile(r"[ \t]+([^\s:][^:]*):(?:[ \t](.*))?")
_WHOLE_TEXT = 40  # characters of a value in a message about it


class CasePart(StrEnum):
    """The two halves of a case."""

    INPUTS = "inputs"
    EXPECTATIONS = "expectations"


class FieldKind(StrEnum):
    """How a value is shown and edited."""

    TEXT = "text"
    TRUTH = "true or false"
    NUMBER = "a number"
    CHOICE = "one of the plan's values"
    LIST = "one a line"
    CALLS = "a call a line, its arguments indented below it"
    TURNS = "a turn begins with who speaks, such as user:"
    JSON = "JSON"


# What a right answer has to do with each of MLflow's keys, for a person.
_MEANINGS = {
    MlflowKey.FACTS: "what a right answer states",
    MlflowKey.RESPONSE: "a right answer, in full",
    MlflowKey.GUIDELINES: "what a right answer does, and does not",
    MlflowKey.TOOL_CALLS: "the tools that a right answer calls, in order",
}
_KINDS = {
    MlflowKey.FACTS: FieldKind.LIST, MlflowKey.GUIDELINES: FieldKind.LIST, MlflowKey.RESPONSE: FieldKind.TEXT,
    MlflowKey.TOOL_CALLS: FieldKind.CALLS,
}  # fmt: skip
_INPUT_KINDS = {MESSAGES: FieldKind.TURNS, CONTEXT: FieldKind.JSON, GUIDELINES: FieldKind.LIST}  # of those not there
_KINDS_OF_TYPES = {
    ExpectationType.TEXT: FieldKind.TEXT, ExpectationType.NUMBER: FieldKind.NUMBER,
    ExpectationType.BOOLEAN: FieldKind.TRUTH, ExpectationType.LIST: FieldKind.LIST, ExpectationType.OBJECT: FieldKind.JSON,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseField:
    """One field of a case. ``value`` is None where the case leaves it out.

    One that ``may_lack`` can be left out. ``choices`` are all values there are, ``parameters`` the types of tools'
    arguments as far as the plan knows them.
    """

    part: CasePart
    key: str
    kind: FieldKind
    value: Any = None
    meaning: str = ""
    may_lack: bool = True
    choices: tuple[Any, ...] = ()
    parameters: Mapping[str, Mapping[str, ParameterType | None]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value as a person edits it, safe to show; empty where it is left out."""
        return "" if self.value is None else _text(self, self.value)

    def read(self, text: str) -> Any:
        """The value that an edited text stands for; None leaves the field out. A text that was not changed is the value.

        Raises ``Unfit`` saying what does not fit.
        """
        if text == self.text:
            return self.value
        return _read(self, text)


def case_fields(plan: DatasetPlanInput, case: AcceptedCase) -> list[CaseField]:
    """All fields of a case: its inputs, what its category says is expected, then what else the case holds."""
    return fields_of(plan, case.category, case.inputs, case.expectations)


def fields_of(
    plan: DatasetPlanInput, name: str, inputs: Mapping[str, Any], expectations: Mapping[str, Any]
) -> list[CaseField]:
    """The same for what is no case, or not one yet; ``name`` is that of its category, which may be gone."""
    category = next((one for one in plan.categories if one.name == name), None)
    keys = dict.fromkeys((*(plan.fields_of(category) if category else ()), *inputs))
    fields = [_input_field(plan, category, key, inputs.get(key)) for key in keys]
    written = {one.key: one for one in plan.written_for(category)} if category else {}
    constant = category.expectations if category else {}
    parameters = {
        name: {parameter.name: parameter.type for parameter in tool.known_parameters() or ()}
        for name, tool in plan.target.tools.items()
    }
    for key in dict.fromkeys((*written, *constant, *expectations)):
        value, own = expectations.get(key), written.get(key)
        fields.append(
            _settled(
                CaseField(
                    part=CasePart.EXPECTATIONS, key=key, kind=_expected_kind(key, value, own, constant.get(key)),
                    value=value, meaning=_meaning(key, own, category), choices=own.values if own else (),
                    parameters=parameters,
                )
            )
        )  # fmt: skip
    return fields


def _input_field(plan: DatasetPlanInput, category: DatasetCategory | None, key: str, value: Any) -> CaseField:
    planned = plan.fields_of(category) if category else {}
    needed = category is None or key in category.kind.odd_fields(plan.input_fields, {})
    kind = _INPUT_KINDS.get(key, FieldKind.TEXT) if value is None else _kind(value)
    return _settled(
        CaseField(
            part=CasePart.INPUTS, key=key, kind=kind, value=value, meaning=planned.get(key, ""), may_lack=not needed
        )
    )  # fmt: skip


def _meaning(key: str, written: WrittenExpectation | None, category: DatasetCategory | None) -> str:
    known = _MEANINGS[MlflowKey(key)] if key in set(MlflowKey) else ""
    own = written.meaning if written else ""
    if not known and not own and category is not None and key in category.expectations:
        return "of every case of the category"
    return f"{known} ({own})" if known and own else known or own


def _expected_kind(key: str, value: Any, written: WrittenExpectation | None, constant: Any) -> FieldKind:
    if written is not None and written.values and (value is None or value in written.values):
        return FieldKind.CHOICE
    if value is not None and value != []:
        return _kind(value)
    if key in set(MlflowKey):
        return _KINDS[MlflowKey(key)]
    if written is not None:
        return _KINDS_OF_TYPES[written.type]
    return FieldKind.LIST if constant is None else _kind(constant)


def _kind(value: Any) -> FieldKind:
    """The kind of a value that is there."""
    if isinstance(value, bool):
        return FieldKind.TRUTH
    if isinstance(value, int | float):
        return FieldKind.NUMBER
    if isinstance(value, str):
        return FieldKind.TEXT
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return FieldKind.LIST
    if messages_of(value) is not None:
        return FieldKind.TURNS
    return FieldKind.CALLS if calls_of(value) is not None else FieldKind.JSON


def _settled(found: CaseField) -> CaseField:
    """The field in its kind where that kind can say all of its value, else as JSON."""
    if found.value is None or found.kind is FieldKind.JSON or found.value == []:
        return found
    try:
        text = found.text
        whole = visible(text) == text and _same(_read(found, text), found.value)
    except Unfit:
        whole = False
    if whole:
        return found
    return CaseField(
        part=found.part, key=found.key, kind=FieldKind.JSON, value=found.value, meaning=found.meaning,
        may_lack=found.may_lack, parameters=found.parameters,
    )  # fmt: skip


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON, for which 1 and true differ."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def messages_of(value: Any) -> list[tuple[str, str]] | None:
    """The turns of a conversation, each with who speaks; None for what is none."""
    if not isinstance(value, list) or not value:
        return None
    turns = []
    for turn in value:
        if not isinstance(turn, Mapping) or set(turn) != {"role", "content"}:
            return None
        role, words = turn["role"], turn["content"]
        if not isinstance(role, str) or not isinstance(words, str):
            return None
        turns.append((role, words))
    return turns


def calls_of(value: Any) -> list[tuple[str, Mapping[str, Any]]] | None:
    """Tool calls, each a name with arguments; None for what are none."""
    if not isinstance(value, list):
        return None
    calls = []
    for call in value:
        if not isinstance(call, Mapping) or not set(call) <= {"name", "arguments"}:
            return None
        name, arguments = call.get("name"), call.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, Mapping):
            return None
        calls.append((name, arguments))
    return calls


def argument_words(value: Any, kind: ParameterType | None = None) -> str:
    """The value of an argument on one line; a text is quoted where it would be taken for something else."""
    if not isinstance(value, str):
        return json_for_terminal(json.dumps(value, ensure_ascii=False))
    plain = value == value.strip() and "\n" not in value and visible(value) == value and value != ""
    if plain and (kind is ParameterType.STRING or not _is_json(value)) and not value.startswith('"'):
        return value
    return json_for_terminal(json.dumps(value, ensure_ascii=False))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _text(shown: CaseField, value: Any) -> str:
    match shown.kind:
        case FieldKind.TEXT:
            return str(value)
        case FieldKind.TRUTH | FieldKind.NUMBER:
            return json.dumps(value)
        case FieldKind.CHOICE:
            return choice_words(value)
        case FieldKind.LIST:
            return "\n".join(value)
        case FieldKind.TURNS:
            return "\n".join(f"{role}: {words}" for role, words in messages_of(value) or ())
        case FieldKind.CALLS:
            lines = []
            for name, arguments in calls_of(value) or ():
                kinds = shown.parameters.get(name, {})
                lines.append(name)
                lines += [f"  {key}: {argument_words(inner, kinds.get(key))}" for key, inner in arguments.items()]
            return "\n".join(lines)
        case FieldKind.JSON:
            return json_for_terminal(json.dumps(value, ensure_ascii=False, indent=2))


def choice_words(value: Any) -> str:
    """One of a plan's values, as it is chosen."""
    return value if isinstance(value, str) else json.dumps(value)


def _read(shown: CaseField, text: str) -> Any:
    if not text.strip():
        return None
    match shown.kind:
        case FieldKind.TEXT:
            return text
        case FieldKind.TRUTH:
            if text.strip() in ("true", "false"):
                return text.strip() == "true"
            raise Unfit("is true or false")
        case FieldKind.NUMBER:
            return _number(text.strip())
        case FieldKind.CHOICE:
            for one in shown.choices:
                if choice_words(one) == text:
                    return one
            raise Unfit(f"is one of {', '.join(map(choice_words, shown.choices))}")
        case FieldKind.LIST:
            return [line.strip() for line in text.split("\n") if line.strip()]
        case FieldKind.TURNS:
            return _turns(text, {role for role, _ in messages_of(shown.value) or ()} | set(_ROLES))
        case FieldKind.CALLS:
            return _calls(shown, text)
        case FieldKind.JSON:
            return _json(text)


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise Unfit(f"is a number, not {text[:_WHOLE_TEXT]!r}")
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _turns(text: str, roles: set[str]) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for line in text.split("\n"):
        role, mark, words = line.partition(":")
        if mark and role in roles:
            turns.append({"role": role, "content": words.removeprefix(" ")})
        elif turns:
            turns[-1]["content"] += f"\n{line}"
        elif line.strip():
            raise Unfit("begins with who speaks, such as user: Hello")
    if empty := next((turn["role"] for turn in turns if not turn["content"].strip()), ""):
        raise Unfit(f"has a turn of {empty} that says nothing")
    return turns


def _calls(shown: CaseField, text: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if not line[0].isspace():
            if ":" in line:
                raise Unfit(f"line {number}: an argument stands indented below the name of its tool")
            calls.append({"name": line.strip()})
            continue
        found = _ARGUMENT.fullmatch(line)
        if not calls or found is None:
            raise Unfit(f"line {number}: write the name of the tool, and below it, indented, argument: value")
        kinds = shown.parameters.get(calls[-1]["name"], {})
        key, value = found[1].strip(), (found[2] or "").strip()
        if key in calls[-1].get("arguments", {}):
            raise Unfit(f"line {number}: {key[:_WHOLE_TEXT]} is there twice")
        calls[-1].setdefault("arguments", {})[key] = _argument(value, kinds.get(key))
    return calls


def _argument(text: str, kind: ParameterType | None) -> Any:
    if kind is ParameterType.STRING and not text.startswith('"'):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unfit(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None


def edited_case(
    fields: Sequence[CaseField], texts: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any], dict[int, str]]:
    """Inputs and expectations out of the edited texts of the fields, in order; and, by the place of the field, what does
    not fit."""
    parts: dict[CasePart, dict[str, Any]] = {CasePart.INPUTS: {}, CasePart.EXPECTATIONS: {}}
    problems: dict[int, str] = {}
    for place, (one, text) in enumerate(zip(fields, texts, strict=True)):
        try:
            value = one.read(text)
        except Unfit as unfit:
            problems[place] = str(unfit)
            continue
        if value is not None:
            parts[one.part][one.key] = value
        elif not one.may_lack:
            problems[place] = "must not be empty"
    return parts[CasePart.INPUTS], parts[CasePart.EXPECTATIONS], problems
