"""Requests for templates: “use templates for the refunds”, “the cheap way”, “write each of the refunds”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsbuilder_tui.domain.plan_patch import CategoryChange, PlanPatch
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug, words_of
from dsbuilder_tui.offline.planner.plan_arguments import PLANNING_TOOLS, as_arguments
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import Utterance

_TABLE = intent_table()
_LEAD = (
    r"(?:[,;]\s*+)?(?:\b(?:and|please|then|but|now|can you|could you|let'?s|i(?:'d| would)? (?:want|like)(?: you)? to) ){0,4}"
    r"(?:\b(?:do|make|write|build|generate|create|have|get|made|written|keep) )?"
    r"(?:(?:it|them|this|that|these|those|everything|all of (?:it|them)|the cases|the dataset) )?(?:written |made |done )?\b"
)
_FOR = r"(?: (?:for|of|in|on) (?P<what>(?:[^,.;:!?\n]|(?<=\d),(?=\d)){1,200}+))?"
_CHEAP = r"(?:in |by )?(?:the|a) cheap(?:er|est)? way"
_EACH_WAYS = (
    r"(?:no|without|don'?t use|do not use|stop using|instead of|not from) (?:any )?templates\b",
    r"(?:write )?(?:each|every)(?: single)?(?: case| one| of them)? (?:separately|by itself|on its own|anew)",
)
_TEMPLATE_WAYS = (
    r"(?:us(?:e|ing)|tak(?:e|ing)|from|out of|by|via|through|mode:?|work(?:ing)? (?:with|from)) (?:the |a few |some )?templates"
    r"(?: mode)?\b",
    rf"(?:{_CHEAP}|as cheap(?:ly)? as possible|cheaply|on the cheap)\b",
)
_WAYS = [
    (mode, re.compile(f"{_LEAD}{way}{_FOR}", re.IGNORECASE))
    for mode, ways in ((WritingMode.EACH, _EACH_WAYS), (WritingMode.TEMPLATES, _TEMPLATE_WAYS))
    for way in ways
]
# What is made of templates, named before the word: "make the refunds from templates".
_NAMED_BEFORE = re.compile(
    r"(?:\b(?:and|please|then|can you|could you) ){0,3}\b(?:make|write|build|generate|create|do) (?:the |all )?"
    rf"(?P<what>[^,.;:!?\n]{{1,80}}?) (?:(?:from|out of|by|with|using) templates|{_CHEAP}|(?<!\bas )cheaply)\b",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r"(?:it|them|this|that|all(?: of (?:it|them))?|everything|(?:the |all )?(?:cases|categories|dataset|rest))", re.I
)


@dataclass(frozen=True, slots=True)
class ModeWish:
    """How cases are to be written; ``what`` is what was said of which, empty for all."""

    mode: WritingMode
    what: str = ""


def templates_in(heard: Utterance) -> tuple[Utterance, tuple[ModeWish, ...]]:
    """What was said without its request for templates, and the request."""
    wishes: list[ModeWish] = []
    said = heard.said

    def take(found: re.Match[str], mode: WritingMode) -> str:
        what = found["what"] or ""
        wishes.append(ModeWish(mode, "" if _EVERYTHING.fullmatch(what.strip()) else what))
        return " "

    found = _NAMED_BEFORE.search(said)
    if found and not re.search(r"\d", found["what"]) and len(found["what"].split()) <= 6:
        said = f"{said[: found.start()]} {take(found, WritingMode.TEMPLATES)} {said[found.end() :]}"
    for mode, pattern in _WAYS:
        said = pattern.sub(lambda match, mode=mode: take(match, mode), said)  # type: ignore[misc]
    return (replace(heard, said=said), tuple(wishes)) if wishes else (heard, ())


def made_so(reading: Interpretation, wishes: tuple[ModeWish, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, with the categories written as was wished."""
    if not wishes:
        return reading
    planned = [act for act in reading.acts if act.tool in PLANNING_TOOLS]
    proposals = [act for act in planned if act.tool == "propose_plan"]
    if proposals:
        arguments = proposals[0].arguments
        names = [str(category["name"]) for category in arguments["categories"]]
        modes, unknown = _modes(wishes, names)
        categories = [{**category, **_said(modes.get(str(category["name"])))} for category in arguments["categories"]]
        acts = tuple(
            replace(act, arguments={**act.arguments, "categories": categories}) if act is proposals[0] else act
            for act in reading.acts
        )
        return replace(reading, acts=acts, words=f"{reading.words} {unknown}".strip())
    if situation.base is None:
        return reading if reading.asks or reading.acts else Interpretation(words=_TABLE.reply("how_many"), asks=True)
    modes, unknown = _modes(wishes, [category.name for category in situation.base.categories])
    if not modes:
        return replace(reading, words=f"{reading.words} {unknown}".strip())
    if situation.plan is None:  # it waits for its yes: it is put before the person anew
        arguments = as_arguments(situation.base)
        arguments["categories"] = [
            {**category, **_said(modes.get(category["name"]))} for category in arguments["categories"]
        ]
        return Interpretation((Act("propose_plan", arguments), *reading.acts), unknown)
    changes = PlanPatch(change=[CategoryChange(category=name, mode=mode) for name, mode in modes.items()]).arguments()
    if planned:
        merged = {**planned[0].arguments, "change": [*planned[0].arguments.get("change", ()), *changes["change"]]}
        acts = tuple(replace(act, arguments=merged) if act is planned[0] else act for act in reading.acts)
        return replace(reading, acts=acts, words=f"{reading.words} {unknown}".strip())
    return Interpretation((Act("revise_plan", changes), *reading.acts), unknown)


def _modes(wishes: Sequence[ModeWish], names: Sequence[str]) -> tuple[dict[str, WritingMode], str]:
    """The mode of each category that was named, or of all; and words for what there is not."""
    modes: dict[str, WritingMode] = {}
    unknown = ""
    for wish in wishes:
        bare = bare_phrase(wish.what)
        named = [name for name in names if re.search(forms(name), wish.what, re.IGNORECASE) or slug(bare) == name]
        if wish.what and not named:
            unknown = f"There is no category called {words_of(bare)}; there are {', '.join(names[:20])}."
        modes |= dict.fromkeys(named if wish.what else names, wish.mode)
    return modes, unknown


def _said(mode: WritingMode | None) -> dict[str, Any]:
    return {} if mode is None else {"mode": mode.value}
