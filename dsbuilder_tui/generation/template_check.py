"""The check of templates: before a case is made of one, whether it holds what its cases need, and whether all together do."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.case_template import CaseTemplate, Filler, FillerType, placeholders
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.schema_check import Misfit, SchemaCheck
from dsbuilder_tui.generation.slots import SlotPlan
from dsbuilder_tui.generation.template_axes import TemplateAxes, spoken_values
from dsbuilder_tui.generation.template_expander import TemplateExpander
from dsbuilder_tui.quality.validation import Validation
from dsbuilder_tui.registry import PlugInBroken

_MOST_VALUES, _LONGEST_VALUE = 200, 300
_TRIALS = 4  # cases that are made of a template to see whether they pass
_LOOKED_AT = 600  # slots by which the attributes of a category are known
_MOST_COUNTED = 1_000_000
_CITIES, _WEEKDAYS, _AMOUNTS = 30, 7, 300  # different values of fillers that are not counted out
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DATE = re.compile(
    rf"\d{{4}}-\d\d?-\d\d?|\d\d?[/.]\d\d?[/.]\d{{2,4}}|{_MONTH}\.?\s\d\d?(?:st|nd|rd|th)?(?:,?\s\d{{4}})?"
    rf"|\d\d?(?:st|nd|rd|th)?\s{_MONTH}\.?(?:,?\s\d{{4}})?"
)
_AMOUNT = re.compile(r"\D{0,5}\d[\d.,]*+\D{0,10}")
_ID = re.compile(r"#?\s?(?=\S{0,40}\d)[\w#/.-]{2,40}")
_WHOLE = re.compile(r"\d{1,9}")
_OF_TYPE = {
    FillerType.DATE: (_DATE, "a date such as March 3 or 2026-03-03"),
    FillerType.AMOUNT: (_AMOUNT, "an amount such as $49.90"),
    FillerType.ID: (_ID, "an id with digits, such as ORD-48213"),
    FillerType.NUMBER: (_WHOLE, "a whole number"),
    FillerType.EMAIL: (re.compile(r"[^@\s]{1,64}@[^@\s]{1,200}"), "an address with @"),
}
_NEEDS_EXAMPLE = (FillerType.ID, FillerType.DATE)


class TemplateCheck:
    """Holds templates of one category against the plan, by making cases of them that meet schema and validators.

    Raises as ``Validation``.
    """

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, seed: int) -> None:
        self._category, self._fields = category, list(plan.input_fields)
        self.expander = TemplateExpander(plan, category, seed)
        self.axes = TemplateAxes(plan, category, self.expander.phrases)
        self._schema, self._validation = SchemaCheck(plan), Validation(plan)
        slots = SlotPlan(category, self.axes.axes, seed)
        self._slots = [
            Slot(category.name, ordinal, attributes=slots.attributes(ordinal))
            for ordinal in range(1, min(category.count, _LOOKED_AT) + 1)
        ]

    def sound(self, template: CaseTemplate) -> CaseTemplate | str:
        """The template as it is kept, with fillers that can be filled; or what is wrong with it, in words."""
        missing = [field for field in self._fields if field not in template.inputs]
        if missing:
            return f"the field `{missing[0]}` is missing from `inputs`"
        template = template.model_copy(update={"inputs": {field: template.inputs[field] for field in self._fields}})
        needed = template.needed
        for name in placeholders(template.expectations):
            if name not in needed:
                return f"{{{name}}} stands in `expectations` and not in `inputs`: what is expected must come from the input"
        for axis, values in template.attributes.items():
            known = self.axes.axes.get(axis)
            if known is None:
                return f"there is no attribute {axis!r}; there are {', '.join(self.axes.axes)}"
            if foreign := [value for value in values if value not in known]:
                return f"{axis} has no value {foreign[0]!r}; it has {', '.join(known)}"
        fillers = []
        for filler in template.fillers:
            fitted = self._fitted(filler)
            if isinstance(fitted, str):
                return f"the filler of {{{filler.name}}} {fitted}"
            fillers.append(fitted)
        template = template.model_copy(update={"fillers": tuple(fillers)})
        return self._tried(template) or template

    def uncovered(self, templates: Iterable[CaseTemplate], slots: Iterable[Slot] = ()) -> list[str]:
        """The attributes that no template shows and slots ask for, such as ``situation: adversarial``."""
        live = list(templates)
        lacking: dict[tuple[tuple[str, str], ...], None] = {}
        for slot in (*self._slots, *slots):
            if not any(self.axes.fits(template, slot.attributes) for template in live):
                lacking[self.axes.kind(slot.attributes)] = None
        return ["; ".join(f"{axis}: {value}" for axis, value in kind) or "any other" for kind in lacking]

    def room(self, templates: Sequence[CaseTemplate]) -> int:
        """How many cases that differ in more than ids, names and dates can be made of templates together."""
        return min(_MOST_COUNTED, sum(_room(template) for template in templates))

    def repeats(self, template: CaseTemplate, others: Iterable[CaseTemplate]) -> bool:
        """Whether a template says what another one says."""
        return _skeleton(template) in {_skeleton(other) for other in others}

    def _fitted(self, filler: Filler) -> Filler | str:
        kind = filler.type
        if kind is FillerType.ATTRIBUTE:
            return self._attribute(filler)
        if filler.values and kind is not FillerType.CHOICE:
            pattern, words = _OF_TYPE.get(kind, (None, ""))
            for value in filler.values:
                if pattern is not None and not pattern.fullmatch(value.strip()):
                    return f"has the value {value[:60]!r}, which is not {words}"
            filler = filler.model_copy(update={"type": FillerType.CHOICE})
        if filler.type is FillerType.CHOICE:
            if len(filler.values) < 2:
                return "is a choice and needs at least two different values"
            return _texts_fault(filler.values) or filler.model_copy(update={"values": filler.values[:_MOST_VALUES]})
        if filler.example and kind in _OF_TYPE and not _OF_TYPE[kind][0].fullmatch(filler.example):
            return f"has the example {filler.example[:60]!r}, which is not {_OF_TYPE[kind][1]}"
        if kind in _NEEDS_EXAMPLE and not filler.example:
            return f"needs an example: {_OF_TYPE[kind][1]}"
        bounds = [filler.low, filler.high]
        if None in bounds and (kind is FillerType.NUMBER or bounds != [None, None]):
            return "needs `low` and `high`"
        if filler.low is not None and filler.high is not None:
            if not (0 <= filler.low < filler.high < 1e9 and math.ceil(filler.low) < math.floor(filler.high)):
                return "needs a `low` that is below its `high`, neither below 0"
        elif kind is FillerType.AMOUNT and not filler.example:
            return f"needs an example: {_OF_TYPE[kind][1]}"
        return filler

    def _attribute(self, filler: Filler) -> Filler | str:
        values = self.axes.axes.get(filler.axis)
        if values is None:
            return f"is of the attribute {filler.axis!r}, which there is not; there are {', '.join(self.axes.axes)}"
        if foreign := [value for value in filler.by_value if value not in values]:
            return f"has texts for {foreign[0]!r}, which is no value of {filler.axis}"
        if not filler.by_value or not all(filler.by_value.values()):
            return f"needs texts for each value of {filler.axis}"
        return _texts_fault(text for texts in filler.by_value.values() for text in texts) or filler

    def _tried(self, template: CaseTemplate) -> str | None:
        """What the gate would say of the cases of a template; None when it lets one in."""
        fitting = [slot for slot in self._slots if self.axes.fits(template, slot.attributes)]
        if not fitting:
            spoken = "; ".join(f"{axis}: {', '.join(sorted(v))}" for axis, v in spoken_values(template).items())
            return f"no case asks for its attributes ({spoken or 'none'}) as they are"
        fault = ""
        for number in range(_TRIALS):
            slot = fitting[number * len(fitting) // _TRIALS]
            raw = self.expander.case("", template, slot, number)
            fault = self._fault(slot, raw) or ""
            if not fault:
                return None
        return fault

    def _fault(self, slot: Slot, raw: dict[str, Any]) -> str | None:
        fitted = self._schema.fit(Candidate(slot, 0, raw, 0, ""))
        if isinstance(fitted, Misfit):
            return fitted.reason
        one = fitted[0]
        case = self._validation.case(slot, one.inputs, one.expectations, evidence_of(one.tags))
        try:
            return self._validation.fault(case)
        except PlugInBroken:
            return None  # the gate meets it, too, and says so


def _texts_fault(values: Iterable[str]) -> str | None:
    for value in values:
        if "{" in value or "}" in value:
            return f"has the value {value[:60]!r}: values hold no placeholders"
        if len(value) > _LONGEST_VALUE:
            return f"has a value of {len(value)} characters; {_LONGEST_VALUE} are the most"
    return None


def _room(template: CaseTemplate) -> int:
    needed = template.needed
    sizes = [_different(filler) for filler in template.fillers if filler.name in needed]
    return min(_MOST_COUNTED, math.prod(sizes) * (1 + len(template.details)))


def _different(filler: Filler) -> int:
    match filler.type:
        case FillerType.CHOICE:
            return len(filler.values)
        case FillerType.ATTRIBUTE:
            return min(map(len, filler.by_value.values()))
        case FillerType.NUMBER:
            return int((filler.high or 0) - (filler.low or 0)) + 1
        case FillerType.AMOUNT:
            return _AMOUNTS if filler.low is None or filler.high is None else int(filler.high - filler.low) + 1
        case FillerType.CITY:
            return _CITIES
        case FillerType.WEEKDAY:
            return _WEEKDAYS
    return 1  # ids, dates and names make no difference


def _skeleton(template: CaseTemplate) -> str:
    texts = [value for value in template.inputs.values() if isinstance(value, str)]
    return normalise(" ".join(texts))
