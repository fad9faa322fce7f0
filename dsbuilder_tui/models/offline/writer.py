"""The offline writer behind the worker interface: the same requests, the same streaming, no model and no network."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models.offline.frames import Frame, Topic, compose, load_phrases, perturbed, topic_of
from dsbuilder_tui.models.offline.templates import paraphrases, read_template, shown, without_ids
from dsbuilder_tui.models.offline.values import ValuePool
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest

_MAIN_FIELDS = ("query", "question", "message", "input", "prompt", "text", "request", "messages")
_MOST_TEMPLATE = 1000


@dataclass(frozen=True, slots=True)
class _Example:
    template: str
    cores: list[str]
    vague_cores: list[str]  # the same without ids
    rest: dict[str, Any]  # the other input fields


@dataclass(frozen=True, slots=True)
class _Category:
    field: str
    examples: list[_Example]
    topic: Topic


class OfflineWriter:
    """Writes cases from the category's example inputs. The text for a slot depends on slot, attempt and seed alone."""

    name = "built-in"
    provider = "offline"
    ordered = True

    def __init__(self) -> None:
        self._phrases = load_phrases()
        self._pools: dict[int, ValuePool] = {}
        self._read: dict[str, _Category] = {}

    async def close(self) -> None:
        self._read.clear()

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        yield '{"cases": ['
        for number, wanted in enumerate(request.slots, 1):
            case = self.write(request.plan, request.category, wanted.slot, wanted.attempt, request.seed)
            text = orjson.dumps({"slot": number, **case}).decode()
            middle = len(text) // 2
            yield (", " if number > 1 else "") + text[:middle]
            yield text[middle:]
            await asyncio.sleep(0)  # leave the event loop to the others between cases
        yield "]}"
        yield StreamEnd("stop", Usage())

    def write(
        self, plan: DatasetPlanInput, category: DatasetCategory, slot: Slot, attempt: int, seed: int
    ) -> dict[str, Any]:
        """One case: ``inputs`` and the ``tags`` that say how it was made."""
        rng = random.Random(f"{seed}\x1f{plan.dataset_name}\x1f{category.name}\x1f{slot.ordinal}\x1f{attempt}")
        if seed not in self._pools:
            self._pools[seed] = ValuePool(seed)
        pool, known = self._pools[seed], self._category(plan, category)
        example = known.examples[(slot.ordinal - 1) % len(known.examples)]
        frame = Frame.of(slot.attributes, self._phrases, rng)
        frame.has_id = "{id:" in example.template
        core = rng.choice(example.vague_cores if "missing" in frame.flags else example.cores)
        message = compose(core, frame, known.topic, self._phrases, rng, extra=attempt)
        text, done = perturbed(pool.fill(message, rng), frame, self._phrases, rng)
        inputs = {
            field: _in_shape_of(example.rest.get(field), text) if field == known.field else
            _refilled(example.rest.get(field, ""), pool, rng) for field in plan.input_fields
        }  # fmt: skip
        tags = {"template": shown(example.template)[:_MOST_TEMPLATE], "perturbation": ", ".join(done) or "none"}
        return {"inputs": inputs, "tags": tags}

    def _category(self, plan: DatasetPlanInput, category: DatasetCategory) -> _Category:
        found = self._read.get(category.name)
        if found is None:
            found = self._read[category.name] = self._study(plan, category)
        return found

    def _study(self, plan: DatasetPlanInput, category: DatasetCategory) -> _Category:
        examples = plan.examples(category)
        field = _main_field(plan, examples)
        texts = [(example, _text_of(example.get(field, ""))) for example in examples]
        texts = [(example, text) for example, text in texts if text.strip()] or [({}, _from_description(category))]
        read = []
        for example, text in texts:
            template = read_template(text)
            read.append(_Example(template, paraphrases(template), paraphrases(without_ids(template)), example))
        weighed = [
            (4, category.name),
            (2, category.description),
            *((1, text) for _, text in texts),
            (1, plan.description),
        ]
        bank = self._phrases["topic"][topic_of(weighed, self._phrases)]
        others = [
            paraphrases(read_template(text))[0]
            for other in plan.categories
            if other.name != category.name
            for example in plan.examples(other)[:2]
            if (text := _text_of(example.get(field, "")).strip())
        ]
        return _Category(field, read, Topic(bank["detail"], bank["second"], others))


def _main_field(plan: DatasetPlanInput, examples: list[dict[str, Any]]) -> str:
    """The field whose text a case is about."""
    for name in _MAIN_FIELDS:
        if name in plan.input_fields:
            return name
    for name in plan.input_fields:
        if any(isinstance(example.get(name), str) for example in examples):
            return name
    return next(iter(plan.input_fields))


def _text_of(value: Any) -> str:
    """A text, or the last user turn of a list of messages."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        for turn in reversed(value):
            if (
                isinstance(turn, Mapping)
                and isinstance(turn.get("content"), str)
                and turn.get("role", "user") == "user"
            ):
                return str(turn["content"])
    return ""


def _in_shape_of(value: Any, text: str) -> Any:
    """The text where the example had its own: bare, or as the last user turn."""
    if not isinstance(value, list) or not _text_of(value):
        return text
    turns = [dict(turn) if isinstance(turn, Mapping) else turn for turn in value]
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role", "user") == "user":
            turn["content"] = text
            break
    return turns


def _refilled(value: Any, pool: ValuePool, rng: random.Random) -> Any:
    """Another field of the example with its ids, names and amounts drawn anew."""
    if isinstance(value, str):
        return pool.fill(read_template(value), rng)
    if isinstance(value, Mapping):
        return {key: _refilled(inner, pool, rng) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_refilled(inner, pool, rng) for inner in value]
    return value


def _from_description(category: DatasetCategory) -> str:
    """Something to ask when the category has no example."""
    subject = category.description.split(".")[0].strip() or category.name.replace("_", " ")
    subject = re.sub(
        r"^(?:tests?|testing|checks?|questions?|queries|cases)\b(?: (?:about|that|for|on|of))? ",
        "",
        subject,
        flags=re.I,
    )
    return f"I have a question about {subject[:1].lower()}{subject[1:]}"
