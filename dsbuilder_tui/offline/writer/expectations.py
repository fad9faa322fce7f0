"""Expectations of the built-in writer: it knows what it put into a message, and what it left out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey, WrittenExpectation
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput, ExpectedTool
from dsbuilder_tui.domain.target import ParameterType, ToolParameter
from dsbuilder_tui.offline.writer.values import Entity
from dsbuilder_tui.offline.writer.written_message import Stance, WrittenMessage

LANGUAGE_KEY = "language"
# Constants that say that the answer delivers something: it cannot before it has asked for what is missing.
_DELIVERS = re.compile(
    r"(?:contains|gives|states|provides|confirms|initiates|starts|solves|resolves|explains|mentions|names|cites|answers|returns|"
    r"includes|lists|shows|finds|uses|checks|blocks|guides|books|processes|completes|tells|reports|calculates|code|escalates|"
    r"updates|cancels|recommends|has|links|quotes|keeps_behaviour|secures)(?:_|\Z)"
)
_NEEDS_ID = re.compile(
    r"(?:contains|mentions|names|includes|has|repeats|uses|cites)_(?:\w+_)?(?:id|number|reference|no)\Z"
)
_ARGUMENTS: tuple[tuple[str, str], ...] = (
    (r"(?:\w+_)?(?:id|number|no|reference|ref|code)|order|booking|reservation|invoice|claim", "id"),
    (r"(?:\w+_)?(?:amount|sum|price|money|budget|value)", "money"),
    (r"(?:\w+_)?(?:e_?mail)(?:_address)?", "email"),
    (r"(?:\w+_)?(?:product|item)(?:_name)?|query|search_term|words", "product"),
    (r"(?:\w+_)?(?:people|persons|passengers|guests|travell?ers|adults|nights|days|count|quantity)", "number"),
    (r"(?:\w+_)?(?:city|location|place|destination|origin|from|to)(?:_city)?", "city"),
    (r"(?:\w+_)?name", "name"),
)
_FIRST_CITY = re.compile(r"origin|from|departure")


class ExpectationWriter:
    """Writes the expectations of one category's messages, in the words of a language."""

    def __init__(self, plan: DatasetPlanInput, category: DatasetCategory, words: Mapping[str, Any]) -> None:
        self._plan, self._category, self._words = plan, category, words
        self._written = plan.written_for(category)

    def write(self, message: WrittenMessage, rng: random.Random) -> dict[str, Any]:
        """What differs from the plan's constants, and every key that is written for each case."""
        expectations: dict[str, Any] = {
            key: None
            for key, value in self._category.expectations.items()
            if value is True and not _holds(key, message)
        }
        calls = self._calls(message)
        asked_for = {one.of_mlflow for one in self._written}
        if MlflowKey.TOOL_CALLS not in asked_for and self._category.expected_tools:
            expectations[MlflowKey.TOOL_CALLS.value] = calls or None
        for one in self._written:
            value = self._value(one, message, calls, rng)
            if value is not None or one.optional:
                expectations[one.key] = value
        return expectations

    def _value(
        self, one: WrittenExpectation, message: WrittenMessage, calls: list[dict[str, Any]], rng: random.Random
    ) -> Any:
        match one.of_mlflow:
            case MlflowKey.FACTS:
                return self._facts(message, rng)
            case MlflowKey.GUIDELINES:
                return self._guidelines(message, rng)
            case MlflowKey.TOOL_CALLS:
                return calls
            case MlflowKey.RESPONSE:
                return " ".join(self._facts(message, rng))
        if one.key.casefold() in (LANGUAGE_KEY, "lang"):
            return message.frame.language or message.language
        return next((value for axis, value in message.attributes.items() if axis == one.key), None)

    def _facts(self, message: WrittenMessage, rng: random.Random) -> list[str]:
        say = _Sayings(self._words, rng)
        match message.stance:
            case Stance.DECLINE:
                facts = [say("fact_decline")]
            case Stance.RESIST:
                facts = [say("fact_resist")]
            case Stance.UNKNOWN:
                facts = [say("fact_unknown")]
            case Stance.SERVE if message.is_vague:
                kind = "ambiguous" if not message.missing and "missing" not in message.frame.flags else "missing"
                if kind == "missing" and not message.missing:
                    kind = "missing_detail"
                facts = [say(f"fact_{kind}", noun=message.missing)]
            case _:
                facts = [message.answered]
        if message.second is not None:
            facts.append(say("fact_second", text=message.second.text))
        return facts

    def _guidelines(self, message: WrittenMessage, rng: random.Random) -> list[str]:
        say, flags = _Sayings(self._words, rng), message.frame.flags
        found = list(message.history)
        match message.stance:
            case Stance.DECLINE:
                found.append(say("decline"))
            case Stance.RESIST:
                found.append(say("resist"))
            case Stance.UNKNOWN:
                found.append(say("unknown"))
            case Stance.SERVE if message.is_vague:
                if "missing" in flags:
                    found.append(say("missing" if message.missing else "missing_detail", noun=message.missing))
                else:
                    found.append(say("ambiguous"))
                if self._category.expected_tools:
                    found.append(say("no_tool"))
            case _:
                found.append(self._about(message, say))
        if message.must_not:
            found.append(message.must_not)
        if message.second is not None:
            found.append(say("second"))
        if message.is_off_topic:
            found.append(say("off_topic"))
        if message.frame.language:
            found.append(say("language", language=message.frame.language))
        if message.frame.tone in self._words["tone"]:
            found.append(rng.choice(self._words["tone"][message.frame.tone]))
        if "typos" in flags:
            found.append(say("typos"))
        return list(dict.fromkeys(found))[:4]

    def _about(self, message: WrittenMessage, say: _Sayings) -> str:
        ids = [entity for entity in message.entities if entity.kind == "id"]
        if len(ids) == 1:
            return say("refers", noun=ids[0].noun or self._words["number"], id=ids[0].value)
        values = [entity.value for entity in message.entities if entity.kind in ("money", "date", "city")]
        return say("keeps", values=", ".join(dict.fromkeys(values))) if values else say("plain")

    def _calls(self, message: WrittenMessage) -> list[dict[str, Any]]:
        """The tools that a right answer calls; none while a detail has to be asked for."""
        calls: list[dict[str, Any]] = []
        if message.stance is Stance.SERVE and not message.is_vague:
            calls += [self._call(tool, message.entities) for tool in self._category.expected_tools]
        second = message.second
        if (
            second is not None
            and second.category is not None
            and message.stance is Stance.SERVE
            and not message.is_vague
        ):
            calls += [self._call(tool, second.entities) for tool in second.category.expected_tools]
        return [call for place, call in enumerate(calls) if call not in calls[:place]]

    def _call(self, tool: ExpectedTool, entities: Sequence[Entity]) -> dict[str, Any]:
        if tool.arguments:
            return tool.model_dump(mode="json")
        schema = self._plan.target.tools.get(tool.name)
        parameters = schema.known_parameters() if schema else None
        arguments = _arguments(parameters or (), entities)
        return {"name": tool.name, "arguments": arguments} if arguments else {"name": tool.name}


