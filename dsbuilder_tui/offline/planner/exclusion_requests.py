"""Requests for what cases must not say: “no more about shipping”, “don't mention discounts”."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import bare_phrase, singular
from dsbuilder_tui.offline.planner.plan_arguments import planning_act
from dsbuilder_tui.offline.planner.plan_mentions import PlanMentions
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import Utterance

_RULE, _MUST_NOT = "patterns", "must_not"
_LONGEST = 60  # characters of what is left out


def exclusions_in(heard: Utterance, situation: PlanningContext) -> tuple[Utterance, tuple[str, ...]]:
    """What was said without its requests to leave a subject out, and the subjects: words that name no category and no value."""
    base = situation.base
    if base is None:
        return heard, ()
    mentions = PlanMentions([c.name for c in base.categories], situation.axes)
    found = intent_table().phrase("excluded").fullmatch(heard.said.strip(" .!"))
    if found is None:
        return heard, ()
    words = bare_phrase(heard.full(found["what"] or found["what2"]))
    named = mentions.find(words)
    if not words or len(words) > _LONGEST or named.category or named.values:
        return heard, ()
    return replace(heard, said=""), (words,)


def without_subjects(reading: Interpretation, words: tuple[str, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, with a rule in the plan that turns away what says these words."""
    act = planning_act(reading, situation) if words else None
    if act is None or situation.base is None:
        return reading
    shared = situation.base.model_dump(mode="json")["validators"] if situation.base.validators else []
    rules: list[Any] = [one for one in shared if not (isinstance(one, dict) and _RULE in one)]
    known: dict[str, Any] = next((one[_RULE] for one in shared if isinstance(one, dict) and _RULE in one), {})
    patterns = [rf"\b{re.escape(singular(one.lower()))}" for one in words]
    must_not = list(dict.fromkeys((*known.get(_MUST_NOT, ()), *patterns)))
    rules.append({_RULE: {**known, _MUST_NOT: must_not}})
    changed = replace(act, arguments={**act.arguments, "validators": rules})
    told = intent_table().reply("excluded", words=words[0])
    return replace(reading, acts=(*(one for one in reading.acts if one.tool != act.tool), changed), words=told)
