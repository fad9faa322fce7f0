"""The offline writer behind the worker interface: the same requests, the same streaming, no model and no network."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.case_kind import CaseKind, context_arguments
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.conversation import MESSAGES, TURNS, lengths_in
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.scenario import CONTEXT
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.offline.writer.conversations import ConversationComposer, SpokenRequest
from dsbuilder_tui.offline.writer.document_questions import document_question
from dsbuilder_tui.offline.writer.expectations import unfilled_key
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, compose, load_phrases, perturbed, reordered
from dsbuilder_tui.offline.writer.input_fields import in_shape_of, other_fields, refilled, value_for
from dsbuilder_tui.offline.writer.languages import ENGLISH, NAMES, UNKNOWN
from dsbuilder_tui.offline.writer.pacer import Pacer
from dsbuilder_tui.offline.writer.pair_changes import can_differ
from dsbuilder_tui.offline.writer.partner_writer import PartnerWriter, other_core, other_question
from dsbuilder_tui.offline.writer.row_values import RowValues, takes_values
from dsbuilder_tui.offline.writer.scenarios import scenario_inputs
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory, StudiedExample, study
from dsbuilder_tui.offline.writer.surroundings import leaves_out, second_request, surrounded
from dsbuilder_tui.offline.writer.templates import goal_of, shown
from dsbuilder_tui.offline.writer.values import ValuePool, shown_braces, value_pool
from dsbuilder_tui.offline.writer.written_message import Stance, WrittenMessage
from dsbuilder_tui.settings.provider_names import OFFLINE

_MOST_TEMPLATE = 1000
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
        self._streams = itertools.count()
        self._phrases = load_phrases()
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
        if named := [category.name for category in plan.categories if category.mode is WritingMode.TEMPLATES]:
            names = ", ".join(named)
            text = (
                f"`mode: templates` of {names} changes nothing here: the built-in writer works from templates anyway."
            )
            notes.append((NoticeLevel.INFO, text))
        if staged := [category.name for category in plan.categories if category.pipeline]:
            text = f"`pipeline` of {', '.join(staged)} is without effect: the built-in writer has no stages behind the draft."
            notes.append((NoticeLevel.WARNING, text))
        for category in plan.categories:
            known = self._category(plan, category)
            filled = {name for e in known.examples for name in (*e.rest, *(e.rest.get(CONTEXT) or {}))}
            unfilled = [
                name for name in other_fields(plan, category) if name not in filled and value_for(name, "en") is None
            ]
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
            if category.rows is not None and not takes_values(known):
                text = (
                    f"The built-in writer cannot show the rows of {category.name}: write a field of them in braces into an "
                    "example, such as {name}, or connect a model."
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
        begun = next(self._streams)
        yield '{"cases": ['
        for number, wanted in enumerate(request.slots, 1):
            await self._pacer.turn(begun)
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
        pool, known = value_pool(seed), self._category(plan, category)
        example = known.example_for(slot)
        attributes = {
            axis: value
            for axis, value in slot.attributes.items()
            if axis != TURNS or category.kind is not CaseKind.CONVERSATION
        }
        frame = Frame.of(attributes, known.phrases, rng, english=known.language == ENGLISH)
        if slot.passages:
            return self._write_grounded(plan, category, slot, frame, example, rng, seed, otherwise)
        of_row = RowValues(slot.row)
        values = of_row.over(pool.drawn("\n".join((example.template, *(text for _, text in example.history))), rng))
        if example.history:
            frame.flags -= {"missing", "ambiguous"}  # what it would leave out was said before
        core = self._core(category.kind, known, example, frame, rng)
        message, around = surrounded(known, example, frame, core, values, pool, rng, attempt, slot)
        again = random.Random()
        again.setstate(rng.getstate())
        plain, core = core, pool.filled(core, values, rng)
        if category.kind is CaseKind.SINGLE:
            composed = compose(core, frame, around, known.phrases, rng, extra=attempt)
            chosen = of_row.over(pool.drawn(composed, rng))
            if otherwise:  # put together the same way, with the same values
                core = pool.filled(other_core(known, example, frame, plain, otherwise), values, again)
                phrases = reordered(known.phrases, otherwise, frame)
                composed = compose(core, frame, around, phrases, again, extra=attempt)
                chosen = {**pool.drawn(composed, again), **chosen}
            text, done = perturbed(shown_braces(pool.filled(composed, chosen, rng)), frame, known.phrases, rng)
            if example.block:
                text += f"\n\n{example.block}"
            inputs = _inputs(plan, category, known, example, text, pool, rng)
        else:
            vague = core if message.is_vague else pool.filled(rng.choice(example.vague_cores), values, rng)
            history = tuple((speaker, pool.filled(text, values, rng)) for speaker, text in example.history)
            other = second_request(known, core, pool, rng)[1]
            request = SpokenRequest(
                core=core, vague_core=vague, message=message, around=around, other=other, history=history
            )
            inputs, message, done = self._of_kind(plan, category, example, frame, request, slot, rng, seed)
        tags = {"template": shown(example.template)[:_MOST_TEMPLATE], "perturbation": ", ".join(done) or "none"}
        case = {"inputs": inputs, "expectations": known.expectations.write(message, rng), "tags": tags}
        return of_row.put_into(case, known.field, english=known.language == ENGLISH)

    def _of_kind(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        example: StudiedExample,
        frame: Frame,
        request: SpokenRequest,
        slot: Slot,
        rng: random.Random,
        seed: int,
    ) -> tuple[dict[str, Any], WrittenMessage, list[str]]:
        """A conversation, or a scenario, about a request: the inputs, what is known of them, and what was done to them."""
        pool, known = value_pool(seed), self._category(plan, category)
        if category.kind is CaseKind.SCENARIO:
            inputs = scenario_inputs(known, request, frame, slot.attributes, pool, rng)
            given = example.rest.get(CONTEXT) or {}
            for name in context_arguments(plan.input_fields, plan.examples(category)):
                inputs.setdefault(CONTEXT, {})[name] = refilled(
                    given.get(name, value_for(name, known.language)), pool, rng
                )
            return inputs, request.message, ["told"]
        composer, length = ConversationComposer(known, frame, pool, rng), _length(slot, rng)
        spoken = composer.lead_to(request, length) if request.history else composer.compose(request, length)
        messages, done = composer.said(spoken)
        inputs = _inputs(plan, category, known, example, "", pool, rng) | {MESSAGES: messages}
        return inputs, replace(request.message, history=tuple(spoken.expected)), done

    def _write_grounded(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        frame: Frame,
        example: StudiedExample,
        rng: random.Random,
        seed: int,
        otherwise: int,
    ) -> dict[str, Any]:
        """A case whose answer is a sentence of each of its slot's passages, or stands nowhere."""
        pool, known = value_pool(seed), self._category(plan, category)
        question = document_question(slot.passages, category.answerable, rng)
        frame.flags &= _KEPT_FLAGS  # nothing is left out, added or attacked
        message = WrittenMessage(
            frame=frame,
            stance=Stance.SERVE if category.answerable else Stance.UNKNOWN,
            answered=" ".join(question.quotes),
            attributes=slot.attributes,
        )
        if category.kind is CaseKind.SINGLE:
            core = other_question(question.text, otherwise)
            phrases = reordered(known.phrases, otherwise, frame)
            composed = compose(core, frame, Surroundings(), phrases, rng, extra=0)
            text, done = perturbed(pool.fill(composed, rng), frame, known.phrases, rng)
            inputs = _inputs(plan, category, known, example, text, pool, rng)
        else:
            core = question.text if category.kind is CaseKind.CONVERSATION else goal_of(question.text)
            request = SpokenRequest(core=core, vague_core=core, message=message, around=Surroundings())
            inputs, message, done = self._of_kind(plan, category, example, frame, request, slot, rng, seed)
        expectations = known.expectations.write(message, rng)
        if question.quotes:
            expectations[MlflowKey.FACTS.value] = list(question.quotes)
        return {
            "inputs": inputs,
            "evidence": list(question.quotes),
            "expectations": expectations,
            "tags": {"template": "a question about a passage", "perturbation": ", ".join(done) or "none"},
        }

    def _core(
        self, kind: CaseKind, known: StudiedCategory, example: StudiedExample, frame: Frame, rng: random.Random
    ) -> str:
        """The request; where a detail is left out, without its ids, or in so few words that it says next to nothing."""
        if not leaves_out(known, frame):
            return rng.choice(frame.of_its_length(example.cores))
        if kind is CaseKind.SCENARIO or example.has_id or example.block or known.language != ENGLISH:
            return rng.choice(frame.of_its_length(example.vague_cores))
        return str(rng.choice(known.phrases["situation"]["missing_core"])).replace("{about}", known.about)

    def _category(self, plan: DatasetPlanInput, category: DatasetCategory) -> StudiedCategory:
        found = self._read.get(category.name)
        if found is None:
            found = self._read[category.name] = study(plan, category, self._phrases)
        return found


def _unshown_axes(plan: DatasetPlanInput, category: DatasetCategory, known: StudiedCategory) -> list[str]:
    """The axes of a category that is written from documents of which some value changes what is asked for."""
    rng = random.Random(0)
    return [
        axis
        for axis, values in plan.axes(category).items()
        if any(Frame.of({axis: value}, known.phrases, rng).flags - _KEPT_FLAGS for value in values)
    ]


def _length(slot: Slot, rng: random.Random) -> int:
    """How many messages a conversation is to have."""
    return rng.choice(lengths_in(slot.attributes.get(TURNS, "")) or range(3, 4))


def _inputs(
    plan: DatasetPlanInput,
    category: DatasetCategory,
    known: StudiedCategory,
    example: StudiedExample,
    text: str,
    pool: ValuePool,
    rng: random.Random,
) -> dict[str, Any]:
    """The message in its field, and the other fields of the example with values of their own."""
    inputs = {}
    for field in plan.fields_of(category):
        value = example.rest.get(field, value_for(field, known.language))
        inputs[field] = in_shape_of(value, text) if field == known.field else refilled(value, pool, rng)
    return inputs
