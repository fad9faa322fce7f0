"""Requests for pairs: “10 % contrast pairs for refunds”, “add paraphrase partners”, “no contrast pairs”."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dsbuilder_tui.domain.case_pair import MOST_PARTNERS, PAIR_NAMES, PairKind
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import forms
from dsbuilder_tui.offline.planner.plan_arguments import planning_act
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import Utterance

_TABLE = intent_table()
_USUAL = 0.1
_KINDS = r"(?P<kind>contrast(?:ing|ive)?|minimal|counterfactual|paraphras(?:es?|ed|ing)|re-?word(?:ed|ing))"
_TWO = r"[ -](?:pairs?|partners?|twins?)"
_NOUN = rf"{_KINDS}{_TWO}(?: (?:cases?|each))?"
_PER_CENT = r"(\d+(?:[.,]\d+)?) ?(?:%|per ?cent)"
_LEAD = (
    r"(?:[,;]\s*)?(?:\b(?:and|with|add(?:ing)?|includ(?:e|ing)|plus|also|please|have|use|make|want|i want|i'd like|give me|some|"
    r"write|then|now|set|change|raise|lower|put|the|its|a few|of|them|about|around) )*"
)
_NEXT = (
    r"(?:\d|add|includ|with|use|make|have|set|change|put|no|without|remove|drop|then|also|please|some|write|contrast|para|"
    r"re-?word)"
)
_END = rf"(?= *(?:$|[,;.!?\n]|\b(?:please|but|then|plus|with)\b|\band {_NEXT}))"
_WHERE = (
    r"(?: (?:everywhere|throughout|overall)| (?:for|in|to|of|on|among|across|from) (?:the |my |our |each of the )?"
    r"(?P<what>(?!\d)[^,;.!?\n]{1,80}?))?"
)
# The longest first: each takes away what it has understood.
_REQUESTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_LEAD}\b(?P<none>no|without(?: any)?|remove|drop|delete|take out)(?: (?:the|all|any))* {_NOUN}{_WHERE}{_END}",
        rf"{_LEAD}(?P<share>{_PER_CENT}) of (?:the |all )?(?P<what>[^,;.!?\n]{{1,60}}?) "
        rf"(?:(?:as|be|into|to be|are|should be) )?{_NOUN}{_END}",
        rf"{_LEAD}{_NOUN}{_WHERE}(?: ?(?:to|at|=|:) ?(?P<share>{_PER_CENT})){_END}",
        rf"{_LEAD}(?:(?P<share>{_PER_CENT})|(?P<number>\d+))(?: of)? (?:of |are |as )?{_NOUN}{_WHERE}{_END}",
        rf"{_LEAD}(?P<share>{_PER_CENT}) {_KINDS}(?: cases)?{_WHERE}{_END}",
        rf"{_LEAD}\b{_NOUN}{_WHERE}{_END}",
    )
)
_ALL = re.compile(
    r"(?:all|every|each|everything|them|it|both|the (?:whole )?(?:plan|dataset)|cases?|categor(?:y|ies)|questions?| )+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PairWish:
    """What was asked for: a share, or so many partners, in a category as it was called (empty: all)."""

    relation: PairKind
    share: float
    number: int
    what: str


def pairs_in(heard: Utterance) -> tuple[Utterance, tuple[PairWish, ...]]:
    """What was said without its requests for pairs, and these."""
    wishes: list[tuple[int, PairWish]] = []

    def take(found: re.Match[str]) -> str:
        parts = found.groupdict()
        kind = PairKind.SAME if re.match(r"para|re", parts["kind"], re.IGNORECASE) else PairKind.CONTRAST
        share = float(re.sub(r"[^\d.]", "", parts.get("share") or "").strip(".") or 100 * _USUAL) / 100
        wish = PairWish(
            kind, 0.0 if parts.get("none") else share, int(parts.get("number") or 0), parts.get("what") or ""
        )
        wishes.append((found.start(), wish))
        return " " * len(found.group())  # in its place, so that those found later are told in order

    said = heard.said
    for pattern in _REQUESTS:
        said = pattern.sub(take, said)
    if not wishes:
        return heard, ()
    said = re.sub(r" {2,}", " ", re.sub(r"[ ,;]+(?=[.!?]|$)", "", said)).strip()
    return replace(heard, said=said), tuple(wish for _, wish in sorted(wishes, key=lambda one: one[0]))


def with_pairs(reading: Interpretation, wishes: tuple[PairWish, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, and the pairs that were asked for with it."""
    if not wishes:
        return reading
    planning, base = planning_act(reading, situation), situation.base
    if planning is None:
        return reading if reading.asks else Interpretation(words=_TABLE.reply("how_many"), asks=True)
    is_new = planning.tool == "propose_plan"
    counts = {} if is_new or base is None else {c.name: c.count for c in base.categories}
    drafts = planning.arguments.get("categories" if is_new else "add", [])
    counts |= {draft["name"]: draft["count"] for draft in drafts} | planning.arguments.get("counts", {})
    shares: dict[str, dict[str, float]] = {}
    for wish in wishes:
        names = _named(wish.what, counts)
        if not names:
            return Interpretation(words=f"There is no category called {wish.what}; there are {', '.join(counts)}.")
        for name in names:
            share = math.ceil(wish.number * 10_000 / counts[name]) / 10_000 if wish.number else wish.share
            if share > MOST_PARTNERS:
                words = (
                    f"At most half of {name} can be {PAIR_NAMES[wish.relation]}s, {counts[name] // 2} of {counts[name]}: each "
                    "partner has a case of its own."
                )
                return Interpretation(words=words)
            shares.setdefault(name, {})[wish.relation.value] = share
    changed = replace(planning, arguments=_with_shares(planning.arguments, shares, drafts, is_new=is_new))
    acts = [changed if act == planning else act for act in reading.acts]
    if changed not in acts:
        return Interpretation((changed, *acts), reading.words if acts else "")
    return replace(reading, acts=tuple(acts))


def _named(what: str, counts: Mapping[str, int]) -> list[str]:
    """The categories that are meant; all when none is named."""
    what = what.strip()
    if not what or _ALL.fullmatch(what):
        return list(counts)
    return [name for name in counts if re.search(forms(name), what, re.IGNORECASE)]


def _with_shares(
    arguments: Mapping[str, Any],
    shares: Mapping[str, Mapping[str, float]],
    drafts: Iterable[Mapping[str, Any]],
    *,
    is_new: bool,
) -> dict[str, Any]:
    """The arguments of a proposal, or of a change of a plan, with the shares of some categories."""
    new = [{**draft, **shares.get(draft["name"], {})} for draft in drafts]
    if is_new:
        return {**arguments, "categories": new}
    added = {draft["name"] for draft in new}
    known = {change["category"]: change for change in arguments.get("change", [])}
    known |= {
        name: {**known.get(name, {"category": name}), **share} for name, share in shares.items() if name not in added
    }
    parts = {"add": new, "change": list(known.values())}
    return {**arguments, **{part: value for part, value in parts.items() if value}}
