"""Requests about how alike cases may be: thresholds, stages, candidates a slot; and what is said about pairs to be kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dsbuilder_tui.domain.diversity import STAGES
from dsbuilder_tui.offline.planner.counts import whole
from dsbuilder_tui.offline.planner.planning_context import Act, PlanningContext
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

_WHERE = r"(?: (?:for|in|on|of) (?:the )?(?:category )?(?P<what>.+))?"
_EVERYWHERE = re.compile(
    r"(?:all|everything|every category|all (?:the )?categories|the (?:dataset|session))", re.IGNORECASE
)
_THRESHOLD = re.compile(
    r"(?:(?:set|change|move|put|raise|lower|increase|decrease|use|make) )?(?:the |a )?(?P<stage>near|semantic)"
    r"(?:[ -](?:duplicate|similarity))?[ _]threshold(?: (?:of|to|is|at|be|down|up))*[ =:]*"
    rf"(?P<n>\d*[.,]\d+|[01]|\d{{1,3}}%){_WHERE}",
    re.IGNORECASE,
)
_KIND = r"(?P<{0}>structural|near|semantic)(?: (?:stage|check|comparison|duplicates?|repeats?))?(?: stage| check)?"
_SWITCH = re.compile(
    rf"(?:(?:turn|switch) (?:back )?(?P<a>on|off) (?:the )?{_KIND.format('s1')}|(?:turn|switch) (?:the )?"
    rf"{_KIND.format('s2')} (?:back )?(?P<b>on|off)|(?P<c>disable|enable|deactivate|activate|skip|drop) (?:the )?"
    rf"{_KIND.format('s3')}){_WHERE}",
    re.IGNORECASE,
)
_CANDIDATES = re.compile(
    r"(?:(?:use|ask for|write|set|take|have|make) )?(?P<n>\d+) candidates? (?:per|for each|for every|a|each) (?:slot|case)"
    r"|(?:set |change )?(?:the )?candidates[ _]per[ _](?:slot|case)(?: (?:to|at|is|of))*[ =:]*(?P<m>\d+)",
    re.IGNORECASE,
)
_EMBEDDING = re.compile(
    rf"(?:set|use|change|switch to|take)(?: the)? embeddings?(?: model)?(?: (?:to|called|named))* (?P<a>{MASK}|static)"
    rf"|(?:use|take|switch to) (?P<b>{MASK}|static) (?:for|as)(?: the)? embeddings?(?: model)?",
    re.IGNORECASE,
)
_PAIRS = re.compile(
    r"\b(?:different on purpose|keep (?:such|these|those|both|pairs)|both should stay)\b", re.IGNORECASE
)
_FEWER = re.compile(
    r"(?:ok(?:ay)?[, ]+|yes[, ]+|please )?(?:do that|lower (?:it|that|them|the counts?)|"
    r"(?:take |use |settle for |with |make it )?"
    r"fewer(?: cases)?|reduce (?:it|them|the counts?)|(?:take |do |use )?(?:the )?(?:third|last)(?: (?:one|option))?|"
    r"(?:take |do )?option 3|settle for (?:that|less|what (?:we|you|it) ha(?:ve|s)|what is there))(?: please)?",
    re.IGNORECASE,
)


def likeness_order(
    text: str, heard: Utterance, category_of: Callable[[str], str | None], stages: Mapping[str, tuple[str, ...]]
) -> Act | str | None:
    """The act that a clause asks for, or words when something does not fit. ``category_of`` knows what the person calls a
    category; ``stages`` are those that compare now, by category, and under the empty name those of the session.
    """
    found = _THRESHOLD.fullmatch(text)
    if found:
        number = _share(found["n"])
        if number is None:
            return "A threshold lies between 0 and 1, for instance 0.92."
        return _placed({f"{found['stage'].lower()}_threshold": number}, found["what"], category_of)
    if found := _SWITCH.fullmatch(text):
        stage = (found["s1"] or found["s2"] or found["s3"]).lower()
        on = (found["a"] or found["b"] or found["c"]).lower() in ("on", "enable", "activate")
        name = _place(found["what"], category_of)
        if found["what"] and name is None:
            return _unknown(found["what"])
        now = stages.get(name or "", stages.get("", STAGES))
        wanted = [one for one in STAGES if (on if one == stage else one in now)]
        if wanted == list(now):
            return f"The {stage} stage is {'on' if on else 'off'} already."
        return _placed({"diversity_stages": wanted}, found["what"], category_of)
    if found := _CANDIDATES.fullmatch(text):
        return Act("adjust_category", {"candidates_per_slot": max(1, min(10, whole(found["n"] or found["m"])))})
    if found := _EMBEDDING.fullmatch(text):
        return Act("adjust_category", {"embedding_model": heard.full(found["a"] or found["b"]).strip("\"'“”`")})
    return None


def about_pairs(said: str) -> str:
    """What can be done for cases that are alike on purpose; empty when nothing of the kind is said."""
    if not _PAIRS.search(said):
        return ""
    stage = next(
        (one for one in ("semantic", "near", "structural") if re.search(rf"\b{one}\b", said, re.IGNORECASE)), ""
    )
    kept = "On the rejected screen (F5) k keeps that one."
    if stage == "structural":
        return f"{kept} For all pairs like it: “turn off the structural stage in …” with the category's name."
    number = {"near": "0.80", "semantic": "0.96"}.get(stage, "0.96")
    return (
        f"{kept} For all pairs like it, from which likeness on is a case a repeat? For instance “set the "
        f"{stage or 'semantic'} threshold to {number} in …” with the category's name; t on that screen shows what it changes."
    )


def fewer(said: str, situation: PlanningContext) -> Act | None:
    """“Lower it”, after slots were given up: the counts that the categories can reach."""
    if situation.plan is None or not _FEWER.fullmatch(said.strip(" .!,")):
        return None
    planned = {c.name: c.count for c in situation.plan.categories}
    counts = {
        name: planned[name] - many for name, many in situation.given_up.items() if 0 < many < planned.get(name, 0)
    }
    return Act("revise_plan", {"counts": counts}) if counts else None


def _share(text: str) -> float | None:
    number = float(text.rstrip("%").replace(",", ".")) / (100 if text.endswith("%") else 1)
    return number if 0 < number <= 1 else None


def _place(what: str | None, category_of: Callable[[str], str | None]) -> str | None:
    return category_of(what) if what and not _EVERYWHERE.fullmatch(what) else None


def _placed(values: dict[str, Any], what: str | None, category_of: Callable[[str], str | None]) -> Act | str:
    if not what or _EVERYWHERE.fullmatch(what):
        return Act("adjust_category", values)
    name = category_of(what)
    return _unknown(what) if name is None else Act("adjust_category", {"category": name, **values})


def _unknown(what: str) -> str:
    return f"There is no category called {what[:60]}."
