"""Requests for axes, what cases vary along: “add an axis difficulty: easy, medium, hard”, “remove the tone axis”."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import singular, slug, words_of
from dsbuilder_tui.offline.planner.plan_arguments import planning_act
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import Utterance

_AXIS = r"(?:axis|axes|attribute|dimension|variable)"
_NAME = r"(?P<name>[a-z][\w-]*(?: [a-z][\w-]*){0,2}?)"
_VALUES = r"(?P<values>[^.;:!?()\n]{1,300}?)"
_LEAD = r"(?:^|(?<=[.;,!\n])) ?(?:(?:and|also|please|then|can you|could you|let'?s|i want to|i'd like to|with) ){0,3}"
_END = (
    r"(?=\s*(?:[.;!?\n]|$|,? (?:and|then) "
    r"(?:make|set|add|remove|drop|rename|double|halve|swap|start|run|write|use|let|vary)\b))"
)
_ADD = r"(?:(?:add|use|have|include|create|set) )?(?:an?|another|the|one more)? ?(?:new |shared |extra )?"
_WITH = r"(?: with(?: the)?(?: values)?| of| to)? ?[:(=–—-]? ?"
_GIVEN = tuple(
    re.compile(_LEAD + pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"{_ADD}{_AXIS}(?: (?:called|named|for|of))? {_NAME}{_WITH}(?<=[ :(=–—-]){_VALUES}\)?",
        rf"{_ADD}{_NAME} {_AXIS}{_WITH}{_VALUES}\)?",
        r"(?:vary|mix|differ)(?: (?:it|them|the cases|cases|everything))?(?: (?:by|in|along|over|across|the))* "
        rf"{_NAME} ?[:(=] ?{_VALUES}\)?",
    )
)
_TAKEN = tuple(
    re.compile(_LEAD + pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"(?:remove|drop|delete|skip|leave out|get rid of|without|no) (?:the )?{_NAME} {_AXIS}",
        rf"(?:remove|drop|delete|skip|leave out|get rid of|without|no) (?:the )?{_AXIS} {_NAME}",
        r"(?:don'?t|do not|stop) vary(?:ing)? (?:by |along |the )*(?P<name>[a-z][\w-]*(?: [a-z][\w-]*){0,2})",
    )
)
_VALUE = re.compile(
    _LEAD
    + r"(?P<verb>add|remove|drop|delete|take) (?P<values>[^.;:!?()\n]{1,100}?) (?:to|from|as an?|out of) (?:the |our )?"
    rf"(?P<name>[a-z][\w-]*(?: [a-z][\w-]*)??)(?: (?:{_AXIS}|values?))?" + _END,
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:,\s*(?:and|or)\b|,|/|\band\b|\bor\b|\|)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AxisWish:
    """An axis to vary along with its values; without values it goes. ``only_values``: they join, or leave, those there are."""

    name: str
    values: tuple[str, ...] = ()
    only_values: bool = False
    leave: bool = False


def axes_in(heard: Utterance, situation: PlanningContext) -> tuple[Utterance, tuple[AxisWish, ...]]:
    """What was said without its requests for axes, and the requests. Values join or leave an axis that is there alone."""
    said, wishes = heard.said, []
    known = {key: name for name in {**_axes(situation, {}), **situation.axes} for key in (_key(name), _key(f"{name}s"))}
    while found := _VALUE.search(said):
        name = known.get(_key(found["name"]))
        if name is None:
            break
        leave = found["verb"].lower() != "add"
        wishes.append(AxisWish(name, _values(found["values"]), only_values=True, leave=leave))
        said = _without(said, found)
    for pattern in _TAKEN:
        if found := pattern.search(said):
            wishes.append(AxisWish(known.get(_key(found["name"]), slug(found["name"]))))
            said = _without(said, found)
    for pattern in _GIVEN:
        if (found := pattern.search(said)) and len(values := _values(found["values"])) > 1:
            wishes.append(AxisWish(known.get(_key(found["name"]), slug(found["name"])), values))
            said = _without(said, found)
    return (replace(heard, said=said.strip()), tuple(wishes)) if wishes else (heard, ())


def with_axes(reading: Interpretation, wishes: tuple[AxisWish, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, with the plan's axes as was wished; what is in the way is said instead."""
    act = planning_act(reading, situation) if wishes else None
    if act is None:
        return reading
    axes = _axes(situation, act.arguments)
    before = dict(axes)
    for wish in wishes:
        problem = _changed(axes, wish)
        if problem:
            return Interpretation(words=problem, asks=True)
    if axes == before and not reading.acts:
        return Interpretation(words=intent_table().reply("planned_already"))
    changed = replace(
        act, arguments={**act.arguments, "attributes": {name: list(values) for name, values in axes.items()}}
    )
    others = tuple(one for one in reading.acts if one is not act)
    return replace(reading, acts=(*(one for one in others if one.tool != act.tool), changed))


def _changed(axes: dict[str, tuple[str, ...]], wish: AxisWish) -> str:
    """Changes the axes; says what is in the way, if anything is."""
    there = axes.get(wish.name)
    names = ", ".join(words_of(name) for name in axes)
    if there is None and (not wish.values or wish.only_values):
        return f"There is no axis called {words_of(wish.name)}; there are {names}."
    if not wish.values:
        if len(axes) == 1:
            return "That would leave nothing to vary along; name another axis first."
        del axes[wish.name]
        return ""
    kept = there or ()
    if wish.only_values and wish.leave:
        gone = {value.casefold() for value in wish.values}
        left = tuple(value for value in kept if value.casefold() not in gone)
        if len(left) == len(kept):
            return f"{words_of(wish.name)} has no such value; it has {', '.join(kept)}."
        if not left:
            return f"That would leave {words_of(wish.name)} without a value; “remove the {words_of(wish.name)}"
            " axis” takes it away."
        axes[wish.name] = left
        return ""
    axes[wish.name] = tuple(dict.fromkeys((*kept, *wish.values) if wish.only_values else wish.values))
    return ""


def _axes(situation: PlanningContext, arguments: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The axes that all categories share, as they are now."""
    own = situation.base.attributes if situation.base else {}
    given = arguments.get("attributes") or own or DEFAULT_AXES
    return {name: tuple(map(str, values)) for name, values in given.items()}


def _values(said: str) -> tuple[str, ...]:
    values = (
        re.sub(r"^(?:the|values?|to|with|of)\s+", "", part.strip(" \"'"), flags=re.IGNORECASE)
        for part in _BETWEEN.split(said)
    )
    return tuple(dict.fromkeys(value for value in values if value))


def _key(name: str) -> str:
    return "_".join(singular(word) for word in slug(name).split("_"))


def _without(said: str, found: re.Match[str]) -> str:
    return f"{said[: found.start()].rstrip(' ,;')} {said[found.end() :].lstrip(' ')}".strip(" ,;")
