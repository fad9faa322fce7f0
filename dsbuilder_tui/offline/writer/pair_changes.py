"""Partners of cases without a model: one decisive thing of a message changed, and what is expected then."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dsbuilder_tui.domain.case_pair import ContrastChange
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.offline.writer.expectations import delivers
from dsbuilder_tui.offline.writer.languages import ENGLISH
from dsbuilder_tui.offline.writer.written_message import Stance

_MONEY = re.compile(
    r"(?P<before>[$€£]\s?)(?P<a>\d[\d.,]*\d|\d)|(?P<b>\d[\d.,]*\d|\d)(?P<after>\s?(?:€|EUR|USD|GBP|dollars|euros|pounds)\b)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?P<year>(?:19|20)\d\d)(?P<rest>-\d\d?-\d\d?)\b|\b(?P<named>(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)"
    r"[a-z]*\s\d\d?)(?:,?\s(?P<later>(?:19|20)\d\d))?\b"
)
_VALUE = "{value}"
_OTHER = "other"  # what fits messages that are not served anyway
_LONG_AGO = (3, 4, 5, 6)  # years
_MANY_TIMES = (20, 30, 40, 60)


@dataclass(frozen=True, slots=True)
class Change:
    """A contrast: what the message says then, and what of its expectations is another.

    ``replaced`` is a value and what took its place, where one stood in the message.
    """

    text: str
    fact: str
    guideline: str
    changed: str
    replaces: bool
    made: ContrastChange
    replaced: tuple[str, str] | None = None


@cache
def _pair_phrases() -> Mapping[str, Any]:
    text = resources.files("dsbuilder_tui.offline.writer").joinpath("pair_phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class ContrastWriter:
    """Changes messages, and knows what that changes of their expectations."""

    def __init__(self) -> None:
        self._phrases = _pair_phrases()

    def change(
        self,
        text: str,
        kind: ContrastChange,
        category: DatasetCategory,
        stance: Stance,
        language: str,
        closings: Sequence[str],
        rng: random.Random,
    ) -> Change | None:
        """The message with one decisive thing changed; None in a language without phrases.

        ``closings`` are patterns of endings that it may have, before which something is added.
        """
        bank = self._phrases.get(language)
        if bank is None:
            return None
        said = f"{category.name.replace('_', ' ')} {category.description} {text}".lower()
        is_served = stance is Stance.SERVE
        found = _DATE.search(text) if kind is ContrastChange.DATE else _MONEY.search(text)
        if is_served and language == ENGLISH and kind in (ContrastChange.DATE, ContrastChange.AMOUNT) and found:
            # Worded as what is true of a sum, or of a time that has passed.
            phrase = bank[kind.value][0]
            old, new = found.group(), (_long_ago if kind is ContrastChange.DATE else _more)(found, rng)
            return Change(
                text=text.replace(old, new),
                fact=_FACTS[kind].replace(_VALUE, new),
                guideline=_GUIDELINES[kind].replace(_VALUE, new) if kind is ContrastChange.DATE
                else phrase["guideline"].replace(_VALUE, new),
                changed=f"{new} instead of {old}",
                replaces=False, made=kind, replaced=(old, new),
            )  # fmt: skip
        name = kind.value if is_served else _OTHER
        phrase = next(
            one
            for one in bank[name]
            if re.search(one.get("when", ""), said) and not ("unless" in one and re.search(one["unless"], text.lower()))
        )
        value = _value(phrase, kind, rng)
        sentence = str(rng.choice(phrase["say"])).replace(_VALUE, value)
        return Change(
            text=_with_sentence(text, sentence, closings),
            fact=phrase["fact"].replace(_VALUE, value),
            guideline=phrase["guideline"].replace(_VALUE, value),
            changed=phrase["changed"].replace(_VALUE, value),
            replaces=phrase.get("replaces", False),
            made=kind if is_served else ContrastChange.NEGATION,
        )


_FACTS = {
    ContrastChange.AMOUNT: "The answer takes into account that it is about {value}, and says what applies to so large a "
    "sum.",
    ContrastChange.DATE: "The answer takes into account that {value} is years ago, and says whether a time limit has run out.",
}
_GUIDELINES = {
    ContrastChange.DATE: "Does not treat {value} as recent: it names the time limit that applies, instead of a routine yes.",
}


def changed_expectations(
    plan: DatasetPlanInput, category: DatasetCategory, expectations: Mapping[str, Any], change: Change
) -> dict[str, Any]:
    """What is expected of a changed message, given what was expected of the message; null is what no longer is."""
    written = {one.of_mlflow for one in plan.written_for(category)}
    found = answer_for(plan, category, {key: _with_value(value, change) for key, value in expectations.items()})
    grounded = bool(plan.sources_of(category)) and category.answerable
    if MlflowKey.FACTS in written and not grounded:  # else each is quoted
        facts = [] if change.replaces else list(found.get(MlflowKey.FACTS.value) or [])
        found[MlflowKey.FACTS.value] = [*facts, change.fact]
    if MlflowKey.RESPONSE in written and not grounded:
        response = "" if change.replaces else f"{found.get(MlflowKey.RESPONSE.value) or ''} "
        found[MlflowKey.RESPONSE.value] = f"{response}{change.fact}".strip()
    if MlflowKey.GUIDELINES in written:
        rules = found.get(MlflowKey.GUIDELINES.value) or []
        rules = [rules] if isinstance(rules, str) else list(rules)
        found[MlflowKey.GUIDELINES.value] = [change.guideline, *(rules[1:] if change.replaces else rules)][:5]
    if change.replaces:
        if MlflowKey.TOOL_CALLS.value in found or category.expected_tools:
            found[MlflowKey.TOOL_CALLS.value] = None
        found |= {key: None for key, value in category.expectations.items() if value is True and delivers(key)}
    return found


def answer_for(plan: DatasetPlanInput, category: DatasetCategory, expectations: Mapping[str, Any]) -> dict[str, Any]:
    """Expectations of a case as a worker says them: what the case does not have of the plan's is null."""
    keys = dict.fromkeys(category.expectations)
    written = {one.key for one in plan.written_for(category)}
    if category.expected_tools or MlflowKey.TOOL_CALLS.value in written:
        keys[MlflowKey.TOOL_CALLS.value] = None
    return {**keys, **expectations}