class _Sayings:
    """One of several ways to say a thing."""

    def __init__(self, words: Mapping[str, Any], rng: random.Random) -> None:
        self._words, self._rng = words, rng

    def __call__(self, kind: str, **values: str) -> str:
        text = str(self._rng.choice(self._words[kind]))
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text


def unfilled_key(plan: DatasetPlanInput, category: DatasetCategory) -> str | None:
    """A key that is to be written for each case, and that nothing here says anything of."""
    axes = plan.axes(category)
    for one in plan.written_for(category):
        if one.of_mlflow is not None or one.optional or one.key in category.expectations:
            continue
        if one.key.casefold() in (LANGUAGE_KEY, "lang") and not one.values:
            continue
        allowed = {str(value).casefold() for value in one.values}
        if one.key not in axes or (allowed and not {value.casefold() for value in axes[one.key]} <= allowed):
            return one.key
    return None


def delivers(key: str) -> bool:
    """Whether a constant of this name says that the answer delivers something."""
    return _DELIVERS.match(_plain(key)) is not None


def _plain(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).casefold()


def _holds(key: str, message: WrittenMessage) -> bool:
    """Whether a constant that is true of the category holds for this message."""
    plain = _plain(key)
    if _NEEDS_ID.match(plain) and not any(entity.kind == "id" for entity in message.entities):
        return False
    return not (message.is_vague and message.stance is Stance.SERVE and _DELIVERS.match(plain))


def _arguments(parameters: Iterable[ToolParameter], entities: Sequence[Entity]) -> dict[str, Any]:
    """The arguments of a call out of the values of a request; empty unless all that are needed are certain."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        value = _argument(parameter, entities)
        if value is not None:
            found[parameter.name] = value
        elif parameter.required:
            return {}
    return found


def _argument(parameter: ToolParameter, entities: Sequence[Entity]) -> Any:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter.name).casefold()
    kind = next((kind for pattern, kind in _ARGUMENTS if re.fullmatch(pattern, name)), None)
    values = [entity.value for entity in entities if entity.kind == kind]
    if kind == "city" and len(values) == 2:
        values = values[:1] if _FIRST_CITY.search(name) else values[1:]
    if kind is None or len(values) != 1 or parameter.choices:
        return None
    value = values[0].lstrip("# ")
    match parameter.type:
        case ParameterType.INTEGER | ParameterType.NUMBER:
            digits = re.sub(r"[^\d.]", "", value)
            if not re.fullmatch(r"\d+(?:\.\d+)?", digits):
                return None
            number = float(digits)
            whole = number.is_integer()
            return int(number) if whole else None if parameter.type is ParameterType.INTEGER else number
        case ParameterType.STRING | None:
            return value
    return None
