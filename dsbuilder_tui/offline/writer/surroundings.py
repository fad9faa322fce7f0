"""Surroundings of the core of a message: details, a second request, an attack, and what is known of the whole."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, fitting_groups
from dsbuilder_tui.offline.writer.languages import ENGLISH, NAMES
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory, StudiedExample
from dsbuilder_tui.offline.writer.templates import entities_of
from dsbuilder_tui.offline.writer.values import Entity, ValuePool, shown_braces
from dsbuilder_tui.offline.writer.written_message import SecondRequest, Stance, WrittenMessage

_MOST_TOLD = 300  # characters of a message that an expectation repeats
# Who has said since when they are there says no other span of years, and a new one has no past here.
_SPANS = re.compile(r"\{years?\}|\{days\} days ago|\b(?:first time|new|never done this|just created|my way around)\b")
_A_PAST = re.compile(r"\{years\}|\blast in\b|there once|\bthere before\b|last week")
_OFTEN_ANOTHER = 0.75  # how often a second request is one of another category, where there are others


def leaves_out(known: StudiedCategory, frame: Frame) -> bool:
    """Whether a message says less than is needed."""
    return frame.is_vague and known.stance is Stance.SERVE


def surrounded(
    known: StudiedCategory,
    example: StudiedExample,
    frame: Frame,
    core: str,
    values: Mapping[str, str],
    pool: ValuePool,
    rng: random.Random,
    extra: int,
    slot: Slot,
) -> tuple[WrittenMessage, Surroundings]:
    """What goes around a core, and what is known of the whole."""
    vague, situation = leaves_out(known, frame), known.phrases["situation"]
    # Of what was left out nothing more is said.
    groups = known.phrases["detail"]
    free = [group for group in groups if not group.get("when")]
    details = [] if vague else fitting_groups([group for group in groups if group.get("when")], core)
    rng.shuffle(details)
    whole = [*details[:2], *rng.sample(others := fitting_groups(free, core), len(others))]
    if any(_SPANS.search(line) for line in frame.background):
        whole = [left for group in whole if (left := [line for line in group if not _A_PAST.search(line)])]
    said = [rng.choice(group) for group in whole[: 3 + extra]]
    second = second_request(known, core, pool, rng) if "several" in frame.flags else None
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
        answered=told or str(known.phrases["expected"]["fact_whole"][0]).replace("{text}", text[:_MOST_TOLD]),
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


def second_request(known: StudiedCategory, core: str, pool: ValuePool, rng: random.Random) -> tuple[SecondRequest, str]:
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