def can_differ(plan: DatasetPlanInput, category: DatasetCategory) -> bool:
    """Whether anything is written for each case that a contrast could change."""
    written = {one.of_mlflow for one in plan.written_for(category)}
    if plan.sources_of(category) and category.answerable:
        return MlflowKey.GUIDELINES in written
    return bool(written & {MlflowKey.FACTS, MlflowKey.RESPONSE, MlflowKey.GUIDELINES})


def _value(phrase: Mapping[str, Any], kind: ContrastChange, rng: random.Random) -> str:
    if kind is ContrastChange.AMOUNT:
        return str(rng.randint(40, 400)) if phrase.get("many") else f"${rng.randint(35, 190) * 100 + 50:,}"
    return str(rng.choice(phrase["time"])) if "time" in phrase else ""


def _more(found: re.Match[str], rng: random.Random) -> str:
    """An amount many times as large, written as it was."""
    number = found["a"] or found["b"]
    size = int(re.sub(r"\D", "", re.sub(r"[.,]\d{1,2}\Z", "", number)) or 1)
    return f"{found['before'] or ''}{max(1, size) * rng.choice(_MANY_TIMES):,}{found['after'] or ''}"


def _long_ago(found: re.Match[str], rng: random.Random) -> str:
    """A date years before, written as it was."""
    years = rng.choice(_LONG_AGO)
    if found["year"]:
        return f"{int(found['year']) - years}{found['rest']}"
    return f"{found['named']}, {int(found['later'] or 2026) - years}"


def _with_value(value: Any, change: Change) -> Any:
    """A value of the expectations with what was replaced in the message replaced in it, too."""
    if change.replaced is None:
        return value
    old, new = change.replaced
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, Mapping):
        return {key: _with_value(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_value(inner, change) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and _number(old) == float(value):
        number = _number(new)
        return int(number) if number is not None and number.is_integer() else number
    return value


def _number(text: str) -> float | None:
    digits = re.sub(r"[^\d.]", "", text)
    return float(digits) if re.fullmatch(r"\d+(?:\.\d+)?", digits) else None


def _with_sentence(text: str, sentence: str, closings: Sequence[str]) -> str:
    """A message with a sentence more, in its manner: before its closing, and in the body of an e-mail."""
    parts = text.split("\n\n")
    place = 1 if len(parts) > 1 and parts[0].rstrip().endswith(",") else 0
    body = parts[place]
    if body.isupper():
        sentence = sentence.upper()
    elif body == body.lower():
        sentence = sentence.lower()
    if not re.search(r"[.!?]", body):
        sentence = re.sub(r"[.!?,;:](?=\s|\Z)", "", sentence)
    found = next(filter(None, (re.search(rf" {end}\Z", body, re.IGNORECASE) for end in closings)), None)
    body, ending = (body[: found.start()], found.group()) if found is not None else (body, "")
    mark = "" if not body or body[-1] in ".!?…:;,。" or not re.search(r"[.!?]", sentence) else "."
    parts[place] = f"{body}{mark} {sentence}{ending}"
    return "\n\n".join(parts)
