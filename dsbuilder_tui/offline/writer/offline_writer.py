"""The offline writer behind the worker interface: the same requests, the same streaming, no model and no network."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.offline.writer.core_rules import QUESTION_LEAD_INS
from dsbuilder_tui.offline.writer.document_questions import document_question
from dsbuilder_tui.offline.writer.expectations import ExpectationWriter, unfilled_key
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, compose, load_phrases, perturbed, reordered
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
from dsbuilder_tui.offline.writer.pair_changes import can_differ
from dsbuilder_tui.offline.writer.partner_writer import PartnerWriter
from dsbuilder_tui.offline.writer.studied_category import (
    OtherRequest,
    StudiedCategory,
    StudiedExample,
    about_words,
    stance_of,
)
from dsbuilder_tui.offline.writer.surroundings import leaves_out, surrounded
from dsbuilder_tui.offline.writer.templates import (
    answered,
    introduced,
    lower_first,
    paraphrases,
    read_template,
    sentence,
    shown,
    without_ids,
)
from dsbuilder_tui.offline.writer.values import ValuePool, shown_braces
from dsbuilder_tui.offline.writer.written_message import Stance, WrittenMessage
from dsbuilder_tui.settings.provider_names import OFFLINE

_MOST_TEMPLATE = 1000
_SAYS_MORE = re.compile(r"been lost|haven't|not yet|overdue|still", re.IGNORECASE)  # than the plain request
_KEPT_FLAGS = frozenset({"typos", "case", "plain"})  # of a question about a document: they change no meaning

_CHOSEN = "The built-in offline writer makes the cases from templates."
_FALLBACK = (
    "No API key and no endpoint is configured: the built-in offline writer makes the cases from templates. "
    "Set OPENAI_API_KEY, or --base-url for another endpoint, to have a model write them."
)


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
        self._read: dict[str, StudiedCategory] = {}
        self._partners = PartnerWriter(self._write, self._category)

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
            if category.contrast and not can_differ(plan, category):
                raise InputError(
                    f"The built-in writer cannot write contrast pairs for {category.name!r}: nothing is written for each case "
                    "that could differ.",
                    "Add `write: [guidelines]` to the category, or connect a model.",
                )
            if plan.sources_of(category) and (unshown := _unshown_axes(plan, category, known)):
                text = (
                    f"The built-in writer asks plainly about the documents of {category.name}: its cases do not show "
                    f"{' or '.join(unshown)}. Take it out, or connect a model."
                )
                notes.append((NoticeLevel.WARNING, text))
            if not category.example_inputs and not plan.sources_of(category):
                text = f"{category.name} has no example inputs: the built-in writer has only its description to go by."
                notes.append((NoticeLevel.WARNING, text))
            elif category.example_inputs and known.language == UNKNOWN:
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
        if slot.pair is not None and slot.original is not None:
            return self._partners.write(plan, category, slot, slot.pair, slot.original, attempt, seed)
        return self._write(plan, category, slot, attempt, seed)

    def _write(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        attempt: int,
        seed: int,
        otherwise: int = 0,
    ) -> dict[str, Any]:
        """A case of its own; with ``otherwise`` the same in the words of another template, the so manieth."""
        rng = random.Random(f"{seed}\x1f{plan.dataset_name}\x1f{category.name}\x1f{slot.ordinal}\x1f{attempt}")
        if seed not in self._pools:
            self._pools[seed] = ValuePool(seed)
        pool, known = self._pools[seed], self._category(plan, category)
        example = known.examples[(slot.ordinal - 1) % len(known.examples)]
        frame = Frame.of(slot.attributes, known.phrases, rng, english=known.language == ENGLISH)
        if slot.passages:
            return self._write_grounded(plan, category, slot, frame, example, pool, rng, otherwise)
        values = pool.drawn(example.template, rng)
        core = self._core(known, example, frame, rng)
        message, around = surrounded(known, example, frame, core, values, pool, rng, attempt, slot)
        again = random.Random()
        again.setstate(rng.getstate())
        composed = compose(pool.filled(core, values, rng), frame, around, known.phrases, rng, extra=attempt)
        chosen = pool.drawn(composed, rng)
        if otherwise:  # put together the same way, with the same values
            core = self._other_core(known, example, frame, core, otherwise)
            phrases = reordered(known.phrases, otherwise, frame)
            composed = compose(pool.filled(core, values, again), frame, around, phrases, again, extra=attempt)
            chosen = {**pool.drawn(composed, again), **chosen}
        text, done = perturbed(shown_braces(pool.filled(composed, chosen, rng)), frame, known.phrases, rng)
        if example.block:
            text += f"\n\n{example.block}"
        inputs = _inputs(plan, known, example, text, pool, rng)
        tags = {"template": shown(example.template)[:_MOST_TEMPLATE], "perturbation": ", ".join(done) or "none"}
        return {"inputs": inputs, "expectations": known.expectations.write(message, rng), "tags": tags}

    def _write_grounded(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        frame: Frame,
        example: StudiedExample,
        pool: ValuePool,
        rng: random.Random,
        otherwise: int,
    ) -> dict[str, Any]:
        """A case whose answer is a sentence of each of its slot's passages, or stands nowhere."""
        known = self._category(plan, category)
        question = document_question(slot.passages, category.answerable, rng)
        frame.flags &= _KEPT_FLAGS  # nothing is left out, added or attacked
        core = question.text
        if otherwise:
            forms = introduced(core, QUESTION_LEAD_INS)[1:]
            core = forms[otherwise % len(forms)]
        phrases = reordered(known.phrases, otherwise, frame)
        composed = compose(core, frame, Surroundings(), phrases, rng, extra=0)
        text, done = perturbed(pool.fill(composed, rng), frame, known.phrases, rng)
        message = WrittenMessage(
            frame=frame,
            stance=Stance.SERVE if category.answerable else Stance.UNKNOWN,
            answered=" ".join(question.quotes),
            attributes=slot.attributes,
        )
        expectations = known.expectations.write(message, rng)
        if question.quotes:
            expectations[MlflowKey.FACTS.value] = list(question.quotes)
        return {
            "inputs": _inputs(plan, known, example, text, pool, rng),
            "evidence": list(question.quotes),
            "expectations": expectations,
            "tags": {"template": "a question about a passage", "perturbation": ", ".join(done) or "none"},
        }

    def _other_core(
        self, known: StudiedCategory, example: StudiedExample, frame: Frame, core: str, otherwise: int
    ) -> str:
        """The same request from another template."""
        if core in example.vague_cores and core not in example.cores:
            forms: Sequence[str] = example.vague_cores
        elif core in example.cores:
            forms = example.cores
        else:
            forms = [form.replace("{about}", known.about) for form in known.phrases["situation"]["missing_core"]]
        others = [form for form in frame.of_its_length(forms) if form != core and not _SAYS_MORE.search(form)]
        others = others or [form for form in forms if form != core] or [core]
        return others[otherwise % len(others)]

    def _core(self, known: StudiedCategory, example: StudiedExample, frame: Frame, rng: random.Random) -> str:
        """The request; where a detail is left out, without its ids, or in so few words that it says next to nothing."""
        if not leaves_out(known, frame):
            return rng.choice(frame.of_its_length(example.cores))
        if example.has_id or example.block or known.language != ENGLISH:
            return rng.choice(frame.of_its_length(example.vague_cores))
        return str(rng.choice(known.phrases["situation"]["missing_core"])).replace("{about}", known.about)

    def _category(self, plan: DatasetPlanInput, category: DatasetCategory) -> StudiedCategory:
        found = self._read.get(category.name)
        if found is None:
            found = self._read[category.name] = self._study(plan, category)
        return found

    def _study(self, plan: DatasetPlanInput, category: DatasetCategory) -> StudiedCategory:
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
            read.append(
                StudiedExample(
                    template=template,
                    cores=cores,
                    vague_cores=vague,
                    has_id=has_id,
                    answered=told,
                    block=block.strip("\n"),
                    rest=example,
                )
            )
        others = [] if language != ENGLISH else self._requests_of_others(plan, category, field)
        writer = ExpectationWriter(plan, category, phrases["expected"])
        return StudiedCategory(
            field=field,
            language=language,
            phrases=phrases,
            examples=read,
            others=others,
            stance=stance_of(category),
            about=about_words(category),
            expectations=writer,
        )

    def _requests_of_others(self, plan: DatasetPlanInput, category: DatasetCategory, field: str) -> list[OtherRequest]:
        """One-line English requests of the plan's other categories, to be a message's second intent."""
        found = []
        for other in plan.categories:
            if other.name == category.name or not other.compared or stance_of(other) is not Stance.SERVE:
                continue
            for example in plan.examples(other)[:3]:
                text = text_of(example.get(field, "")).strip()
                if text and "\n" not in text and len(text) < 200 and language_of([text], self._phrases) == ENGLISH:
                    found.append(OtherRequest(lower_first(sentence(read_template(text))), other))
        return found


def _unshown_axes(plan: DatasetPlanInput, category: DatasetCategory, known: StudiedCategory) -> list[str]:
    """The axes of a category that is written from documents of which some value changes what is asked for."""
    rng = random.Random(0)
    return [
        axis
        for axis, values in plan.axes(category).items()
        if any(Frame.of({axis: value}, known.phrases, rng).flags - _KEPT_FLAGS for value in values)
    ]


def _inputs(
    plan: DatasetPlanInput,
    known: StudiedCategory,
    example: StudiedExample,
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
