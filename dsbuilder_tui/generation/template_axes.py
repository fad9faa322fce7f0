"""The axes of a category whose cases come from templates: what shows by itself, and what templates must be written for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case_template import CaseTemplate, FillerType
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.offline.writer.frames import language_axis, shows
from dsbuilder_tui.offline.writer.input_fields import main_field, text_of
from dsbuilder_tui.offline.writer.languages import ENGLISH, NAMES, UNKNOWN, language_of


class TemplateAxes:
    """Knows which attribute values a template has to say, since nothing that is put around it shows them."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, phrases: Mapping[str, Any]) -> None:
        self.axes = slot_axes(plan, category)
        languages = _languages(plan, category, self.axes, phrases)
        english, known = languages == {ENGLISH}, UNKNOWN not in languages
        said = {
            axis: tuple(v for v in values if not shows(axis, v, phrases, english=english, spoken_for=known))
            for axis, values in self.axes.items()
        }
        self.said = {axis: values for axis, values in said.items() if values}

    def fits(self, template: CaseTemplate, attributes: Mapping[str, str]) -> bool:
        """Whether cases with these attributes can be made of a template."""
        spoken = spoken_values(template)
        for axis, value in attributes.items():
            if axis in spoken:
                if value not in spoken[axis]:
                    return False
            elif value in self.said.get(axis, ()):
                return False
        return True

    def kind(self, attributes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """What of a slot's attributes decides which templates fit it."""
        return tuple((axis, value) for axis, value in attributes.items() if value in self.said.get(axis, ()))


def spoken_values(template: CaseTemplate) -> dict[str, frozenset[str]]:
    """The axes that a template shows in its own words, each with the values that it shows."""
    spoken = {axis: frozenset(values) for axis, values in template.attributes.items()}
    for name in template.needed:
        filler = template.filler(name)
        if filler is not None and filler.type is FillerType.ATTRIBUTE:
            values = frozenset(filler.by_value)
            spoken[filler.axis] = spoken[filler.axis] & values if filler.axis in spoken else values
    return spoken


def _languages(
    plan: DatasetPlanInput,
    category: DatasetCategory,
    axes: Mapping[str, tuple[str, ...]],
    phrases: Mapping[str, Any],
) -> set[str]:
    """The languages of a category's messages, by code."""
    if (axis := language_axis(axes)) is not None:
        codes = {name.casefold(): code for code, name in NAMES.items()} | {code: code for code in NAMES}
        return {codes.get(value.strip().casefold(), UNKNOWN) for value in axes[axis]}
    examples = plan.examples(category)
    field = main_field(plan, category)
    texts = [text for example in examples if (text := text_of(example.get(field, "")))]
    return {language_of(texts or [category.description], phrases)}
