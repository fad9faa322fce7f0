"""The expander of templates: a template, filled and varied for one slot. It costs nothing, and is the same each time."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_template import PLACEHOLDER, TEMPLATE_TAG, CaseTemplate, Filler, FillerType
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.template_axes import spoken_values
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, compose, load_phrases, perturbed
from dsbuilder_tui.offline.writer.input_fields import main_field
from dsbuilder_tui.offline.writer.languages import ENGLISH, UNKNOWN, language_of, phrases_in
from dsbuilder_tui.offline.writer.values import amount_between, value_pool

_ARTICLE = re.compile(r"\b([Aa]n?)( )\{(\w+)\}")
_TAKES_AN = re.compile(r"(?!eu|one\b|once|uni|use|usu|uti)[aeiou]", re.IGNORECASE)
_WHOLE = 2**64
_GOLDEN = 0x9E3779B97F4A7C15  # of it
_KINDS = {
    FillerType.ID: "id", FillerType.AMOUNT: "money", FillerType.DATE: "date", FillerType.NAME: "name",
    FillerType.EMAIL: "email", FillerType.CITY: "city", FillerType.COMPANY: "company", FillerType.WEEKDAY: "weekday",
}  # fmt: skip


class TemplateExpander:
    """Makes cases of one category out of templates, with the values, frames and perturbations of the built-in writer.

    A case depends on its template, slot, attempt and seed alone.
    """

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, seed: int) -> None:
        self._plan, self._category, self._seed = plan, category, seed
        self.phrases = load_phrases()
        self._pool = value_pool(seed)
        self._field = main_field(plan, category)
        self._languages: dict[str, str] = {}

    def case(self, name: str, template: CaseTemplate, slot: Slot, attempt: int) -> dict[str, Any]:
        """A case in the form of a worker's: ``inputs``, ``expectations``, and ``tags`` that name the template."""
        rng = random.Random(
            f"{self._seed}\x1f{self._plan.dataset_name}\x1f{slot.category}\x1f{name}\x1f{slot.ordinal}\x1f{attempt}"
        )
        values = self._values(template, slot, attempt, rng)
        pattern = template.inputs.get(self._field)
        language = self._language(pattern) if isinstance(pattern, str) else UNKNOWN
        filled = _filled_english if language == ENGLISH else _filled
        inputs = {field: filled(value, values) for field, value in template.inputs.items()}
        done: list[str] = []
        core = inputs.get(self._field)
        if isinstance(core, str):
            details = [filled(one, values) for one in rng.sample(template.details, len(template.details))]
            inputs[self._field], done = self._message(template, core, details, language, slot, attempt, rng)
        return {
            "inputs": inputs,
            "expectations": filled(template.expectations, values),
            "tags": {
                "template": pattern if isinstance(pattern, str) else "",
                TEMPLATE_TAG: name,
                "perturbation": ", ".join(done) or "none",
            },
        }

    def _message(
        self,
        template: CaseTemplate,
        core: str,
        details: Sequence[str],
        language: str,
        slot: Slot,
        attempt: int,
        rng: random.Random,
    ) -> tuple[str, list[str]]:
        """The core with what shows the slot's attributes around it, and what was done to it."""
        phrases, english = phrases_in(language, self.phrases), language == ENGLISH
        spoken = spoken_values(template)
        around = {axis: value for axis, value in slot.attributes.items() if axis not in spoken}
        frame = Frame.of(around, phrases, rng, english=english)
        frame.context = []  # what an axis of the plan's own means is said by the template
        core = core[:1].upper() + core[1:]
        text = compose(core, frame, Surroundings(details=details), phrases, rng, extra=attempt)
        text = self._pool.fill(text, rng) if "{" in text else text  # names that its greeting and its end have
        return perturbed(text, Frame.of(slot.attributes, phrases, rng, english=english), phrases, rng)

    def _language(self, pattern: str) -> str:
        if pattern not in self._languages:
            self._languages[pattern] = language_of([PLACEHOLDER.sub(" ", pattern)], self.phrases)
        return self._languages[pattern]

    def _values(self, template: CaseTemplate, slot: Slot, attempt: int, rng: random.Random) -> dict[str, str]:
        """A value for each filler. Choices are gone through evenly, so that their combinations recur as late as can be."""
        choices = [one for one in template.fillers if one.type is FillerType.CHOICE]
        place = slot.ordinal + attempt * (self._category.count + 1)
        # Multiples of the golden ratio spread evenly, also those of every seventh slot: no choice goes with an attribute.
        at = ((place * _GOLDEN) % _WHOLE) * math.prod(len(one.values) for one in choices) // _WHOLE
        values: dict[str, str] = {}
        for filler in choices:
            at, chosen = divmod(at, len(filler.values))
            values[filler.name] = filler.values[chosen]
        for filler in template.fillers:
            if filler.type is not FillerType.CHOICE:
                values[filler.name] = self._value(filler, slot, rng, values)
        return values

    def _value(self, filler: Filler, slot: Slot, rng: random.Random, others: Mapping[str, str]) -> str:
        match filler.type:
            case FillerType.ATTRIBUTE:
                return rng.choice(filler.by_value[slot.attributes[filler.axis]])
            case FillerType.NUMBER:
                assert filler.low is not None and filler.high is not None
                return str(rng.randint(int(filler.low), int(filler.high)))
            case FillerType.AMOUNT if filler.low is not None and filler.high is not None:
                return amount_between(filler.example or "$1", filler.low, filler.high, rng)
        chosen = ""
        for _ in range(5):  # a flight goes from one city to another one
            chosen = self._pool.value(_KINDS[filler.type], filler.example, rng)
            if chosen not in others.values():
                break
        return chosen


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The value with its placeholders filled, in all its texts."""
    return _mapped(value, lambda text: PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group()), text))


def _filled_english(value: Any, values: Mapping[str, str]) -> Any:
    """As ``_filled``; an article in front of a placeholder goes with what comes into it: a lamp, an office chair."""

    def fitted(found: re.Match[str]) -> str:
        article, gap, name = found.groups()
        filling = values.get(name, "")
        if filling[:1].isalpha():
            article = article[0] + ("n" if _TAKES_AN.match(filling) else "")
        return f"{article}{gap}{{{name}}}"

    return _filled(_mapped(value, lambda text: _ARTICLE.sub(fitted, text)), values)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each of its texts changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(inner, change) for inner in value]
    return value
