"""The inputs of a case: the fields that the plan asks for, or the shape that its kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_kind import CaseKind, context_arguments
from dsbuilder_tui.domain.conversation import MESSAGES, TURNS, Speaker, checked_messages, lengths_in, turns_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.scenario import CONTEXT, GUIDELINES, SCENARIO_FIELDS, checked_scenario
from dsbuilder_tui.generation.case_scanner import json_in
from dsbuilder_tui.generation.value_kinds import Unfit, as_planned, kind_of


class InputCheck:
    """Holds the inputs of one category's cases against the plan: each field is there and of its example's kind."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory) -> None:
        self.examples = field_examples(plan, category)

    def fit(self, raw: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
        """The inputs as a worker gave them, in the shape that was asked for. Raises ``Unfit``."""
        examples = self.examples
        given = raw.get("inputs", raw.get("input"))
        if given is None and any(field in raw for field in examples):
            given = raw  # the fields stand beside `slot` rather than under `inputs`
        if isinstance(given, list) and len(given) == 1 and isinstance(given[0], Mapping) and not turns_of(given):
            given = given[0]
        if isinstance(given, str) and isinstance(written := json_in(given), dict) and self._are_fields(written):
            given = written
        if len(examples) == 1 and not isinstance(given, Mapping) and given is not None:
            field, example = next(iter(examples.items()))
            if isinstance(given, list) and kind_of(example) != "a list":
                raise Unfit(f"`inputs` is a list, not {kind_of(example)}")
            given = {field: given}
        if not isinstance(given, Mapping):
            raise Unfit("`inputs` is missing" if given is None else f"`inputs` is {kind_of(given)}, not an object")
        return self._fitted(given, slot)

    def check(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as a person wrote them, who is held to the fields and their kinds alone. Raises ``Unfit``."""
        for field in inputs:
            if field not in self.examples:
                raise Unfit(f"the plan has no field `{field}` in `inputs`, only {', '.join(self.examples)}")
        return fitting_fields(inputs, self.examples)

    def _are_fields(self, written: Mapping[str, Any]) -> bool:
        return written.keys() >= self.examples.keys()

    def _fitted(self, given: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
        examples = self.examples
        return fitting_fields({field: as_planned(given.get(field), examples[field]) for field in examples}, examples)


class _ConversationCheck(InputCheck):
    """Of `messages` the last is the user's, and there are as many as the slot asks for."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory) -> None:
        super().__init__(plan, category)
        told = [turn for example in plan.examples(category) for turn in turns_of(example.get(MESSAGES))]
        self._with_system = any(turn.speaker is Speaker.SYSTEM for turn in told)
        self.examples[MESSAGES] = [{}]

    def check(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        fitted = super().check(inputs)
        return {**fitted, MESSAGES: _messages(fitted[MESSAGES], with_system=True)}

    def _fitted(self, given: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
        value = given.get(MESSAGES)
        if isinstance(value, str) and (read := json_in(value)) is not None:
            value = read
        if isinstance(value, Mapping):
            value = value.get(MESSAGES, [value])
        if value is None:
            raise Unfit(f"the field `{MESSAGES}` is missing from `inputs`")
        messages = _messages(value, with_system=self._with_system)
        lengths = lengths_in(slot.attributes.get(TURNS, ""))
        number = sum(message["role"] != Speaker.SYSTEM for message in messages)
        if lengths and number not in lengths:
            raise Unfit(f"`{MESSAGES}` has {number} of them, and the slot asks for {slot.attributes[TURNS]}")
        return super()._fitted({**given, MESSAGES: messages}, slot)


class _ScenarioCheck(InputCheck):
    """A goal, and what else the simulator takes of what is there; the application's other arguments as the context."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory) -> None:
        super().__init__(plan, category)
        self._arguments = context_arguments(plan.input_fields, plan.examples(category))

    def check(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return _scenario(inputs)

    def _are_fields(self, written: Mapping[str, Any]) -> bool:
        return not self.examples.keys().isdisjoint(written)

    def _fitted(self, given: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
        found = {field: given[field] for field in SCENARIO_FIELDS if given.get(field) is not None}
        if GUIDELINES in found:
            found[GUIDELINES] = as_planned(found[GUIDELINES], [""])
        context = as_planned(found.pop(CONTEXT, {}), {})
        if isinstance(context, Mapping) and self._arguments:
            context = {name: as_planned(context.get(name), example) for name, example in self._arguments.items()}
            found[CONTEXT] = fitting_fields(context, self._arguments, f"`{CONTEXT}`")
        return _scenario(found)


_CHECKS: Mapping[CaseKind, type[InputCheck]] = {
    CaseKind.SINGLE: InputCheck, CaseKind.CONVERSATION: _ConversationCheck, CaseKind.SCENARIO: _ScenarioCheck,
}  # fmt: skip


def input_check(plan: DatasetPlanInput, category: DatasetCategory) -> InputCheck:
    """What the inputs of a category's cases are held to."""
    return _CHECKS[category.kind](plan, category)


def unfit_inputs(plan: DatasetPlanInput, category: DatasetCategory, inputs: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with inputs as a person wrote them, by field; what is of no single one stands at the first."""
    check = input_check(plan, category)
    try:
        check.check(inputs)
    except Unfit as unfit:
        found = {}
        for field, example in check.examples.items() if category.kind is CaseKind.SINGLE else ():
            try:
                fitting_fields(inputs, {field: example})
            except Unfit as own:
                found[field] = str(own)
        return found or {next(iter(check.examples)): str(unfit)}
    return {}


def field_examples(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, Any]:
    """For each field of the inputs a value that it has in an example; a text where there is none."""
    examples = plan.examples(category)
    return {
        field: next((example[field] for example in examples if example.get(field) is not None), "")
        for field in plan.fields_of(category)
    }


def fitting_fields(given: Mapping[str, Any], examples: Mapping[str, Any], of: str = "`inputs`") -> dict[str, Any]:
    """Each field of the examples, of the kind that it has there. Raises ``Unfit``; ``of`` is what they are fields of."""
    inputs = {}
    for field, example in examples.items():
        value = given.get(field)
        if value is None:
            raise Unfit(f"the field `{field}` is missing from {of}")
        if kind_of(value) != kind_of(example):
            raise Unfit(f"the field `{field}` of {of} is {kind_of(value)}, not {kind_of(example)}")
        if isinstance(value, str):
            value = value.strip()
            if not value:
                raise Unfit(f"the field `{field}` of {of} is empty")
        inputs[field] = value
    return inputs


def _messages(value: object, *, with_system: bool) -> list[dict[str, str]]:
    try:
        return checked_messages(value, with_system=with_system)
    except ValueError as error:
        raise Unfit(f"`{MESSAGES}` {error}") from None


def _scenario(inputs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return checked_scenario(inputs)
    except ValueError as error:
        raise Unfit(str(error)) from None
