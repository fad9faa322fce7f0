"""Tool calls that a plan expects of every case: their arguments hold for an input that does not speak against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validation import VALIDATORS, choices_of
from dsbuilder_tui.quality.validator import Check, CheckedCase
from dsbuilder_tui.quality.written_values import planned_tool_calls

_GROUNDING = ("ids", "amounts", "dates")


class ConstantArguments:
    """Holds the constant arguments of one category's expected tools against each input."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory) -> None:
        self._planned = [call for call in planned_tool_calls(category) if call.get("arguments")]
        self._checks: list[Check] = []
        if self._planned:
            self._checks = [
                VALIDATORS.load(choice.name).prepared(category, plan, choice.options)
                for choice in choices_of(plan, category)
                if choice.name in _GROUNDING
            ]

    def fitting(self, calls: list[dict[str, Any]], slot: Slot, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The calls, without the arguments of those that are the plan's own where an id, an amount or a date among
        them is another than the input's. Then the name alone is expected: arguments count as a whole."""
        if not self._checks:
            return calls
        return [{"name": call["name"]} if self._is_contradicted(call, slot, inputs) else call for call in calls]

    def _is_contradicted(self, call: dict[str, Any], slot: Slot, inputs: Mapping[str, Any]) -> bool:
        if call not in self._planned:
            return False  # the writer's own, which the validators see
        case = CheckedCase(slot=slot, inputs=inputs, expectations={MlflowKey.TOOL_CALLS.value: [call]})
        return any(check(case) for check in self._checks)
