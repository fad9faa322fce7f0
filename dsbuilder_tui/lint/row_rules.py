"""The validators of the gate over rows of a file, each fault under the code that it has here."""

from __future__ import annotations

from collections.abc import Iterator

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.lint.finding import CheckCode
from dsbuilder_tui.quality.validation import Validation
from dsbuilder_tui.sources.rows.row_parts import Parts

_CODES = {
    "ids": CheckCode.NOT_IN_INPUT, "amounts": CheckCode.NOT_IN_INPUT, "dates": CheckCode.NOT_IN_INPUT,
    "quotes": CheckCode.NOT_IN_INPUT, "tools": CheckCode.TOOL_CALL, "placeholders": CheckCode.PLACEHOLDER,
    "attributes": CheckCode.ATTRIBUTE_NAMED, "answer_in_input": CheckCode.ANSWER_IN_INPUT,
}  # fmt: skip
_ANY = "rows"  # the category of rows whose own no plan knows
_NEED_MORE = ("-evidence",)  # validators that a file has nothing for


class RowRules:
    """Holds rows against the validators of a plan, or those that are on by default. Raises as ``Validation``."""

    def __init__(self, plan: DatasetPlanInput | None) -> None:
        if plan is None:
            plan = DatasetPlanInput(dataset_name="rows", categories=[DatasetCategory(name=_ANY, count=1)])
        self._known = {category.name for category in plan.categories}
        if _ANY not in self._known:
            rest = DatasetCategory(name=_ANY, count=1)
            plan = plan.model_copy(update={"categories": [*plan.categories, rest]})
        self._validation = Validation(plan.model_copy(update={"validators": (*plan.validators, *_NEED_MORE)}))

    def faults(self, parts: Parts, line: int) -> Iterator[tuple[CheckCode, str]]:
        """What is wrong with a row, and how it is called."""
        category = parts.category if parts.category in self._known else _ANY
        slot = Slot(category, line, attributes=parts.attributes, row=row_of(parts.tags))
        case = self._validation.case(slot, parts.inputs, parts.expectations)
        for said in self._validation.faults(case):
            name, _, reason = said.partition(": ")
            code = _CODES.get(name, CheckCode.OTHER_RULE)
            yield code, reason if name in _CODES else said
