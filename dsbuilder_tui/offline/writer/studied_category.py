"""A category as the built-in writer has read it: its examples as templates, and what its messages are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import MESSAGES, TURNS, Speaker, lengths_in, turns_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.offline.writer.expectations import ExpectationWriter
from dsbuilder_tui.offline.writer.input_fields import main_field, text_of
from dsbuilder_tui.offline.writer.languages import ENGLISH, language_of, lead_ins, phrases_in
from dsbuilder_tui.offline.writer.templates import (
    ProductsVary,
    addressed,
    answered,
    introduced,
    lower_first,
    paraphrases,
    read_template,
    sentence,
    without_ids,
)
from dsbuilder_tui.offline.writer.written_message import Stance

# What a category is about tells how its messages are to be taken, whatever each of them says.
_STANCES: tuple[tuple[Stance, str], ...] = (
    (Stance.RESIST, r"advers|jailbreak|injection|red.?team|\battack|manipulat|malicious"),
    (Stance.DECLINE, r"out.of.scope|off.topic|unrelated|irrelevant|out.of.domain"),
    (Stance.UNKNOWN, r"unanswerable|no.answer|without.an?.answer"),
)
# Words of a plan by which its application sells things: elsewhere one's laptop is one's laptop, and no other thing.
_GOODS = re.compile(
    r"\b(?:shop(?:s|ping)?|stores?|retail\w*|e.?commerce|market ?place|products?|catalog(?:ue)?s?|merchandise|goods|"
    r"orders?|ordered|buy|bought|purchas\w+|refund\w*|returns?|deliver\w*|shipp\w+|shipments?|parcels?|warranty|in stock|"
    r"prices?)\b",
    re.IGNORECASE,
)
_THE_ANSWERER = re.compile(r"\b(?:you|your)\b")
_ABOUT = {"account": "my account", "product": "one of your products", "order": "an order", "order status": "an order"}
_COUNTABLE = frozenset(
    "card reset search booking transfer loan claim appointment visa reservation exchange policy contract bill".split()
)


@dataclass(frozen=True, slots=True)
class StudiedExample:
    template: str
    cores: list[str]
    vague_cores: list[str]  # the same without ids
    has_id: bool
    answered: str  # what an answer to it does
    block: str  # what follows the first line: code, a document; kept as it is
    rest: dict[str, Any]  # the other input fields
    history: tuple[tuple[Speaker, str], ...] = ()  # templates of what was said before it


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """A request of another category."""

    template: str
    category: DatasetCategory


@dataclass(frozen=True, slots=True)
class StudiedCategory:
    field: str
    language: str
    phrases: Mapping[str, Any]
    examples: list[StudiedExample]
    others: list[OtherRequest]
    stance: Stance
    about: str  # in a few words
    expectations: ExpectationWriter

    def example_for(self, slot: Slot) -> StudiedExample:
        """The examples in turn; of conversations those that are as long as the slot asks for, where there are any."""
        lengths = lengths_in(slot.attributes.get(TURNS, "")) or range(0)
        fitting = [one for one in self.examples if one.history and len(one.history) + 1 in lengths]
        fitting = fitting or [one for one in self.examples if not one.history] or self.examples
        return fitting[(slot.ordinal - 1) % len(fitting)]


def stance_of(category: DatasetCategory) -> Stance:
    """How messages of a category are to be taken, by its name and description."""
    said = f"{category.name} {category.description}".casefold()
    return next((stance for stance, pattern in _STANCES if re.search(pattern, said)), Stance.SERVE)


def about_words(category: DatasetCategory) -> str:
    """What the messages of a category are about, to follow "a question about"."""
    words = " ".join(re.sub(r"[_\-]+", " ", category.name).casefold().split())
    words = re.sub(r" (?:multi turn|conversations?|scenarios?)$", "", words)
    words = re.sub(r" (?:help|info|information|questions?|requests?|inquir(?:y|ies)|support|queries)$", "", words)
    if words in _ABOUT:
        return _ABOUT[words]
    said = f"{category.description} {category.example_inputs}"
    words = " ".join(
        word.upper() if len(word) > 1 and re.search(rf"\b{re.escape(word.upper())}\b", said) else word
        for word in words.split()
    )
    article = "an" if words[:1].lower() in "aeiou" else "a"
    return f"{article} {words}" if words.rsplit(" ", 1)[-1] in _COUNTABLE else words


def products_vary(plan: DatasetPlanInput, category: DatasetCategory) -> ProductsVary:
    """Where the products of a category's examples are some of many."""
    if category.rows is not None:
        return ProductsVary.ALWAYS
    said = [plan.dataset_name, plan.description]
    for other in plan.categories:
        said += [other.name, other.description]
        said += [text_of(example.get(main_field(plan, other), "")) for example in plan.examples(other)]
    sold = any(_GOODS.search(text.replace("_", " ").replace("-", " ")) for text in said)
    return ProductsVary.WHERE_ANY_FITS if sold else ProductsVary.NEVER


