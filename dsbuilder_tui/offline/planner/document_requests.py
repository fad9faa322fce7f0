"""Requests to write from documents: “use the policies in ./docs”, “based on handbook.pdf”."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.plan_arguments import PLANNING_TOOLS, as_arguments
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

_TABLE = intent_table()
_LEAD = (
    r"(?:[,;]\s*)?(?:\b(?:and|please|then) ){0,2}\b(?:us(?:e|ing)|tak(?:e|ing)|read(?:ing)?|written|"
    r"write (?:them|it|the cases)|based|ground(?:ed)?|with|from|out of|according to)(?: (?:on|in|from|with|out of))?"
)
_NAMED = re.compile(
    rf"(?:{_LEAD}|(?:, )?\band) (?:(?:only|just|all|the|our|my|its|these|their|what) ){{0,3}}(?:[\w'-]+ ){{0,3}}?"
    r"(?:docs?|documents?|documentation|polic(?:y|ies)|handbooks?|manuals?|faqs?|guides?|guidelines|knowledge base|articles?|"
    rf"pages?|files?|terms|sources?)(?: (?:that (?:are|is|lie) )?(?:in|at|from|under|of|as))?:? ({MASK})"
    r"(?: (?:as|for) (?:a )?sources?)?",
    re.IGNORECASE,
)
_BARE = re.compile(rf"{_LEAD} ({MASK})(?: (?:as|for) (?:a )?sources?)?", re.IGNORECASE)
_ENDINGS = frozenset({".md", ".markdown", ".txt", ".rst", ".html", ".htm", ".pdf", ".docx"})
_TARGET = re.compile(r"prompt|system|readme", re.IGNORECASE)  # that says what the application is
_SITUATION = "situation"
_AS_SOURCE = re.compile(r"\b(?:as|for) (?:a )?sources?$", re.IGNORECASE)


def documents_in(heard: Utterance) -> tuple[Utterance, tuple[str, ...]]:
    """What was said without its request to write from documents, and their paths."""
    paths: list[str] = []

    def take(found: re.Match[str]) -> str:
        path = heard.piece(found[1])
        name = PurePath(path).name
        is_document = PurePath(path).suffix.lower() in _ENDINGS and not _TARGET.search(name)
        if found.re is _BARE and not is_document and not _AS_SOURCE.search(found[0]):
            return found[0]
        if "/" not in path and "\\" not in path and not is_document:
            return found[0]  # a quotation, or the name of a model
        paths.append(path)
        return " "

    said = _BARE.sub(take, _NAMED.sub(take, heard.said))
    return (replace(heard, said=said), tuple(dict.fromkeys(paths))) if paths else (heard, ())


def _without_situations(act: Act) -> dict[str, Any]:
    """The arguments without the axis that the planner adds by itself: what stands in documents is asked for plainly."""
    axes = act.arguments.get("attributes")
    if act.tool != "propose_plan" or not axes:
        return act.arguments
    return {**act.arguments, "attributes": {axis: values for axis, values in axes.items() if axis != _SITUATION}}


def written_from(reading: Interpretation, paths: tuple[str, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, for cases that are written from these documents."""
    if not paths:
        return reading
    sources = {"sources": list(paths)}
    acts = tuple(
        replace(act, arguments={**_without_situations(act), **sources}) if act.tool in PLANNING_TOOLS else act
        for act in reading.acts
    )
    if acts != reading.acts:
        return replace(reading, acts=acts)
    if situation.base is None:
        return reading if reading.asks else Interpretation(words=_TABLE.reply("how_many"), asks=True)
    change = Act("revise_plan", sources)
    if situation.plan is None:  # it waits for its yes: it is put before the person anew
        change = Act("propose_plan", {**as_arguments(situation.base), **sources})
    return Interpretation((change, *acts), reading.words if acts else "")
