"""Scenarios of the built-in writer: a goal with what the user knows, who they are, and how they are to act."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.scenario import GOAL, GUIDELINES, PERSONA
from dsbuilder_tui.offline.writer.conversations import SpokenRequest
from dsbuilder_tui.offline.writer.dialogues import Direction
from dsbuilder_tui.offline.writer.frames import Frame, Surroundings, is_persona
from dsbuilder_tui.offline.writer.languages import ENGLISH, NAMES
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory
from dsbuilder_tui.offline.writer.templates import addressed
from dsbuilder_tui.offline.writer.values import ValuePool
from dsbuilder_tui.offline.writer.written_message import WrittenMessage

# What a user says of the application cannot be told to the user with "you".
_OF_APPLICATION = re.compile(r"\b(?:you|your|yours|assistant)\b|^(?:please|an answer)\b", re.IGNORECASE)
_MOST_RULES = 4
_SHOWN = ("asked_before", "typos", "case", "email", "voice", "mobile", "short", "long")  # each by a rule of its own


def scenario_inputs(
    known: StudiedCategory,
    request: SpokenRequest,
    frame: Frame,
    attributes: Mapping[str, str],
    pool: ValuePool,
    rng: random.Random,
) -> dict[str, Any]:
    """What a simulated user is told. The goal lacks what the user does not know."""
    message, around = request.message, request.around
    number = {"short": 0, "long": 2}.get(frame.length, 1)
    details = [text for text in around.details if not _OF_APPLICATION.search(text)][:number]
    story = " ".join([request.core, *map(addressed, details)])
    return {
        GOAL: pool.fill(story, rng),
        PERSONA: pool.fill(_persona(known, frame, attributes, rng), rng),
        GUIDELINES: [pool.fill(text, rng) for text in _rules(known, frame, message, around, rng)],
    }


def _persona(known: StudiedCategory, frame: Frame, attributes: Mapping[str, str], rng: random.Random) -> str:
    """Who the user is, in a sentence, and something of their life."""
    who = [value for axis, value in attributes.items() if is_persona(axis, value, known.phrases)]
    person = re.sub(r"^(?:an?|the) ", "", who[0].strip().rstrip("."), flags=re.IGNORECASE) if who else "user"
    if not re.match(r"some(?:one|body)\b", person, re.IGNORECASE):
        person = f"{'an' if person[:1].lower() in 'aeiou' else 'a'} {person}"
    tone = "" if frame.tone in ("", "neutral") else f", {frame.tone}"
    sentences = [f"{person[:1].upper()}{person[1:]}{tone}."]
    sentences += [addressed(text) for text in frame.background if not _OF_APPLICATION.search(text)]
    sentences += [f"{axis.replace('_', ' ').capitalize()}: {value}." for axis, value in frame.unread.items()]
    return " ".join(sentences)


def _rules(
    known: StudiedCategory, frame: Frame, message: WrittenMessage, around: Surroundings, rng: random.Random
) -> Sequence[str]:
    """How the user acts: what the situation asks for first, then the tone, then what goes with any goal."""
    say, flags, rules = Direction(rng), frame.flags, list[str]()
    if message.is_vague and "missing" in flags:
        noun = message.missing.removesuffix(" number")
        rules.append(say("no_id", noun=noun) if noun else say("no_detail"))
    elif message.is_vague:
        rules.append(say("unclear", text=around.vague))
    if around.second:
        rules.append(say("second", text=around.second))
    if around.attack:
        rules.append(say("attack", text=around.attack))
    if around.off_topic:
        rules.append(say("off_topic", text=around.off_topic))
    if known.language != ENGLISH and known.language in NAMES:
        rules.append(say("language", text=NAMES[known.language]))
    if frame.language:
        rules.append(say("answer_in", text=frame.language))
    shown = {*flags, frame.channel, frame.length} - ({"mobile"} if frame.tone == "formal" else set())
    rules += [say(kind) for kind in _SHOWN if kind in shown]
    rules += say.of_tone(frame.tone)
    given = [entity for entity in message.entities if entity.kind == "id"]
    if len(given) == 1 and given[0].noun and rng.random() < 0.5:
        rules.append(say("withhold_id", noun=given[0].noun))
    return [*rules, *say.any(max(1, _MOST_RULES - 1 - len(rules)))][: max(_MOST_RULES, len(rules))]
