"""Frames: how a slot's attributes turn a core into the message of one person in one situation."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from dsbuilder_tui.offline.writer import perturb
from dsbuilder_tui.offline.writer.templates import shown

_PERSONA_AXES = {"persona", "role", "user", "customer", "audience", "speaker", "profile", "who", "user_type"}
_PERSON = re.compile(
    r"\b(?:customer|user|traveller|traveler|student|parent|owner|manager|teacher|patient|developer|engineer|family|couple|"
    r"backpacker|buyer|guest|member|nurse|doctor|tourist|pensioner|retiree|beginner|expert|employee|founder|seller)s?\b"
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|hallo|moin|guten (?:tag|morgen|abend)|hola|"
    r"buen[oa]s (?:días|tardes|noches)|bonjour|bonsoir|salut)(?: \w+)?[,.!]\s*",
    re.IGNORECASE,
)
_MOST_READ = 400  # characters of a core that say what it is about
_LANGUAGE_AXES = {"language", "lang", "locale"}
# Axes that say how a text is written: a value that nobody knows how to show is not named either.
_MANNERS = frozenset(
    "tone mood emotion attitude sentiment style register manner voice situation perturbation difficulty formality feeling temper "
    "writing edge".split()
)

# What an attribute value asks for, by the words in it; the first that fits wins.
_EFFECTS: tuple[tuple[str, str, str], ...] = (
    ("flag", "out_of_scope", r"out.of.scope|off.topic|irrelevant"),
    ("flag", "adversarial", r"advers|injection|jailbreak|malicious|attack|manipul|hostile"),
    ("flag", "missing", r"missing|incomplete|no detail|lacks"),
    ("flag", "several", r"several|multi|two requests|more than one"),
    ("flag", "typos", r"typo|misspel|spelling"),
    ("flag", "case", r"mixed case|capitals|all caps|lower ?case|upper ?case"),
    ("flag", "ambiguous", r"ambig|unclear|vague"),
    ("flag", "asked_before", r"asked before|has asked|follow.?up|repeated|again"),
    ("flag", "hard", r"\bhard\b|difficult|complex|tricky|edge"),
    ("flag", "plain", r"ordinary|normal|typical|standard|^none$|\beasy\b|simple|happy path|clean"),
    ("length", "short", r"\bshort|brief|terse|one.liner|concise"),
    ("length", "long", r"\blong\b|detailed|verbose|lengthy"),
    ("length", "medium", r"\bmedium|moderate|average"),
    ("channel", "email", r"e-?mail|letter"),
    ("channel", "voice", r"voice|phone|spoken|transcript|\bcall\b"),
    ("channel", "mobile", r"mobile|sms|text message|whatsapp|messenger"),
    ("channel", "chat", r"chat|web"),
    ("tone", "cheerful", r"cheer|friendly|happy|casual|informal|excited|enthusias"),
    ("tone", "impatient", r"impatien|hurr|urgent|rushed|pressed"),
    ("tone", "frustrated", r"frustrat|angry|annoy|upset|furious|irritat|rude|disappoint"),
    ("tone", "confused", r"confus|unsure|hesitant|puzzled"),
    ("tone", "worried", r"worr|anxious|nervous|concern|scared|afraid"),
    ("tone", "formal", r"formal|businesslike|professional"),
    ("tone", "polite", r"polite|courteous|kind|grateful|respectful"),
    ("tone", "neutral", r"neutral|calm|factual"),
)


@cache
def load_phrases() -> Mapping[str, Any]:
    """The phrases of the built-in writer, which are read once and belong to all: nobody changes them."""
    text = resources.files("dsbuilder_tui.offline.writer").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def fitting_groups(groups: Sequence[Mapping[str, Any]], core: str) -> list[list[str]]:
    """The groups of sentences that go with a core: of one group a message has one at most."""
    lowered = shown(core)[:_MOST_READ].lower()
    return [
        list(group["say"])
        for group in groups
        if re.search(group.get("when", ""), lowered)
        and not (group.get("unless") and re.search(group["unless"], lowered))
    ]


@dataclass(slots=True)
class Frame:
    """What a slot's attributes ask of the message."""

    tone: str = ""
    length: str = ""
    channel: str = ""
    language: str = ""  # that an answer is asked for in, when it is not the message's own
    flags: set[str] = field(default_factory=set)
    background: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)  # axes that nobody knows how to show, which are told

    @classmethod
    def of(
        cls, attributes: Mapping[str, str], phrases: Mapping[str, Any], rng: random.Random, *, english: bool = True
    ) -> Frame:
        """``english`` is false for a language in which personas and unknown axes cannot be put into words."""
        frame = cls()
        people: list[Sequence[str]] = []
        for axis, value in attributes.items():
            name, lowered = axis.strip().lower().replace(" ", "_"), value.strip().lower()
            if is_persona(axis, value, phrases):
                people.append(_persona(value, phrases))
            elif name in _LANGUAGE_AXES:
                if not lowered.startswith("en"):
                    frame.language = value
                    frame.context.append(f"Please answer in {value}.")
            else:
                frame._apply(axis, value, rng)
        frame.background = [rng.choice(frame.of_its_length(forms)) for forms in people]
        if not english:
            frame.background, frame.context = [], []
        if "hard" in frame.flags:
            frame.flags |= {"several", "missing"}
        return frame

    @property
    def is_vague(self) -> bool:
        """Whether a detail that is needed is left out."""
        return bool(self.flags & {"missing", "ambiguous"})

    def of_its_length(self, forms: Sequence[str]) -> Sequence[str]:
        """The forms to choose from: the shorter half of them where the message is to be short."""
        return sorted(forms, key=len)[: max(2, len(forms) // 2)] if self.length == "short" else forms

    def _apply(self, axis: str, value: str, rng: random.Random) -> None:
        for kind, name, pattern in _EFFECTS:
            if re.search(pattern, value, re.IGNORECASE):
                if kind == "flag":
                    self.flags.add(name)
                elif not getattr(self, kind):
                    setattr(self, kind, name)
                return
        shown = axis.replace("_", " ").strip().lower()
        if _MANNERS & set(shown.split()):
            return
        self.unread[shown] = value
        forms = (f"My {shown} is {value}, if that helps.", f"The {shown} is {value}, in case it matters.")
        self.context.append(rng.choice(forms))


def is_persona(axis: str, value: str, phrases: Mapping[str, Any]) -> bool:
    """Whether a value says who is writing."""
    name, lowered = axis.strip().lower().replace(" ", "_"), value.strip().lower()
    known = name in _PERSONA_AXES or lowered in phrases["persona"]
    return known or bool(_PERSON.search(lowered)) or name in lowered.split()


# What is done to a message as a whole, or nothing: it shows in any language.
_ON_THE_SURFACE = frozenset({"typos", "case", "plain"})


def shows(axis: str, value: str, phrases: Mapping[str, Any], *, english: bool, spoken_for: bool = True) -> bool:
    """Whether a frame shows that value of an axis, whatever the message says.

    ``spoken_for`` is false for a language without phrases, in which only what is done to a whole message shows.
    """
    name, lowered = axis.strip().lower().replace(" ", "_"), value.strip().lower()
    if name in _LANGUAGE_AXES:
        return False
    if name in _PERSONA_AXES or lowered in phrases["persona"]:
        return english
    for kind, effect, pattern in _EFFECTS:
        if re.search(pattern, value, re.IGNORECASE):
            return effect in _ON_THE_SURFACE if kind == "flag" else spoken_for
    return False


def language_axis(axes: Iterable[str]) -> str | None:
    """The axis that says in which language a message is; None where there is none."""
    return next((axis for axis in axes if axis.strip().lower().replace(" ", "_") in _LANGUAGE_AXES), None)


def _persona(value: str, phrases: Mapping[str, Any]) -> Sequence[str]:
    """What somebody says of themselves who is such a person."""
    value = value.strip().rstrip(".")
    lowered = value.lower()
    if known := phrases["persona"].get(lowered):
        return list(known)
    for person in phrases.get("person", ()):
        if re.search(rf"\b(?:{person['of']})", lowered):
            return list(person["say"])
    has_article = re.match(r"(?:a|an|the|my|someone|somebody)\b", lowered)
    article = "" if has_article else "an " if lowered[:1] in "aeiou" else "a "
    if re.search(r"\b(?:family|couple|team|group|parents|friends|class)\b", lowered):
        return [f"We're {article}{value}."]
    return (
        [f"I'm {article}{value}.", f"I work as {article}{value}."]
        if value.count(" ") < 2
        else [f"I'm {article}{value}."]
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What goes around a core: chosen for one message, with its values filled in."""

    details: Sequence[str] = ()
    second: str = ""  # another request
    attack: str = ""
    attack_first: bool = False
    off_topic: str = ""
    vague: str = ""  # what is said of the detail that is left out
    asked_before: str = ""


def compose(
    core: str, frame: Frame, around: Surroundings, phrases: Mapping[str, Any], rng: random.Random, extra: int
) -> str:
    """A whole message around a core, with placeholders still in it. ``extra`` adds that many more details."""
    tone = phrases["tone"].get(frame.tone or "neutral")
    opening, closing = (rng.choice(frame.of_its_length(tone[part])) for part in ("open", "close"))
    details = list(around.details)
    length = frame.length or rng.choice(("short", "medium", "medium", "long"))
    before, after = list[str](), list[str]()
    if length == "short":
        # What shows who is writing, and how, comes before what could be left out.
        has_tone = frame.tone not in ("", "neutral")
        shown = [*frame.background, *([rng.choice((opening, closing))] if has_tone else ())]
        others = [part for part in (opening, closing, *details[:1]) if part not in shown]
        for part in [*shown, *rng.sample(others, min(len(others), max(0, 1 + min(extra, 2) - len(shown))))]:
            (after if part == closing or part in details else before).append(part)
        before.sort(key=lambda part: part != opening)
    else:
        before.append(opening)
        for part in frame.background:
            (before if rng.random() < 0.7 else after).append(part)
        after[:0] = details[: (2 if length == "long" else 1) + extra]
    _situation(around, before, after)
    after += frame.context
    if length != "short":
        after.append(closing)
    return _laid_out(before, core, after, frame, phrases, rng, opening, closing)


def _situation(around: Surroundings, before: list[str], after: list[str]) -> None:
    if around.vague:
        after.insert(0, around.vague)
    if around.second:
        after.append(around.second)
    if around.asked_before:
        before.append(around.asked_before)
    if around.attack:
        if around.attack_first:
            before.insert(1 if len(before) > 1 else 0, around.attack)  # behind a greeting
        else:
            after.append(around.attack)
    if around.off_topic:
        after.append(around.off_topic)


def _laid_out(
    before: list[str],
    core: str,
    after: list[str],
    frame: Frame,
    phrases: Mapping[str, Any],
    rng: random.Random,
    opening: str,
    closing: str,
) -> str:
    body = [part for part in (*before, core, *after) if part]
    if frame.channel != "email" or not phrases["channel"]["email"]["open"][0]:
        return " ".join(body)
    (greeting, sign_off), rest, _ = mail_parts(opening, closing, phrases, rng)
    body = [part for part in body if part not in (greeting, sign_off)]
    if body and body[0] == opening:
        body[:1] = [rest] if rest else []
    return f"{greeting}\n\n{' '.join(body)}\n\n{sign_off}"


def mail_parts(
    opening: str, closing: str, phrases: Mapping[str, Any], rng: random.Random
) -> tuple[tuple[str, str], str, str]:
    """The greeting and the name under a mail, and what is left of opening and closing beside them: one greeting is enough."""
    mail = phrases["channel"]["email"]
    greeting = opening if opening.endswith(",") else rng.choice(mail["open"])
    sign_off = closing if "{name}" in closing else rng.choice(mail["close"])
    rest = "" if greeting == opening else _GREETING.sub("", opening)
    return (greeting, sign_off), rest[:1].upper() + rest[1:], "" if sign_off == closing else closing


_CALM = ("", "neutral", "polite", "formal", "cheerful")


def reordered(phrases: Mapping[str, Any], otherwise: int, frame: Frame) -> Mapping[str, Any]:
    """The phrases with other openings and closings in the places of those that would be taken; they say nothing of the matter,
    but in tones in which they do.
    """
    tone = frame.tone or "neutral"
    if not otherwise or frame.tone not in _CALM:
        return phrases
    moved = {part: [*forms[otherwise:], *forms[:otherwise]] for part, forms in phrases["tone"][tone].items()}
    return {**phrases, "tone": {**phrases["tone"], tone: moved}}


def perturbed(text: str, frame: Frame, phrases: Mapping[str, Any], rng: random.Random) -> tuple[str, list[str]]:
    """The filled message as it arrives, and the names of what was done to it."""
    done = sorted(frame.flags & {"missing", "several", "ambiguous", "asked_before", "adversarial", "out_of_scope"})
    if "typos" in frame.flags:
        text, done = perturb.typos(text, rng), [*done, "typos"]
    if frame.channel == "voice":
        text, done = perturb.spoken(text, rng, phrases["fillers"]["voice"]), [*done, "spoken"]
    elif frame.channel == "mobile" and frame.tone != "formal":
        text, done = perturb.texting(text, rng), [*done, "texting"]
    if "case" in frame.flags:
        # A transcript has no case of its own; some recognisers shout it all.
        text = text.upper() if frame.channel == "voice" else perturb.mixed_case(text, rng)
        done = [*done, "mixed_case"]
    return text, done
