"""The expectations of a case: what the plan says of every case, fitted to this one, and what was written for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_pair import PairKind
from dsbuilder_tui.domain.expectation import ExpectationType, MlflowKey, WrittenExpectation
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.target import ParameterType, ToolParameter
from dsbuilder_tui.generation.case_scanner import json_in
from dsbuilder_tui.generation.value_kinds import Unfit, as_planned, kind_of
from dsbuilder_tui.quality.constant_arguments import ConstantArguments
from dsbuilder_tui.quality.written_values import planned_tool_calls

_MOST_TEXTS = 30  # facts, guidelines or calls of one case
# A value of each type, for the kinds that a model may mistake.
_SAMPLES: Mapping[ExpectationType, Any] = {
    ExpectationType.TEXT: "", ExpectationType.NUMBER: 0, ExpectationType.BOOLEAN: True, ExpectationType.LIST: [""],
    ExpectationType.OBJECT: {},
}  # fmt: skip


class ExpectationCheck:
    """Holds the expectations of one category's candidates against what the plan asks for."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory) -> None:
        self._category = category
        self._written = {written.key: written for written in plan.written_for(category)}
        self._constant = dict(category.expectations)
        self._calls = planned_tool_calls(category)
        self._arguments = ConstantArguments(plan, category)
        self._tools = {name: tool.known_parameters() for name, tool in plan.target.tools.items()}

    def fit(
        self,
        raw: Mapping[str, Any],
        slot: Slot,
        inputs: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What is expected of a case. A constant holds unless a value is given for it; ``null`` leaves it out.

        ``before`` is what was expected of the case that a writer was shown to write it anew, or in other words: what was left
        out there stays so where nothing is said of it.
        Raises ``Unfit`` for a key that was to be written and is missing, and for values of another shape.
        """
        given = self._given(raw)
        if (
            before is None
            and slot.pair is not None
            and slot.pair.relation is PairKind.SAME
            and slot.original is not None
        ):
            before = slot.original.expectations
        if before is not None:
            named = (*self._constant, *self._written, MlflowKey.TOOL_CALLS.value)
            given = {**{key: None for key in named if key not in before}, **given}
        expectations: dict[str, Any] = {}
        for key, planned in self._constant.items():
            value = as_planned(given[key], planned) if key in given else planned
            if key in self._written or value is None:
                continue
            _check_kind(key, value, planned)
            expectations[key] = value
        for key, written in self._written.items():
            if before is not None and key not in before and given.get(key) is None:
                continue
            value = self._value(written, given)
            if value is not None:
                expectations[key] = value
        self._put_calls(expectations, given)
        key = MlflowKey.TOOL_CALLS.value
        calls = expectations.get(key)
        if isinstance(calls, list) and calls and all(isinstance(call, dict) and "name" in call for call in calls):
            expectations[key] = self._arguments.fitting(calls, slot, inputs)
        return expectations

    def check(self, expectations: Mapping[str, Any]) -> None:
        """Expectations as a person wrote them, who may add some and leave some out: what the plan names keeps its type.

        Raises ``Unfit``.
        """
        for key, value in expectations.items():
            written = self._written.get(key)
            if written is not None and value is not None:
                self._shaped(written, value)
            elif self._constant.get(key) is not None:
                _check_kind(key, value, self._constant[key])

    def _given(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        given = as_planned(raw.get("expectations"), {})
        if given is None:  # they may stand beside `slot`
            wanted = (*self._constant, *self._written, MlflowKey.TOOL_CALLS.value)
            given = {str(key): raw[key] for key in wanted if key in raw}
        if not isinstance(given, Mapping):
            raise Unfit(f"`expectations` is {kind_of(given)}, not an object")
        return given

    def _value(self, written: WrittenExpectation, given: Mapping[str, Any]) -> Any:
        """What was written for a key, beside what the plan says of it; None when it is left out."""
        planned = self._constant.get(written.key)
        value = given.get(written.key)
        is_list = written.of_mlflow in (MlflowKey.GUIDELINES, MlflowKey.FACTS)
        if value is None:
            if written.of_mlflow is MlflowKey.TOOL_CALLS and written.key in given:
                return None  # no tool is to be called
            if written.optional or (planned is not None and not is_list):
                return planned
            raise Unfit(f"`{written.key}` is missing from `expectations`; write {written.words}")
        shaped = self._shaped(written, value)
        if not is_list:
            return shaped
        if not shaped and not written.optional:
            raise Unfit(f"`{written.key}` of `expectations` is empty; write {written.words}")
        kept = as_texts(planned) if isinstance(planned, str | list) else []
        return list(dict.fromkeys([*kept, *shaped]))

    def _shaped(self, written: WrittenExpectation, value: Any) -> Any:
        match written.of_mlflow:
            case MlflowKey.FACTS | MlflowKey.GUIDELINES:
                return _texts(written.key, value)
            case MlflowKey.TOOL_CALLS:
                return self._tool_calls(value)
        sample = written.values[0] if written.values else _SAMPLES[written.type]
        value = as_planned(value, sample)
        if isinstance(value, str):
            value = value.strip()
        if written.values:
            return _chosen(written, value)
        _check_kind(written.key, value, sample)
        if written.type is ExpectationType.LIST:
            return _texts(written.key, value)
        if value == "":
            raise Unfit(f"`{written.key}` of `expectations` is empty; write {written.words}")
        return value

    def _put_calls(self, expectations: dict[str, Any], given: Mapping[str, Any]) -> None:
        """The plan's tool calls, or what was written in their place. Where no tool is to be called there are none: MLflow
        knows no empty list of them."""
        key = MlflowKey.TOOL_CALLS.value
        if self._calls and key not in self._written and key not in self._constant:
            value = given.get(key, self._calls)
            expectations[key] = [] if value is None else self._tool_calls(value)
        if expectations.get(key) == []:
            del expectations[key]

    def _tool_calls(self, value: Any) -> list[dict[str, Any]]:
        key = MlflowKey.TOOL_CALLS.value
        if isinstance(value, str) and isinstance(read := json_in(value), list | dict):
            value = read
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list):
            raise Unfit(f"`{key}` of `expectations` is {kind_of(value)}, not a list of calls")
        return [self._tool_call(call) for call in value[:_MOST_TEXTS]]

    def _tool_call(self, call: Any) -> dict[str, Any]:
        key = MlflowKey.TOOL_CALLS.value
        if isinstance(call, str):
            call = {"name": call}
        if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping):
            call = call["function"]
        if not isinstance(call, Mapping) or not isinstance(name := call.get("name"), str) or not name.strip():
            raise Unfit(f'`{key}` of `expectations` holds what is no call; write {{"name": …, "arguments": {{…}}}}')
        arguments = call.get("arguments", call.get("args"))
        if isinstance(arguments, str):
            read = json_in(arguments) if arguments.strip() else {}
            arguments = arguments if read is None else read
        if arguments is not None and not isinstance(arguments, Mapping):
            raise Unfit(f"the arguments of {name} in `{key}` are {kind_of(arguments)}, not an object")
        parameters = {parameter.name: parameter for parameter in self._tools.get(name.strip()) or ()}
        fitted = {
            str(argument): _argument(inner, parameters.get(str(argument)))
            for argument, inner in (arguments or {}).items()
            if inner is not None or (str(argument) in parameters and parameters[str(argument)].required)
        }
        return {"name": name.strip(), "arguments": fitted} if fitted else {"name": name.strip()}


def as_texts(value: str | list[Any]) -> list[Any]:
    """One text or several as a list."""
    return [value] if isinstance(value, str) else list(value)


def _texts(key: str, value: Any) -> list[str]:
    if isinstance(value, str) and isinstance(read := json_in(value), list):
        value = read
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise Unfit(f"`{key}` of `expectations` is {kind_of(value)}, not a list of texts")
    for text in value:
        if not isinstance(text, str):
            raise Unfit(f"`{key}` of `expectations` holds {kind_of(text)}, not only texts")
    return [text.strip() for text in value[:_MOST_TEXTS] if text.strip()]


def _chosen(written: WrittenExpectation, value: Any) -> Any:
    if value in written.values and kind_of(value) in {kind_of(one) for one in written.values}:
        return value
    folded = str(value).strip().casefold()
    for one in written.values:
        if str(one).casefold() == folded:
            return one
    names = ", ".join(str(one) for one in written.values)
    raise Unfit(f"`{written.key}` of `expectations` is {str(value)[:80]!r}, which is none of {names}")


def _argument(value: Any, parameter: ToolParameter | None) -> Any:
    """The value in the type that the tool takes, where nothing is lost."""
    match parameter.type if parameter else None:
        case ParameterType.STRING if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        case ParameterType.INTEGER | ParameterType.NUMBER if isinstance(value, str):
            return as_planned(value, 0)
        case ParameterType.BOOLEAN if isinstance(value, str):
            return as_planned(value, True)
        case ParameterType.ARRAY | ParameterType.OBJECT if isinstance(value, str):
            read = json_in(value)
            return read if isinstance(read, list | dict) else value
    return value


def _check_kind(key: str, value: Any, planned: Any) -> None:
    if planned is not None and kind_of(value) != kind_of(planned):
        raise Unfit(f"`{key}` of `expectations` is {kind_of(value)}, not {kind_of(planned)}")
