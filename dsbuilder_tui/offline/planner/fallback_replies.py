"""Replies of the planner when there is nothing to call."""

from __future__ import annotations

from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.planning_context import PlanningContext


def not_understood(heard: str = "") -> str:
    """What the planner can do, in three lines; that it did not understand, when something was said."""
    table = intent_table()
    return (f"{table.reply('not_understood')}\n" if heard else "") + table.reply("help")


def small_words(text: str, situation: PlanningContext) -> str | None:
    """The answer to a greeting, thanks, a call for help, or a no with nothing to refuse."""
    table = intent_table()
    text = text.strip(" .!,?…") if text.strip() != "?" else "?"
    name = next((n for n in ("help", "greeting", "thanks", "refusal") if table.phrase(n).fullmatch(text)), None)
    if name == "greeting" and (base := situation.base) is not None:
        return table.reply("greeting_planned", dataset=base.dataset_name, cases=base.total_instances)
    return table.reply(name) if name else None


def says_yes(text: str) -> bool:
    """Whether a text is a yes and nothing else."""
    return bool(intent_table().phrase("agreement").fullmatch(text.strip(" .!,")))