def study(plan: DatasetPlanInput, category: DatasetCategory, bank: Mapping[str, Any]) -> StudiedCategory:
    """Reads a category; ``bank`` has the phrases of every language."""
    examples = plan.examples(category)
    field = main_field(plan, category)
    texts = [(example, text_of(example.get(field, ""))) for example in examples]
    texts = [(example, text) for example, text in texts if text.strip()] or [({}, _from_description(category))]
    language = language_of([text for _, text in texts], bank)
    phrases, products = phrases_in(language, bank), products_vary(plan, category)
    return StudiedCategory(
        field=field,
        language=language,
        phrases=phrases,
        examples=[_studied(category, example, text, language, bank, products) for example, text in texts],
        others=_requests_of_others(plan, category, bank, products) if language == ENGLISH else [],
        stance=stance_of(category),
        about=about_words(category),
        expectations=ExpectationWriter(plan, category, phrases["expected"]),
    )


def _studied(
    category: DatasetCategory,
    example: dict[str, Any],
    text: str,
    language: str,
    bank: Mapping[str, Any],
    products: ProductsVary,
) -> StudiedExample:
    kind = category.kind
    head, _, block = text.strip().partition("\n")
    template = read_template(head.rstrip().removesuffix(":"), products)
    cores, vague = paraphrases(template), paraphrases(without_ids(template))
    told = answered(template) if language == ENGLISH else ""
    if _THE_ANSWERER.search(told):  # who is that, in a sentence about the answer?
        told = ""
    if language != ENGLISH:
        forms = lead_ins(language, bank)
        cores, vague = introduced(sentence(template), forms), introduced(sentence(without_ids(template)), forms)
    if kind is CaseKind.SCENARIO:  # a goal is not said by anybody
        cores, vague = (
            [one if one.endswith("”") else addressed(sentence(one))] for one in (template, without_ids(template))
        )
        told = f"The conversation reaches its goal: {cores[0]}"
    turns = turns_of(example.get(MESSAGES)) if kind is CaseKind.CONVERSATION else []
    if turns[:-1]:  # nobody introduces what they say in the middle of a conversation
        cores, vague = [sentence(template)], [sentence(without_ids(template))]
    return StudiedExample(
        template=template,
        cores=cores,
        vague_cores=vague,
        has_id="{id:" in template,
        answered=told,
        block=block.strip("\n"),
        rest=example,
        history=tuple((turn.speaker or Speaker.USER, read_template(turn.text, products)) for turn in turns[:-1]),
    )


def _requests_of_others(
    plan: DatasetPlanInput, category: DatasetCategory, bank: Mapping[str, Any], products: ProductsVary
) -> list[OtherRequest]:
    """One-line English requests of the plan's other categories, to be a message's second intent."""
    found = []
    for other in plan.categories:
        if other.name == category.name or not other.compared or stance_of(other) is not Stance.SERVE:
            continue
        if other.kind is CaseKind.SCENARIO:  # a goal is not said by anybody
            continue
        for example in plan.examples(other)[:3]:
            text = text_of(example.get(main_field(plan, other), "")).strip()
            if text and "\n" not in text and len(text) < 200 and language_of([text], bank) == ENGLISH:
                found.append(OtherRequest(lower_first(sentence(read_template(text, products))), other))
    return found


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
