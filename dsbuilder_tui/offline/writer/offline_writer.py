"""The offline writer behind the worker interface: the same requests, the same streaming, no model and no network."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.offline.writer.frames import Frame, FrameTopic, compose, load_phrases, perturbed, topic_of
from dsbuilder_tui.offline.writer.languages import (
    ENGLISH,
    LOCALES,
    NAMES,
    UNKNOWN,
    language_of,
    lead_ins,
    phrases_in,
)
from dsbuilder_tui.offline.writer.pacer import Pacer
from dsbuilder_tui.offline.writer.templates import (
    introduced,
    lower_first,
    paraphrases,
    read_template,
    sentence,
    shown,
    without_ids,
)
from dsbuilder_tui.offline.writer.values import ValuePool
from dsbuilder_tui.settings.provider_names import OFFLINE

_MAIN_FIELDS = ("query", "question", "message", "input", "prompt", "text", "request", "messages")
_MOST_TEMPLATE = 1000

_CHOSEN = "The built-in offline writer makes the cases from templates."
_FALLBACK = (
    "No API key and no endpoint is configured: the built-in offline writer makes the cases from templates. "
    "Set OPENAI_API_KEY, or --base-url for another endpoint, to have a model write them."
)


# What to put into a field that no example fills, by the field's name.
_FIELD_VALUES = (
    (r"(?:user_?|customer_?|full_?|first_?|last_?)?name", "{name}"),
    (r"(?:\w+_)?e?_?mail(?:_address)?", "{email}"),
    (r"(?:\w+_)?(?:id|number|reference)", "{id:C-4711}"),
    (r"(?:\w+_)?(?:city|location|place)", "{city}"),
    (r"(?:\w+_)?date", "{date:2026-03-14}"),
    (r"(?:\w+_)?(?:amount|price|budget)", "{money:$50}"),
    (r"(?:\w+_)?company|organi[sz]ation", "{company}"),
    (r"(?:\w+_)?product", "{product:x}"),
)


@dataclass(frozen=True, slots=True)
class _Example:
    template: str
    cores: list[str]
    vague_cores: list[str]  # the same without ids
    block: str  # what follows the first line: code, a document; kept as it is
    rest: dict[str, Any]  # the other input fields


@dataclass(frozen=True, slots=True)
class _Category:
    field: str
    language: str
    phrases: Mapping[str, Any]
    examples: list[_Example]
    topic: FrameTopic


class OfflineWriter:
    """Writes cases from the category's example inputs. The text for a slot depends on slot, attempt and seed alone."""

    name = "built-in"
    provider = OFFLINE
    ordered = True

    def __init__(
        self,
        *,
        chosen: bool = False,
        pace: float = 0,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """``chosen`` when a person asked for this writer, rather than having connected no model.

        ``pace`` is the most cases a second that all streams together yield, 0 for no limit.
        """
        self._chosen = chosen
        self._pacer = Pacer(pace, clock or SystemClock(), sleep)
        self._phrases = load_phrases()
        self._pools: dict[int, ValuePool] = {}
        self._read: dict[str, _Category] = {}

    @property
    def pace(self) -> float:
        """Cases a second at most, all streams together; 0 for no limit. A change also reaches streams that wait.

        Setting it raises ``InputError`` for a negative or an infinite number.
        """
        return self._pacer.pace

    @pace.setter
    def pace(self, pace: float) -> None:
        self._pacer.pace = pace

    async def close(self) -> None:
        self._read.clear()

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        notes = [(NoticeLevel.INFO, _CHOSEN if self._chosen else _FALLBACK)]
        for category in plan.categories:
            known = self._category(plan, category)
            unfilled = [
                name for name in plan.input_fields
                if name != known.field and not any(name in e.rest for e in known.examples) and _value_for(name, "en") is None
            ]  # fmt: skip
            if unfilled:
                raise InputError(
                    f"The built-in writer has nothing to put into the input field {unfilled[0]!r} of {category.name!r}: "
                    "no example fills it.",
                    f"Give an example as a mapping, such as {{{known.field}: …, {unfilled[0]}: …}}, or connect a model.",
                )
            if not category.example_inputs:
                text = f"{category.name} has no example inputs: the built-in writer has only its description to go by."
                notes.append((NoticeLevel.WARNING, text))
            elif known.language == UNKNOWN:
                text = (
                    f"The examples of {category.name} are in a language the built-in writer has no phrases for (it knows "
                    f"{', '.join(NAMES.values())}): it can only vary numbers and names, so most slots will be exhausted. "
                    "Connect a model for this category."
                )
                notes.append((NoticeLevel.WARNING, text))
        return notes

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        yield '{"cases": ['
        for number, wanted in enumerate(request.slots, 1):
            await self._pacer.turn()
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
        frame = Frame.of(slot.attributes, known.phrases, rng, english=known.language == ENGLISH)
        frame.has_id = "{id:" in example.template
        core = rng.choice(example.vague_cores if "missing" in frame.flags else example.cores)
        message = compose(core, frame, known.topic, known.phrases, rng, extra=attempt)
        text, done = perturbed(pool.fill(message, rng), frame, known.phrases, rng)
        if example.block:
            text += f"\n\n{example.block}"
        inputs = {}
        for field in plan.input_fields:
            value = example.rest.get(field, _value_for(field, known.language))
            inputs[field] = _in_shape_of(value, text) if field == known.field else _refilled(value, pool, rng)
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
        language = language_of([text for _, text in texts], self._phrases)
        phrases = phrases_in(language, self._phrases)
        read = []
        for example, text in texts:
            head, _, block = text.strip().partition("\n")
            template = read_template(head.rstrip().removesuffix(":"))
            cores, vague = paraphrases(template), paraphrases(without_ids(template))
            if language != ENGLISH:
                forms = lead_ins(language, self._phrases)
                cores, vague = introduced(sentence(template), forms), introduced(sentence(without_ids(template)), forms)
            read.append(_Example(template, cores, vague, block.strip("\n"), example))
        topic = "general"
        if language == ENGLISH:
            weighed = [(4, category.name), (2, category.description), *((1, text) for _, text in texts)]
            topic = topic_of([*weighed, (1, plan.description)], self._phrases)
        bank = phrases["topic"][topic]
        others = [] if language != ENGLISH else self._requests_of_others(plan, category, field)
        return _Category(field, language, phrases, read, FrameTopic(bank["detail"], bank["second"], others))

    def _requests_of_others(self, plan: DatasetPlanInput, category: DatasetCategory, field: str) -> list[str]:
        """One-line English requests of the plan's other categories, to be a message's second intent."""
        found = []
        for other in plan.categories:
            for example in plan.examples(other)[:2] if other.name != category.name and other.compared else ():
                text = _text_of(example.get(field, "")).strip()
                if text and "\n" not in text and len(text) < 200 and language_of([text], self._phrases) == ENGLISH:
                    found.append(lower_first(paraphrases(read_template(text))[0]))
        return found


def _main_field(plan: DatasetPlanInput, examples: list[dict[str, Any]]) -> str:
    """The field whose text a case is about."""
    for name in _MAIN_FIELDS:
        if name in plan.input_fields:
            return name
    for name in plan.input_fields:
        if any(isinstance(example.get(name), str) for example in examples):
            return name
    return next(iter(plan.input_fields))


def _value_for(field: str, language: str) -> str | None:
    """Something fitting for a field by its name, or None."""
    name = field.strip().lower()
    if name in ("locale", "lang_code", "language_code"):
        return LOCALES.get(language, "en-US")
    if name in ("language", "lang"):
        return NAMES.get(language, "English")
    return next((value for pattern, value in _FIELD_VALUES if re.fullmatch(pattern, name)), None)


def _text_of(value: Any) -> str:
    """A text, the last user turn of a list of messages, or the last of a list of texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and isinstance(value[-1], str):
            return value[-1]
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
    if isinstance(value[-1], str):
        return [*value[:-1], text]
    turns = [dict(turn) if isinstance(turn, Mapping) else turn for turn in value]
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role", "user") == "user":
            turn["content"] = text
            break
    return turns


def _refilled(value: Any, pool: ValuePool, rng: random.Random) -> Any:
    """Another field of the example with its ids, names and amounts drawn anew."""
    if isinstance(value, str):
        known = value if re.fullmatch(r"\{\w+(?::[^{}]*)?\}", value) else read_template(value)
        return pool.fill(known, rng) if "\n" not in value else value
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
    return f"Tell me about {subject[:1].lower()}{subject[1:]}"
