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
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.offline.writer.document_questions import document_question
from dsbuilder_tui.offline.writer.expectations import ExpectationWriter, unfilled_key
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, compose, fitting_groups, load_phrases, perturbed
from dsbuilder_tui.offline.writer.input_fields import in_shape_of, main_field, refilled, text_of, value_for
from dsbuilder_tui.offline.writer.languages import (
    ENGLISH,
    NAMES,
    UNKNOWN,
    language_of,
    lead_ins,
    phrases_in,
)
from dsbuilder_tui.offline.writer.pacer import Pacer
from dsbuilder_tui.offline.writer.templates import (
    answered,
    entities_of,
    introduced,
    lower_first,
    paraphrases,
    read_template,
    sentence,
    shown,
    without_ids,
)
from dsbuilder_tui.offline.writer.values import Entity, ValuePool, shown_braces
from dsbuilder_tui.offline.writer.written_message import SecondRequest, Stance, WrittenMessage
from dsbuilder_tui.settings.provider_names import OFFLINE

_MOST_TEMPLATE = 1000

_CHOSEN = "The built-in offline writer makes the cases from templates."
_FALLBACK = (
    "No API key and no endpoint is configured: the built-in offline writer makes the cases from templates. "
    "Set OPENAI_API_KEY, or --base-url for another endpoint, to have a model write them."
)
# What a category is about tells how its messages are to be taken, whatever each of them says.
_STANCES: tuple[tuple[Stance, str], ...] = (
    (Stance.RESIST, r"advers|jailbreak|injection|red.?team|\battack|manipulat|malicious"),
    (Stance.DECLINE, r"out.of.scope|off.topic|unrelated|irrelevant|out.of.domain"),
    (Stance.UNKNOWN, r"unanswerable|no.answer|without.an?.answer"),
)
_ABOUT = {"account": "my account", "product": "one of your products", "order": "an order", "order status": "an order"}
_COUNTABLE = frozenset(
    "card reset search booking transfer loan claim appointment visa reservation exchange policy contract bill".split()
)
_OFTEN_ANOTHER = 0.75  # how often a second request is one of another category, where there are others


@dataclass(frozen=True, slots=True)
class _Example:
    template: str
    cores: list[str]
    vague_cores: list[str]  # the same without ids
    has_id: bool
    answered: str  # what an answer to it does
    block: str  # what follows the first line: code, a document; kept as it is
    rest: dict[str, Any]  # the other input fields


@dataclass(frozen=True, slots=True)
class _Other:
    """A request of another category."""

    template: str
    category: DatasetCategory


