"""Frames: how a slot's attributes turn a core into the message of one person in one situation."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from dsbuilder_tui.offline.writer import perturb

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
_LANGUAGE_AXES = {"language", "lang", "locale"}

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


def load_phrases() -> dict[str, Any]:
    text = resources.files("dsbuilder_tui.offline.writer").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def topic_of(texts: Sequence[tuple[int, str]], phrases: Mapping[str, Any]) -> str:
    """The topic whose words weigh most in ``texts`` (weight, text); ``general`` when none is there."""
    scores: dict[str, int] = {}
    for weight, text in texts:
        words = re.findall(r"[a-z]+", text.lower().replace("_", " "))
        for topic, bank in phrases["topic"].items():
            scores[topic] = scores.get(topic, 0) + weight * sum(word in bank["about"] for word in words)
    best = max(scores, key=lambda topic: scores[topic], default="general")
    return best if scores.get(best) else "general"


@dataclass(slots=True)
class Frame:
    """What a slot's attributes ask of the message."""

    tone: str = ""
    length: str = ""
    channel: str = ""
    has_id: bool = False  # the template has an id that can be missing
    flags: set[str] = field(default_factory=set)
    background: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, attributes: Mapping[str, str], phrases: Mapping[str, Any], rng: random.Random, *, english: bool = True
    ) -> Frame:
        """``english`` is false for a language in which personas and unknown axes cannot be put into words."""
        frame = cls()
        for axis, value in attributes.items():
            name, lowered = axis.strip().lower().replace(" ", "_"), value.strip().lower()
            if (
                name in _PERSONA_AXES
                or lowered in phrases["persona"]
                or _PERSON.search(lowered)
                or name in lowered.split()
            ):
                known = phrases["persona"].get(lowered)
                frame.background.append(rng.choice(known) if known else _persona(value, rng))
            elif name in _LANGUAGE_AXES:
                if not lowered.startswith("en"):
                    frame.context.append(f"Please answer in {value}.")
            else:
                frame._apply(axis, value, rng)
        if not english:
            frame.background, frame.context = [], []
        if "hard" in frame.flags:
            frame.flags |= {"several", "missing"}
        return frame

    def _apply(self, axis: str, value: str, rng: random.Random) -> None:
        for kind, name, pattern in _EFFECTS:
            if re.search(pattern, value, re.IGNORECASE):
                if kind == "flag":
                    self.flags.add(name)
                elif not getattr(self, kind):
                    setattr(self, kind, name)
                return
        shown = axis.replace("_", " ")
        self.context.append(rng.choice((f"For context, {shown}: {value}.", f"({shown}: {value})")))


def _persona(value: str, rng: random.Random) -> str:
    value = value.strip().rstrip(".")
    if re.match(r"(?:a|an|the|my|someone|somebody)\b", value, re.IGNORECASE):
        article = ""
    else:
        article = "an " if value[:1].lower() in "aeiou" else "a "
    forms: tuple[str, ...] = ("I'm {p}.", "As {p}, I want to be sure.", "I'm asking as {p}.", "You're talking to {p}.")
    if re.search(r"\b(?:family|couple|team|group|parents|friends|class)\b", value, re.IGNORECASE):
        forms = ("We're {p}.", "As {p}, we want to be sure.", "We're asking as {p}.")
    return rng.choice(forms).replace("{p}", article + value)


@dataclass(frozen=True, slots=True)
class FrameTopic:
    """What the frames of one category draw on."""

    detail: Sequence[str]
    second: Sequence[str]
    others: Sequence[str]  # requests of the plan's other categories


def compose(
    core: str, frame: Frame, topic: FrameTopic, phrases: Mapping[str, Any], rng: random.Random, extra: int
) -> str:
    """A whole message around a core, with placeholders still in it. ``extra`` adds that many more details."""
    tone = phrases["tone"].get(frame.tone or "neutral")
    opening, closing = rng.choice(tone["open"]), rng.choice(tone["close"])
    details = rng.sample(topic.detail, min(len(topic.detail), 3 + extra))
    details += [""] * (3 - len(details))
    length = frame.length or rng.choice(("short", "medium", "medium", "long"))
    before, after = list[str](), list[str]()
    if length == "short":
        for part in rng.sample((*frame.background, opening, closing, details.pop()), 1 + min(extra, 2)):
            (after if part == closing or (part != opening and rng.random() < 0.5) else before).append(part)
    else:
        before.append(opening)
        about = [*frame.background, details.pop()]
        if length == "long":
            about += [details.pop(), details.pop()]
        for part in about:
            (before if rng.random() < 0.55 else after).append(part)
    after += details[: extra if length != "short" else 0]
    _situation(core, frame, topic, phrases, rng, before, after)
    after += frame.context
    if length != "short":
        after.append(closing)
    return _laid_out([*before], core, [*after], frame, phrases, rng, opening, closing)


def _situation(
    core: str,
    frame: Frame,
    topic: FrameTopic,
    phrases: Mapping[str, Any],
    rng: random.Random,
    before: list[str],
    after: list[str],
) -> None:
    bank = phrases["situation"]
    if "missing" in frame.flags:
        after.append(rng.choice(bank["missing_id" if frame.has_id else "missing_detail"]))
    if "several" in frame.flags:
        if topic.others and rng.random() < 0.4:
            after.append(rng.choice(("Another thing: ", "Also: ", "And while I'm here: ")) + rng.choice(topic.others))
        else:
            after.append(rng.choice(topic.second))
    if "ambiguous" in frame.flags:
        after.append(rng.choice(bank["ambiguous"]))
    if "asked_before" in frame.flags:
        before.append(rng.choice(bank["asked_before"]))
    if "adversarial" in frame.flags:
        if rng.random() < 0.5:
            before.insert(0, rng.choice(bank["adversarial_before"]))
        else:
            after.append(rng.choice(bank["adversarial_after"]))
    if "out_of_scope" in frame.flags:
        after.append(rng.choice(bank["out_of_scope"]))


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
    greeting = opening if opening.endswith(",") else rng.choice(phrases["channel"]["email"]["open"])
    sign_off = closing if "{name}" in closing else rng.choice(phrases["channel"]["email"]["close"])
    body = [part for part in body if part not in (greeting, sign_off)]
    if body and body[0] == opening:
        rest = _GREETING.sub("", opening)  # one greeting is enough
        body[:1] = [rest[:1].upper() + rest[1:]] if rest else []
    return f"{greeting}\n\n{' '.join(body)}\n\n{sign_off}"


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
