"""Requests for more cases from one place of a document, as the coverage screen drafts them."""

from __future__ import annotations

import re
from typing import Any

from dsbuilder_tui.domain.passage import HEADINGS_BETWEEN
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.source_paths import split_place
from dsbuilder_tui.offline.planner.clauses import without_courtesy
from dsbuilder_tui.offline.planner.counts import MOST_CASES, whole
from dsbuilder_tui.offline.planner.naming import slug, unused
from dsbuilder_tui.offline.planner.plan_arguments import as_arguments
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

# “Write 20 more `refunds` cases from `docs/refunds.md#Late parcels`”
_ASKED = re.compile(
    rf"(?:(?:write|add|make|generate|create|give me|i want) )?(\d+) (?:more |other |new |further |extra )?"
    rf"(?:(?:of )?(?:the )?({MASK}|[\w -]{{1,60}}?) )?(?:cases?|ones)(?: written| made)? (?:from|about|on|out of) "
    rf"(?:the (?:passage|section) )?({MASK})((?<!\s)#[^#]{{1,200}})?",
    re.IGNORECASE,
)
_LONGEST_ENDING = 30  # characters of a heading that a category's name takes up


def more_from_place(heard: Utterance, plan: DatasetPlanInput | None) -> tuple[dict[str, Any], str] | None:
    """The plan with so many more cases from one place of a document, and what to say when it cannot be.

    They are a category of their own, which does as the one that is named, or else the first that is written from that
    document. None when that is not what is asked for.
    """
    found = _ASKED.fullmatch(without_courtesy(heard.said))
    if found is None or plan is None:
        return None
    source = heard.piece(found[3]) + heard.full(found[4] or "").rstrip()
    path, place = split_place(source)
    number = whole(found[1])
    if not place or not number:
        return None
    if number > MOST_CASES:
        return as_arguments(plan), f"{number:,} cases are more than I plan at once; the most is {MOST_CASES:,}."
    arguments = as_arguments(plan)
    categories: list[dict[str, Any]] = arguments["categories"]
    for category in categories:
        if category.get("sources") == [source]:
            category["count"] += number
            return arguments, ""
    wanted = slug(heard.full(found[2] or ""))
    like = next((one for one in categories if slug(one["name"]) == wanted), None)
    if like is None:
        names = [one.name for one in plan.categories if any(_holds(given, path) for given in plan.sources_of(one))]
        like = next(one for one in categories if not names or one["name"] == names[0])
    heading = place.split(HEADINGS_BETWEEN)[-1]
    name = unused(f"{like['name']}_{slug(heading)[:_LONGEST_ENDING].strip('_')}", [one["name"] for one in categories])
    categories.append({**like, "name": name, "count": number, "sources": [source]})
    return arguments, ""


def _holds(source: str, path: str) -> bool:
    """Whether a document is a source, or lies in one."""
    return source == path or path.startswith(source.rstrip("/") + "/")