@dataclass(frozen=True, slots=True)
class _Category:
    field: str
    language: str
    phrases: Mapping[str, Any]
    examples: list[_Example]
    others: list[_Other]
    stance: Stance
    about: str  # in a few words
    expectations: ExpectationWriter


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
                if name != known.field and not any(name in e.rest for e in known.examples) and value_for(name, "en") is None
            ]  # fmt: skip
            if unfilled:
                raise InputError(
                    f"The built-in writer has nothing to put into the input field {unfilled[0]!r} of {category.name!r}: "
                    "no example fills it.",
                    f"Give an example as a mapping, such as {{{known.field}: …, {unfilled[0]}: …}}, or connect a model.",
                )
            if (key := unfilled_key(plan, category)) is not None:
                raise InputError(
                    f"The built-in writer cannot tell what to write for {key!r} of {category.name!r}.",
                    "Make it optional, give it a value in `expectations`, name an axis like it, or connect a model.",
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
        """One case: ``inputs``, what is expected of them other than of every case, and the ``tags`` that say how it was made."""
        rng = random.Random(f"{seed}\x1f{plan.dataset_name}\x1f{category.name}\x1f{slot.ordinal}\x1f{attempt}")
        if seed not in self._pools:
            self._pools[seed] = ValuePool(seed)
        pool, known = self._pools[seed], self._category(plan, category)
        example = known.examples[(slot.ordinal - 1) % len(known.examples)]
        frame = Frame.of(slot.attributes, known.phrases, rng, english=known.language == ENGLISH)
        if slot.passages:
            return self._write_grounded(plan, category, slot, frame, known, example, pool, rng, attempt)
        values = pool.drawn(example.template, rng)
        core = self._core(known, example, frame, rng)
        message, around = _surrounded(known, example, frame, core, values, pool, rng, attempt, slot)
        composed = compose(pool.filled(core, values, rng), frame, around, known.phrases, rng, extra=attempt)
        text, done = perturbed(pool.fill(composed, rng), frame, known.phrases, rng)
        if example.block:
            text += f"\n\n{example.block}"
        inputs = self._inputs(plan, known, example, text, pool, rng)
        tags = {"template": shown(example.template)[:_MOST_TEMPLATE], "perturbation": ", ".join(done) or "none"}
        return {"inputs": inputs, "expectations": known.expectations.write(message, rng), "tags": tags}

    def _write_grounded(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        frame: Frame,
        known: _Category,
        example: _Example,
        pool: ValuePool,
        rng: random.Random,
        attempt: int,
    ) -> dict[str, Any]:
        """A case whose answer is a sentence of each of its slot's passages, or stands nowhere."""
        question = document_question(slot.passages, category.answerable, rng)
        frame.flags.intersection_update(("typos",))  # nothing is left out, added or attacked
        composed = compose(question.text, frame, Surroundings(), known.phrases, rng, extra=0)
        text, done = perturbed(pool.fill(composed, rng), frame, known.phrases, rng)
        stance = Stance.SERVE if category.answerable else Stance.UNKNOWN
        message = WrittenMessage(
            frame=frame, stance=stance, answered=" ".join(question.quotes), attributes=slot.attributes
        )  # fmt: skip
        expectations = known.expectations.write(message, rng)
        if question.quotes:
            expectations[MlflowKey.FACTS.value] = list(question.quotes)
        return {
            "inputs": self._inputs(plan, known, example, text, pool, rng),
            "evidence": list(question.quotes),
            "expectations": expectations,
            "tags": {"template": "a question about a passage", "perturbation": ", ".join(done) or "none"},
        }

    def _inputs(
        self,
        plan: DatasetPlanInput,
        known: _Category,
        example: _Example,
        text: str,
        pool: ValuePool,
        rng: random.Random,
    ) -> dict[str, Any]:
        """The message in its field, and the other fields of the example with values of their own."""
        inputs = {}
        for field in plan.input_fields:
            value = example.rest.get(field, value_for(field, known.language))
            inputs[field] = in_shape_of(value, text) if field == known.field else refilled(value, pool, rng)
        return inputs

    def _core(self, known: _Category, example: _Example, frame: Frame, rng: random.Random) -> str:
        """The request; where a detail is left out, without its ids, or in so few words that it says next to nothing."""
        if not _is_vague(known, frame):
            return rng.choice(example.cores)
        if example.has_id or example.block or known.language != ENGLISH:
            return rng.choice(example.vague_cores)
        return str(rng.choice(known.phrases["situation"]["missing_core"])).replace("{about}", known.about)

    def _category(self, plan: DatasetPlanInput, category: DatasetCategory) -> _Category:
        found = self._read.get(category.name)
        if found is None:
            found = self._read[category.name] = self._study(plan, category)
        return found

    def _study(self, plan: DatasetPlanInput, category: DatasetCategory) -> _Category:
        examples = plan.examples(category)
        field = main_field(plan, examples)
        texts = [(example, text_of(example.get(field, ""))) for example in examples]
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
            told = answered(template) if language == ENGLISH else ""
            has_id = "{id:" in template
            read.append(_Example(template, cores, vague, has_id, told, block.strip("\n"), example))
        others = [] if language != ENGLISH else self._requests_of_others(plan, category, field)
        writer = ExpectationWriter(plan, category, phrases["expected"])
        return _Category(field, language, phrases, read, others, _stance(category), _about(category), writer)

    def _requests_of_others(self, plan: DatasetPlanInput, category: DatasetCategory, field: str) -> list[_Other]:
        """One-line English requests of the plan's other categories, to be a message's second intent."""
        found = []
        for other in plan.categories:
            if other.name == category.name or not other.compared or _stance(other) is not Stance.SERVE:
                continue
            for example in plan.examples(other)[:3]:
                text = text_of(example.get(field, "")).strip()
                if text and "\n" not in text and len(text) < 200 and language_of([text], self._phrases) == ENGLISH:
                    found.append(_Other(lower_first(sentence(read_template(text))), other))
        return found


def _is_vague(known: _Category, frame: Frame) -> bool:
    return frame.is_vague and known.stance is Stance.SERVE


def _surrounded(
    known: _Category,
    example: _Example,
    frame: Frame,
    core: str,
    values: Mapping[str, str],
    pool: ValuePool,
    rng: random.Random,
    extra: int,
    slot: Slot,
) -> tuple[WrittenMessage, Surroundings]:
    """What goes around a core, and what is known of the whole."""
    vague, situation = _is_vague(known, frame), known.phrases["situation"]
    # Of what was left out nothing more is said.
    groups = known.phrases["detail"]
    free = [group for group in groups if not group.get("when")]
    details = [] if vague else fitting_groups([group for group in groups if group.get("when")], core)
    rng.shuffle(details)
    whole = [*details[:2], *rng.sample(others := fitting_groups(free, core), len(others))]
    said = [rng.choice(group) for group in whole[: 3 + extra]]
    second = _second(known, core, pool, rng) if "several" in frame.flags else None
    attack = rng.choice(known.phrases["attack"]) if "adversarial" in frame.flags else None
    missing = ""
    left_out = ""
    if vague:
        by_id = example.has_id and known.language == ENGLISH
        missing = _noun(entities_of(example.template, values), "id") if example.has_id else ""
        if example.has_id and not missing:
            missing = known.phrases["expected"]["number"]
        elif by_id:
            missing = f"{missing} number"
        kind = "ambiguous" if "missing" not in frame.flags else "missing_id" if example.has_id else "missing_detail"
        left_out = pool.filled(rng.choice(situation[kind]), {}, rng)
    text = shown_braces(pool.filled(example.template, values, rng))
    told = shown_braces(pool.filled(example.answered, values, rng))
    message = WrittenMessage(
        frame=frame,
        stance=known.stance,
        answered=told or str(known.phrases["expected"]["fact_whole"][0]).replace("{text}", text),
        entities=() if vague else entities_of(example.template, values),
        is_vague=vague,
        missing=missing if "missing" in frame.flags else "",
        second=None if second is None else second[0],
        must_not=rng.choice(attack["must_not"]) if attack else "",
        is_off_topic="out_of_scope" in frame.flags,
        language=NAMES.get(known.language, NAMES[ENGLISH]),
        attributes=slot.attributes,
    )
    around = Surroundings(
        details=said,
        second="" if second is None else second[1],
        attack=rng.choice(attack["say"]) if attack else "",
        attack_first=attack is not None and attack["place"] == "before",
        off_topic=rng.choice(situation["out_of_scope"]) if "out_of_scope" in frame.flags else "",
        vague=left_out,
        asked_before=rng.choice(situation["asked_before"]) if "asked_before" in frame.flags else "",
    )
    return message, around


def _second(known: _Category, core: str, pool: ValuePool, rng: random.Random) -> tuple[SecondRequest, str]:
    """A second request, and the sentence that asks for it."""
    if known.others and rng.random() < _OFTEN_ANOTHER:
        other = rng.choice(known.others)
        values = pool.drawn(other.template, rng)
        text = pool.filled(other.template, values, rng)
        lead = rng.choice(("Another thing: ", "Also: ", "And while I'm here: ", "One more thing: "))
        return SecondRequest(shown_braces(text), other.category, entities_of(other.template, values)), lead + text
    groups = fitting_groups(known.phrases["second"], core)
    text = pool.filled(rng.choice(groups[-1] if len(groups) > 1 and rng.random() < 0.8 else groups[0]), {}, rng)
    return SecondRequest(shown_braces(text)), text


def _noun(entities: tuple[Entity, ...], kind: str) -> str:
    return next((entity.noun for entity in entities if entity.kind == kind), "")


def _stance(category: DatasetCategory) -> Stance:
    said = f"{category.name} {category.description}".casefold()
    return next((stance for stance, pattern in _STANCES if re.search(pattern, said)), Stance.SERVE)


def _about(category: DatasetCategory) -> str:
    """What the messages of a category are about, to follow "a question about"."""
    words = " ".join(re.sub(r"[_\-]+", " ", category.name).casefold().split())
    words = re.sub(r" (?:help|info|information|questions?|requests?|inquir(?:y|ies)|support|queries)$", "", words)
    if words in _ABOUT:
        return _ABOUT[words]
    return f"a {words}" if words.rsplit(" ", 1)[-1] in _COUNTABLE else words


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
