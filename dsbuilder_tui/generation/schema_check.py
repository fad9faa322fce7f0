"""The first part of the gate: does a candidate have the shape that the plan asks for?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Candidate, display_text
from dsbuilder_tui.domain.case_template import TEMPLATE_TAG
from dsbuilder_tui.domain.plan import MAX_TEXT_LENGTH, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.row_axis import ROW
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.generation.case_scanner import MalformedCase
from dsbuilder_tui.generation.expectation_check import ExpectationCheck
from dsbuilder_tui.generation.grounding_tags import grounding_tags
from dsbuilder_tui.generation.input_check import input_check, unfit_inputs
from dsbuilder_tui.generation.pair_tags import pair_tags
from dsbuilder_tui.generation.value_kinds import Unfit, kind_of

_SHOWN = 500
_WRITER_TAGS = ("template", TEMPLATE_TAG, "perturbation")
_MOST_SEVERAL = 10


@dataclass(frozen=True, slots=True)
class Fitted:
    """A candidate in the plan's shape."""

    inputs: dict[str, Any]
    expectations: dict[str, Any]
    tags: dict[str, Any]

    @property
    def shown(self) -> str:
        return display_text(self.inputs)[:_SHOWN]

    def whole(self) -> dict[str, Any]:
        """All of it, so that it can be kept when it is turned away."""
        return {"inputs": self.inputs, "expectations": self.expectations, "tags": self.tags}


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a candidate has not the plan's shape, and what it says."""

    reason: str
    text: str


class SchemaCheck:
    """Holds candidates against the shape that the plan gives their category."""

    def __init__(self, plan: DatasetPlanInput) -> None:
        self._inputs = {category.name: input_check(plan, category) for category in plan.categories}
        self._categories = {category.name: category for category in plan.categories}
        self._expectations = {category.name: ExpectationCheck(plan, category) for category in plan.categories}

    def fit(self, candidate: Candidate, before: Mapping[str, Any] | None = None) -> list[Fitted] | Misfit:
        """The candidate; or, when a worker was asked for several to a slot, those that fit, the least expected first.

        ``before`` is what was expected of the case that it is another version of.
        """
        several = candidate.raw.get("candidates") if isinstance(candidate.raw, Mapping) else None
        if (
            not isinstance(several, list)
            or not several
            or "candidates" in self._inputs[candidate.slot.category].examples
        ):
            fitted = self._fit(candidate, candidate.raw, before)
            return fitted if isinstance(fitted, Misfit) else [fitted]
        found = [self._fit(candidate, raw, before) for raw in sorted(several[:_MOST_SEVERAL], key=_probability)]
        fitting = [one for one in found if isinstance(one, Fitted)]
        return fitting or next(one for one in found if isinstance(one, Misfit))

    def _fit(self, candidate: Candidate, raw: Any, before: Mapping[str, Any] | None) -> Fitted | Misfit:
        category = self._categories[candidate.slot.category]
        try:
            if isinstance(raw, MalformedCase):
                raise Unfit("not valid JSON")
            if not isinstance(raw, Mapping):
                raise Unfit(f"it is {kind_of(raw)}, not an object")
            inputs = _storable(self._inputs[category.name].fit(raw, candidate.slot), "inputs")
            expected = self._expectations[category.name].fit(raw, candidate.slot, inputs, before)
            expectations = _storable(expected, "expectations")
        except Unfit as unfit:
            return Misfit(str(unfit), _shown(raw))
        except RecursionError:
            return Misfit("nested too deeply", "")
        tags: dict[str, Any] = {"attributes": dict(candidate.slot.attributes), "model": candidate.model}
        tags |= category.kind.as_tag()
        tags |= grounding_tags(candidate.slot, raw) | pair_tags(candidate.slot, raw)
        if candidate.slot.row is not None:
            tags[ROW] = candidate.slot.row.as_tag()
        given = raw.get("tags")
        if isinstance(given, Mapping):
            tags.update({key: whole_characters(str(given[key]))[:_SHOWN] for key in _WRITER_TAGS if given.get(key)})
        return Fitted(inputs, expectations, tags)


def fitting_case(
    plan: DatasetPlanInput, category: DatasetCategory, inputs: object, expectations: object
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case as a person wrote it, held against the plan as a worker's would be. Raises ``Unfit``.

    Other than a worker, a person may add expectations and leave some out; what the plan names keeps its type.
    """
    if not isinstance(inputs, Mapping) or not isinstance(expectations, Mapping):
        raise Unfit("`inputs` and `expectations` must be objects")
    try:
        ExpectationCheck(plan, category).check(expectations)
        checked = input_check(plan, category).check(inputs)
        return _storable(checked, "inputs"), _storable(dict(expectations), "expectations")
    except RecursionError:
        raise Unfit("nested too deeply") from None


def unfit_fields(
    plan: DatasetPlanInput, category: DatasetCategory, inputs: Mapping[str, Any], expectations: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """What ``fitting_case`` would not take: the fields of the inputs, and those of the expectations, with the reason."""
    bad_inputs = unfit_inputs(plan, category, inputs)
    bad_expectations, check = dict[str, str](), ExpectationCheck(plan, category)
    for key, value in expectations.items():
        try:
            check.check({key: value})
            _storable({key: value}, "expectations")
        except Unfit as unfit:
            bad_expectations[key] = str(unfit)
    return bad_inputs, bad_expectations


def _storable(value: dict[str, Any], what: str) -> dict[str, Any]:
    """The value as JSON can hold it: half a surrogate pair, which no UTF-8 file takes, becomes U+FFFD."""
    try:
        size = len(orjson.dumps(value))
    except TypeError:
        value = whole_characters(value)
        try:
            size = len(orjson.dumps(value))
        except TypeError as error:
            raise Unfit(f"`{what}` cannot be stored: {error}") from None
    if size > MAX_TEXT_LENGTH * 4:
        raise Unfit(f"`{what}` is longer than {MAX_TEXT_LENGTH * 4:,} bytes")
    return value


def _probability(raw: Any) -> float:
    """How likely a worker says that a candidate is; what it does not say comes last."""
    given = raw.get("probability") if isinstance(raw, Mapping) else None
    return float(given) if isinstance(given, int | float) and math.isfinite(given) else math.inf


def _shown(raw: Any) -> str:
    if isinstance(raw, MalformedCase):
        text = raw.text
    else:
        inputs = raw.get("inputs", raw) if isinstance(raw, Mapping) else raw
        try:
            text = display_text(inputs)
        except RecursionError:
            text = ""
    return str(whole_characters(text))[:_SHOWN]
