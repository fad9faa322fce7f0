"""Wishes about single accepted cases, which a person changes by hand: “delete case 12”, “more like 12”, “edit the last one”."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.data_question import DataOrder, DataSubject
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext

_LAST = re.compile(r"(?:the |my )?(?:last|latest|newest)(?: (?:one|case))?", re.IGNORECASE)
_THIS = re.compile(r"(?:it|this|that|these|those|them|this one|that one|(?:this|that) case)", re.IGNORECASE)


def about_single_case(said: str, situation: PlanningContext) -> Interpretation | None:
    """The case that is meant, and how it is changed by hand; None for what is about none. Nothing is changed by it."""
    table = intent_table()
    mentions = PlanMentions([c.name for c in situation.base.categories] if situation.base else [], situation.axes)
    text = table.phrase("courtesy_at_the_end").sub("", table.phrase("polite").sub("", said.strip(" .!?,"))).strip()
    if situation.base is None:
        found = table.phrase("case_act").fullmatch(text)
        named = found is not None and _shown(found["what"] or found["noted"], mentions, bare=False)
        return Interpretation(words=table.reply("no_plan")) if named else None
    if (found := table.phrase("case_like").fullmatch(text)) is not None:
        what = found["case"] or found["vary"] or found["less"]
        shown = _shown(what, mentions)
        words = table.reply("case_less_like" if found["less"] else "case_more_like")
        return Interpretation(shown, words) if shown or _THIS.fullmatch(what.strip()) else None
    if (found := table.phrase("case_act").fullmatch(text)) is not None:
        what = found["what"] or found["noted"]
        if shown := _shown(what, mentions, bare=not found["loose"]):
            return Interpretation(shown, table.reply("case_by_hand"))
    if (found := table.phrase("cases_dropped").fullmatch(text)) is not None and mentions.value(found["what"]):
        axis, value = mentions.value(found["what"]) or ("", "")
        return Interpretation(words=table.reply("cases_by_hand", value=value, axis=axis))
    return None


def _shown(what: str, mentions: PlanMentions, *, bare: bool = True) -> tuple[Act, ...]:
    """What shows the case that is named; without ``bare`` a number alone, or behind a category, is how many there are to be."""
    if _LAST.fullmatch(what.strip()):
        return (Act("ask_data", {"what": DataSubject.CASES.value, "order": DataOrder.NEWEST.value, "limit": 1}),)
    case = None if what.strip().isdigit() and not bare else mentions.case(what, bare=bare)
    return () if case is None else (Act("ask_data", {"what": DataSubject.CASE.value, "case": case}),)
