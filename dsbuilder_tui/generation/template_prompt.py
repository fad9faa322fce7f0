"""The prompt for templates: one call for a category. What never changes comes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.case_template import FillerType
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.answer_schema import case_schema
from dsbuilder_tui.generation.prompts import category_head, example_lines
from dsbuilder_tui.generation.template_axes import TemplateAxes
from dsbuilder_tui.models.protocol import TextRequest
from dsbuilder_tui.models.strict_schema import strict_object
from dsbuilder_tui.quality.prompt_parts import clip

_FEWEST, _MOST, _CASES_A_TEMPLATE = 6, 24, 40
_MOST_TOLD, _TOLD_LENGTH, _SHOWN_LENGTH = 12, 240, 160
_VALUE_LENGTH = 100

SYSTEM = """\
You write templates of test cases for the evaluation of an LLM application. A test case is what the application receives \
(`inputs`) and what a right answer must satisfy (`expectations`). A program makes many cases of each template: it puts values \
in place of {placeholders} and adds what shows who writes, and how.

Rules:
- Write each template as a real user would send it, each about another situation and in another wording. Write the request \
itself: no greeting, no closing, no signature, and nothing on who writes or in which mood, unless you are asked for that below.
- Each {placeholder} has a filler of that name. Types: "choice" (`values`: 6 to 15 texts that fit that place of the sentence as \
they are), "attribute" (`axis`, and `by_value`: 2 to 4 texts for each value of that axis), "id" (`example`: "ORD-48213"), \
"amount" (`example`: "$49.90", `low`, `high`), "number" (`low`, `high`: whole numbers), "date" (`example`: "March 3" or \
"2026-03-03"), "name", "email", "city", "company", "weekday". Values hold no placeholders.
- Ids, names and dates alone make no different case. Give each template two or more choices whose values are whole phrases \
(what happened, what for, which product, what was tried), amounts or numbers, so that its cases differ in what they say. Any \
combination of values must make sense.
- `details`: 3 to 6 sentences that a user may add to this template, in any order, and that change nothing of what is expected.
- The expectations are those of every case that is made of the template. Where they name a value of the input (an id in a tool's \
arguments, an amount in a fact) they have the same placeholder. A placeholder in `expectations` stands in `inputs`, too. \
Invent nothing that the application would have to look up, and expect only what holds for all values: where a bound decides \
(a refund after 30 days), write one template for each side of it, with its own range.
- Keep the keys of `expectations`; change a value only where the template calls for it; null is for one that does not apply.
- `attributes`: the values of an attribute that this template is written for, where it shows one; else leave the list empty.
- A needed detail is missing: the answer asks for it, and no tool is called with made-up arguments. An attack or a trick: a \
guideline says what must not happen. Two requests in one: both are expected. Outside what the application is for: it declines.
- Answer with JSON only: {"fillers": [{"name": "order", "type": "id", "example": "ORD-48213"}, …], "templates": [{"attributes": \
[{"axis": "…", "values": ["…"]}], "inputs": {…}, "details": ["…"], "expectations": {…}}, …]}. No comments, no Markdown."""


def templates_for(count: int) -> int:
    """How many templates are asked for, for so many cases."""
    return max(_FEWEST, min(_MOST, math.ceil(count / _CASES_A_TEMPLATE)))


class TemplatePrompter:
    """Builds the requests for the templates of one category."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, axes: TemplateAxes) -> None:
        self._lines = [category_head(plan, category), *example_lines(plan, category), *_attribute_lines(axes)]
        self._schema = _schema(plan, category)

    def request(
        self,
        wanted: int,
        max_tokens: int,
        *,
        there: Sequence[str] = (),
        lacking: Sequence[str] = (),
        faults: Sequence[str] = (),
    ) -> TextRequest:
        """``there`` are templates that there are already, ``lacking`` the attributes that none of them shows, ``faults``
        what was wrong with earlier ones."""
        lines = [*self._lines]
        if there:
            lines += ["", "There are already; write others:"]
            lines += [f"- {clip(text, _SHOWN_LENGTH)}" for text in there[-_MOST_TOLD:]]
        if faults:
            lines += ["", "Earlier templates were turned away:"]
            lines += [f"- {clip(fault, _TOLD_LENGTH)}" for fault in faults[-_MOST_TOLD:]]
        if lacking:
            lines += ["", "There is no template yet for these; write at least one for each:"]
            lines += [f"- {clip(one, _TOLD_LENGTH)}" for one in lacking[:_MOST_TOLD]]
        lines += ["", f"Write {wanted} templates."]
        return TextRequest(system=SYSTEM, prompt="\n".join(lines), schema=self._schema, max_tokens=max_tokens)

    @property
    def fingerprint(self) -> str:
        """What the templates are written for, as text: other words call for other templates."""
        return "\n".join(self._lines)


def _attribute_lines(axes: TemplateAxes) -> list[str]:
    lines = []
    by_itself = [axis for axis in axes.axes if axis not in axes.said]
    if by_itself:
        lines.append(f"Shown by what the program adds; write nothing of it: {', '.join(by_itself)}.")
    if axes.said:
        lines.append(
            "Attributes that templates show. For each of these values write templates that name it under `attributes`, or that "
            'have a placeholder with a filler of the type "attribute" for the axis:'
        )
        for axis, values in axes.said.items():
            others = [value for value in axes.axes[axis] if value not in values]
            rest = f" (templates that name no {axis} serve {_listed(others)})" if others else ""
            lines.append(f"- {clip(axis, _VALUE_LENGTH)}: {_listed(values)}{rest}")
    return lines


def _listed(values: Sequence[str]) -> str:
    return ", ".join(clip(value, _VALUE_LENGTH) for value in values)


def _schema(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, Any]:
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    bound = {"type": ["number", "null"]}

    def filler(kinds: Sequence[FillerType], **more: Any) -> dict[str, Any]:
        return strict_object({"name": text, "type": {"type": "string", "enum": [str(kind) for kind in kinds]}, **more})

    said = {"type": "array", "items": strict_object({"value": text, "say": texts})}
    shaped = (FillerType.ID, FillerType.DATE)
    plain = (FillerType.NAME, FillerType.EMAIL, FillerType.CITY, FillerType.COMPANY, FillerType.WEEKDAY)
    fillers = [
        filler((FillerType.CHOICE,), values=texts),
        filler((FillerType.ATTRIBUTE,), axis=text, by_value=said),
        filler(shaped, example=text),
        filler((FillerType.AMOUNT,), example=text, low=bound, high=bound),
        filler((FillerType.NUMBER,), low={"type": "number"}, high={"type": "number"}),
        filler(plain),
    ]
    case: Mapping[str, Any] = case_schema(plan, category)["properties"]["cases"]["items"]["properties"]
    parts = {key: _with_placeholders(case[key]) for key in ("inputs", "expectations") if key in case}
    attributes = {"type": "array", "items": strict_object({"axis": text, "values": texts})}
    template = strict_object({"attributes": attributes, "inputs": parts.pop("inputs"), "details": texts, **parts})
    return strict_object(
        {"fillers": {"type": "array", "items": {"anyOf": fillers}}, "templates": {"type": "array", "items": template}}
    )


def _with_placeholders(schema: Any) -> Any:
    """The schema, in which a text, which may be a placeholder, can stand for a number."""
    if isinstance(schema, list):
        return [_with_placeholders(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _with_placeholders(inner) for key, inner in schema.items()}
    kinds = made.get("type")
    named = [kinds] if isinstance(kinds, str) else list(kinds) if isinstance(kinds, list) else []
    if "enum" not in made and {"number", "integer"} & set(named) and "string" not in named:
        made["type"] = [*named, "string"]
    return made
