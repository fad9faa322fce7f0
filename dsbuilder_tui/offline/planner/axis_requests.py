"""Requests for axes, what cases vary along: “add an axis difficulty: easy, medium, hard”, “remove the tone axis”."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import singular, slug, words_of
from dsbuilder_tui.offline.planner.plan_arguments import planning_act
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import Utterance

_AXIS = r"(?:axis|axes|attribute|dimension|variable)"
_NAME = r"(?P<name>[a-z][\w-]*(?: [a-z][\w-]*){0,2}?)"
_VALUES = r"(?P<values>[^.;:!?()\n]{1,300}?)"
_LEAD = r"(?:^|(?<=[.;,!\n])) ?(?:(?:and|also|please|then|can you|could you|let'?s|i want to|i'd like to|with) ){0,3}"
_END = (
    r"(?=\s*(?:[.;!?\n]|$|,? (?:and|then) "
    r"(?:make|set|add|remove|drop|rename|double|halve|swap|merge|combine|split|move|start|run|write|use|let|vary)\b))"
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


class AxisChange(Enum):
    """What becomes of an axis, or of its values."""

    SET = auto()
    DROP = auto()
    ADD_VALUES = auto()
    DROP_VALUES = auto()


@dataclass(frozen=True, slots=True)
class AxisWish:
    """A change of the axis of that name; ``values`` are those that it is to have, to get, or to lose."""

    change: AxisChange
    name: str
    values: tuple[str, ...] = ()


def axes_in(heard: Utterance, situation: PlanningContext) -> tuple[Utterance, tuple[AxisWish, ...]]:
    """What was said without its requests for axes, and the requests. Values join or leave an axis that is there alone."""
    said, wishes = heard.said, []
    known = {key: name for name in {**_axes(situation, {}), **situation.axes} for key in (_key(name), _key(f"{name}s"))}
    while found := _VALUE.search(said):
        name = known.get(_key(found["name"]))
        if name is None:
            break
        change = AxisChange.ADD_VALUES if found["verb"].lower() == "add" else AxisChange.DROP_VALUES
        wishes.append(AxisWish(change, name, _values(found["values"])))
        said = _without(said, found)
    for pattern in _TAKEN:
        if found := pattern.search(said):
            wishes.append(AxisWish(AxisChange.DROP, known.get(_key(found["name"]), slug(found["name"]))))
            said = _without(said, found)
    for pattern in _GIVEN:
        if (found := pattern.search(said)) and len(values := _values(found["values"])) > 1:
            wishes.append(AxisWish(AxisChange.SET, known.get(_key(found["name"]), slug(found["name"])), values))
            said = _without(said, found)
    if not wishes and (whole := _of_values(said, situation)) is not None:
        said, wishes = "", [whole]
    return (replace(heard, said=said.strip()), tuple(wishes)) if wishes else (heard, ())


def _of_values(said: str, situation: PlanningContext) -> AxisWish | None:
    """“No angry ones”, “only angry and polite”, “tone: angry”: all of a message that is about values of one axis."""
    if situation.base is None:
        return None
    axes = {**situation.axes, **_axes(situation, {})}  # a category's own is none that all share
    mentions = PlanMentions([category.name for category in situation.base.categories], axes)
    table, text = intent_table(), said.strip(" .!?")
    for phrase, change in (("values_left_out", AxisChange.DROP_VALUES), ("values_only", AxisChange.SET)):
        found = table.phrase(phrase).fullmatch(text)
        if found is None:
            continue
        groups = found.groupdict()
        parts = [part for part in _BETWEEN.split(groups.get("values") or groups.get("of") or "") if part]
        named = [mentions.value(part) for part in parts]
        axis = named[0][0] if named and named[0] else ""
        named_axis = groups.get("axis")
        if named_axis and _key(named_axis) not in (_key(axis), _key(f"{axis}s")):
            continue
        if axis and all(pair is not None and pair[0] == axis for pair in named):
            return AxisWish(change, axis, tuple(dict.fromkeys(pair[1] for pair in named if pair)))
    return None


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
    there, called = axes.get(wish.name), words_of(wish.name)
    if wish.change is AxisChange.SET:
        axes[wish.name] = wish.values
        return ""
    if there is None:
        return f"There is no axis called {called}; there are {', '.join(words_of(name) for name in axes)}."
    if wish.change is AxisChange.ADD_VALUES:
        axes[wish.name] = tuple(dict.fromkeys((*there, *wish.values)))
        return ""
    if wish.change is AxisChange.DROP:
        if len(axes) == 1:
            return "That would leave nothing to vary along; name another axis first."
        del axes[wish.name]
        return ""
    gone = {value.casefold() for value in wish.values}
    left = tuple(value for value in there if value.casefold() not in gone)
    if len(left) == len(there):
        return f"{called} has no such value; it has {', '.join(there)}."
    if not left:
        return f"That would leave {called} without a value; “remove the {called} axis” takes it away."
    axes[wish.name] = left
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
