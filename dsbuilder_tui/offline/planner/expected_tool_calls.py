"""Which tools of the evaluated application a right answer calls, and in which order, as far as names and words tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dsbuilder_tui.offline.planner.naming import singular
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation
from dsbuilder_tui.offline.planner.utterance import Utterance

# Words that say nothing of what a tool is about.
_VERBS = frozenset(
    "get set look lookup find search fetch list start create make open do run check tool call info new by".split()
)


_TOOL = r"(?:[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*)"
_SEVERAL = re.compile(
    rf"(?P<who>[^.;,!?\n]{{1,80}}?) (?P<verb>should|must) (?:first |always )?(?:call|use) (?P<tools>{_TOOL}"
    rf"(?:(?:,? and then|,? then|,? and|,) {_TOOL})+)"
)


def one_tool_a_clause(heard: Utterance) -> Utterance:
    """“Refunds should call lookup_order, then start_refund” as two wishes: the calls are made in the order of the words."""

    def parted(found: re.Match[str]) -> str:
        return ". ".join(f"{found['who']} {found['verb']} call {tool}" for tool in re.findall(_TOOL, found["tools"]))

    return replace(heard, said=_SEVERAL.sub(parted, heard.said))


def with_expected_tools(reading: Interpretation, tools: Sequence[str]) -> Interpretation:
    """The reading with ``expected_tools`` for those of its categories that a tool's name fits, and words about it."""
    if not tools:
        return reading
    found: list[str] = []
    acts = tuple(_fitted(act, tools, found) for act in reading.acts)
    if not found:
        return reading
    words = f"{reading.words} Expected tool calls: {', '.join(dict.fromkeys(found))}.".strip()
    return replace(reading, acts=acts, words=words)


def _fitted(act: Act, tools: Sequence[str], found: list[str]) -> Act:
    key = {"propose_plan": "categories", "revise_plan": "add"}.get(act.tool)
    categories = act.arguments.get(key) if key else None
    if not categories:
        return act
    fitted: list[Mapping[str, Any]] = []
    for category in categories:
        about = _words(str(category["name"]))
        tool = max(tools, key=lambda name: (len(about & _words(name)), -len(name)))
        if category.get("expected_tools") or not about & _words(tool):
            fitted.append(category)
            continue
        found.append(tool)
        fitted.append({**category, "expected_tools": [tool]})
    return Act(act.tool, {**act.arguments, str(key): fitted})


def _words(name: str) -> set[str]:
    """``startRefund`` and ``start_refunds`` are both about a refund."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).replace("_", " ").replace("-", " ").casefold().split()
    return {singular(part) for part in parts} - _VERBS
