"""A worker's prompt. What never changes comes first, so that endpoints can cache it; nothing grows with the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.models.protocol import SlotRequest, WorkerRequest

MOST_AVOIDED, _SLOTS_FOR_ONE_AVOIDED = 6, 3
_MOST_EXAMPLES = 5
_EXAMPLE_LENGTH, _AVOID_LENGTH, _CRITIQUE_LENGTH, _DESCRIPTION_LENGTH, _TEXT_LENGTH = 400, 160, 400, 2000, 4000

SYSTEM = """\
You write test cases for the evaluation of an LLM application. Each test case is what the application receives
(`inputs`) and what a right answer must satisfy (`expectations`).

Rules:
- Write exactly one case for each numbered slot, in order, and fit every attribute of the slot. Show attributes by how \
the text is written; never name them.
- Write inputs as a real user of the application would send them: concrete details, natural wording, no placeholders.
- Make each case differ from the others in situation and in wording, not just in names and numbers.
- Keep the keys of `expectations`; change a value only where this very input calls for it.
- Answer with JSON only: {"cases": [{"slot": 1, "inputs": {…}, "expectations": {…}}, …]}. No comments, no Markdown."""

# Verbalised sampling: asked for several answers with their probabilities, a model reaches further than its favourite
# one (Zhang et al. 2025, https://arxiv.org/abs/2510.01171).
_SEVERAL = """
- For each slot write {count} candidates that differ from one another, each with the `probability` (0 to 1) that you would \
have written it had you been asked for only one. Most of them below 0.1: reach for what is rarely thought of.
- So the answer is: {{"cases": [{{"slot": 1, "candidates": [{{"probability": 0.05, "inputs": {{…}}, "expectations": {{…}}}}, \
…]}}, …]}}."""


def _clip(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


class Prompter:
    """Builds worker requests for one plan. The part that a category repeats is built once."""

    def __init__(self, plan: DatasetPlanInput, seed: int, limit: OutputLimit, candidates: int = 1) -> None:
        """``candidates`` is how many a worker writes for each slot."""
        self._plan, self._seed, self._limit, self._candidates = plan, seed, limit, candidates
        self._system = SYSTEM if candidates == 1 else SYSTEM + _SEVERAL.format(count=candidates)
        self._heads = {category.name: _head(plan, category) for category in plan.categories}
        self._examples = {category.name: _examples(plan, category) for category in plan.categories}
        self._schemas: dict[tuple[str, int], Any] = {}

    def request(self, category: DatasetCategory, slots: Sequence[SlotRequest], avoid: Sequence[str]) -> WorkerRequest:
        lines = [self._heads[category.name]]
        # A weak model copies what it is shown, all the more when it is told not to. Where that has happened it is shown
        # no example, and of what is taken little: that keeps it to the topic.
        repeats = any(wanted.attempt and not wanted.critique for wanted in slots)
        if not repeats:
            lines += self._examples[category.name]
        lines += ["", f"Slots ({len(slots)}):"]
        for number, wanted in enumerate(slots, 1):
            attributes = "; ".join(f"{axis}: {_clip(value, 200)}" for axis, value in wanted.slot.attributes.items())
            lines.append(f"{number}. {attributes or 'free choice'}")
            if wanted.critique:
                lines.append(
                    f"   An earlier case for this slot was turned away: {_clip(wanted.critique, _CRITIQUE_LENGTH)}"
                )
        if avoid:
            shown = avoid[-max(1, len(slots) // _SLOTS_FOR_ONE_AVOIDED) :][:MOST_AVOIDED]
            lines += ["", "Already taken; write something clearly different:"]
            lines += [f"- {_clip(text, _AVOID_LENGTH)}" for text in shown]
        return WorkerRequest(
            plan=self._plan,
            category=category,
            slots=tuple(slots),
            seed=self._seed,
            system=self._system,
            prompt="\n".join(lines),
            schema=self._schema(category, len(slots)),
            max_tokens=self._limit.tokens(len(slots)),
            candidates=self._candidates,
        )

    def _schema(self, category: DatasetCategory, count: int) -> Any:
        """The same object each time: it is written to bytes once."""
        key = category.name, count
        if key not in self._schemas:
            self._schemas[key] = case_schema(self._plan, category, self._candidates, count)
        return self._schemas[key]


def _head(plan: DatasetPlanInput, category: DatasetCategory) -> str:
    lines = [f"Dataset: {plan.dataset_name}"]
    if plan.description:
        lines.append(f"The application: {_clip(plan.description, _DESCRIPTION_LENGTH)}")
    lines.append(f"Category: {category.name}")
    if category.description:
        lines.append(f"What it tests: {_clip(category.description, _DESCRIPTION_LENGTH)}")
    fields = [f"{name} ({_clip(meaning, 200)})" if meaning else name for name, meaning in plan.input_fields.items()]
    lines.append(f"Keys of inputs: {', '.join(fields)}")
    if category.expectations:
        lines.append(f"Expectations: {_clip(json.dumps(category.expectations, ensure_ascii=False), _TEXT_LENGTH)}")
    if category.expected_tools:
        names = ", ".join(tool.name for tool in category.expected_tools)
        lines.append(f"A right answer calls: {names}")
    return "\n".join(lines)


def _examples(plan: DatasetPlanInput, category: DatasetCategory) -> list[str]:
    examples = plan.examples(category)[:_MOST_EXAMPLES]
    if not examples:
        return []
    shown = [f"- {_clip(json.dumps(e, ensure_ascii=False), _EXAMPLE_LENGTH)}" for e in examples]
    return ["Examples of inputs (for manner and topic; do not repeat them):", *shown]


def case_schema(
    plan: DatasetPlanInput, category: DatasetCategory, candidates: int = 1, count: int | None = None
) -> dict[str, Any]:
    """The JSON schema of a worker's answer with ``count`` cases, in the subset that strict structured output takes."""
    examples = plan.examples(category)
    inputs = {field: _schema_of(next((e[field] for e in examples if field in e), "")) for field in plan.input_fields}
    slot: dict[str, Any] = {"slot": {"type": "integer"}}
    case: dict[str, Any] = {"inputs": _object(inputs)}
    if category.expectations:
        case["expectations"] = _schema_of(category.expectations)
    if candidates > 1:
        case = {"candidates": {"type": "array", "items": _object({"probability": {"type": "number"}, **case})}}
    cases: dict[str, Any] = {"type": "array", "items": _object(slot | case)}
    if count is not None:
        cases |= {"minItems": count, "maxItems": count}
    return _object({"cases": cases})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _schema_of(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}
    if isinstance(value, list | tuple):
        return {"type": "array", "items": _schema_of(value[0] if value else "")}
    if isinstance(value, dict):
        return _object({key: _schema_of(inner) for key, inner in value.items()})
    return {"type": "string", "maxLength": _TEXT_LENGTH}
