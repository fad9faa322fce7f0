"""A category as the built-in writer has read it: its examples as templates, and what its messages are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.offline.writer.expectations import ExpectationWriter
from dsbuilder_tui.offline.writer.written_message import Stance

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


@dataclass(frozen=True, slots=True)
class StudiedExample:
    template: str
    cores: list[str]
    vague_cores: list[str]  # the same without ids
    has_id: bool
    answered: str  # what an answer to it does
    block: str  # what follows the first line: code, a document; kept as it is
    rest: dict[str, Any]  # the other input fields


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


def stance_of(category: DatasetCategory) -> Stance:
    """How messages of a category are to be taken, by its name and description."""
    said = f"{category.name} {category.description}".casefold()
    return next((stance for stance, pattern in _STANCES if re.search(pattern, said)), Stance.SERVE)


def about_words(category: DatasetCategory) -> str:
    """What the messages of a category are about, to follow "a question about"."""
    words = " ".join(re.sub(r"[_\-]+", " ", category.name).casefold().split())
    words = re.sub(r" (?:help|info|information|questions?|requests?|inquir(?:y|ies)|support|queries)$", "", words)
    if words in _ABOUT:
        return _ABOUT[words]
    return f"a {words}" if words.rsplit(" ", 1)[-1] in _COUNTABLE else words
