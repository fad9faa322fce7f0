"""Replies of the planner to a tool's answer, and what comes next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.topics import Topics
from dsbuilder_tui.offline.planner.understand import understand

NOTE_MARK = "[dsbuilder]"
_PLANS = ("propose_plan", "revise_plan", "extend_dataset", "write_where_it_fails")
# What a tool says of itself stands in its own line already; this is what the planner has to add.
_AFTER = {
    "start_generation": "I will speak up when it is done, or when something needs you.",
    "resume_generation": "It goes on; I will speak up when it is done, or when something needs you.",
    "retry_exhausted": "“Status” says where it stands, F5 why candidates are turned away.",
    "pause_generation": "Say “resume” and it goes on exactly there.",
    "save_checkpoint": "It is in the timeline (F4).",
    "log_to_mlflow": "/mlflow shows how far it is.",
    "adjust_category": "That holds from now on.",
    "finalize_dataset": "That is the dataset. F2 shows its cases; “export to csv” writes it in another form.",
    "describe_target": "I will keep it in mind.",
    "undo": "“Undo” takes back one more, “redo” does it again.",
    "rewind": "Say “resume” and it writes on from there.",
    "switch_branch": "Say “resume” to go on with its open slots.",
    "fork_branch": "What you change from now on (the plan, “use gpt-4o-mini for the workers”) holds in this branch alone.",
    "show_checkpoint": "“Go back to checkpoint N” goes there; F4 shows it beside the others.",
    "list_branches": "“Go to branch NAME” works on another one; F4 draws them.",
    "load_from_checkpoint": "Say “resume” to go on with its open slots.",
}
# Tools whose answer has lists that are shown, by the names of these.
_LISTED = {
    "list_branches": ("branches",),
    "show_checkpoint": ("plan_differs", "newest_cases"),
    "compare_branches": ("plan", "only_before", "only_after"),
}
_MOST_ROWS = 30
_MORE = ("rejected", "exhausted")
_WHERE_REJECTED = "F5 shows each beside what it repeats, and what another threshold would have meant."
_NO_WORDS = ("", "declined", "no", "n", "nope", "reject", "rejected", "tool execution was not approved")


def note(text: str) -> Interpretation:
    """What a note about the run says, in words. Notes never lead to an act."""
    body = text.strip().removeprefix(NOTE_MARK).strip()
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Interpretation(words=body[:1000])
    asks = " Say “lower it” and I put the lower count into the plan." if told.get("proposals") else ""
    words = _both(told.get("said"), told.get("way_out"))
    return Interpretation(words=f"{words}{asks}" if words else "Something happened to the run; say “status”.")


def reply(
    tool: str,
    arguments: Mapping[str, Any],
    answer: Mapping[str, Any],
    situation: PlanningContext,
    topics: Topics | None = None,
) -> Interpretation:
    """After a tool has answered. ``answer`` is its JSON; a refusal is ``{"declined": the person's words}``."""
    if "declined" in answer:
        return _declined(tool, arguments, str(answer["declined"]), situation, topics or Topics())
    if not answer.get("ok"):
        problem = _both(answer.get("error"), answer.get("way_out"))
        return Interpretation(words=problem or "That did not work, and nothing says why.")
    said = _text(answer.get("said"))
    if tool in ("propose_plan", "extend_dataset"):
        return Interpretation(
            () if answer.get("running") else (Act("start_generation"),), said if answer.get("running") else ""
        )
    if tool == "revise_plan":
        return _revised(said, answer, situation)
    if tool in ("show_cases", "preview_cases"):
        return Interpretation(words=_lines(said, _cases(answer.get("cases"))))
    if tool == "ask_data":
        return Interpretation(words=_lines(_quiet(said, 1200), _rows(answer), _quiet(answer.get("see") or "")))
    if tool in _LISTED:
        rows = [f"- {_quiet(row, 200)}" for key in _LISTED[tool] for row in _listed(answer.get(key))]
        return Interpretation(words=_lines(said, "\n".join(rows[:_MOST_ROWS]), _AFTER.get(tool, "")))
    if tool == "get_builder_state_summary":
        return Interpretation(words=_lines(said or _progress(answer), _counts(answer.get("categories"))))
    if tool == "explain_rejections":
        return Interpretation(
            words=_lines(said, _stages(answer.get("stages")), _examples(answer.get("examples")), _WHERE_REJECTED)
        )
    if tool == "describe_target" and situation.base is None:
        return Interpretation(words=f"{said} {_suggestion(arguments, answer, topics or Topics())}".strip(), asks=True)
    return Interpretation(words=_AFTER.get(tool, "Done.") if said else "Done.")


def _declined(
    tool: str, arguments: Mapping[str, Any], words: str, situation: PlanningContext, topics: Topics
) -> Interpretation:
    """A refusal with words in it is a change to what was refused."""
    words = words.strip()
    plain = words.lower().strip(" .!")
    if plain in _NO_WORDS or tool not in _PLANS:
        return Interpretation(
            words="Fine, nothing is changed. Say what should be different." if tool in _PLANS else "Fine, I left it."
        )
    refused = _refused_plan(tool, arguments, situation)
    reading = understand(words, replace(situation, proposed=refused or situation.proposed), topics=topics)
    acts = tuple(act for act in reading.acts if act.tool not in ("start_generation", "resume_generation"))
    return replace(reading, acts=acts, words=reading.words or ("" if acts else "Fine, nothing is changed."))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _refused_plan(tool: str, arguments: Mapping[str, Any], situation: PlanningContext) -> DatasetPlanInput | None:
    """The plan that would have come of a yes. A part of a revision that the tool would not have carried out either is
    passed over: the person's words are about the rest."""
    try:
        if tool == "propose_plan":
            return parse_plan({key: value for key, value in arguments.items() if key != "not_understood"})
        if situation.plan is None:
            return None
        patch = PlanPatch.model_validate(arguments)
        return patched(situation.plan, patch, situation.accepted, pass_over=True).plan
    except (PlanError, ValidationError):
        return None


def _revised(said: str, answer: Mapping[str, Any], situation: PlanningContext) -> Interpretation:
    if answer.get("running") or situation.running:
        return Interpretation(words="It goes on with the new plan.")
    accepted = sum(situation.accepted.values())
    planned = situation.plan.total_instances if situation.plan else 0
    if accepted and accepted < planned:
        return Interpretation((Act("resume_generation"),))
    return Interpretation(words="The plan is changed." if accepted else "Say “start” to write the cases.")


def _suggestion(arguments: Mapping[str, Any], answer: Mapping[str, Any], topics: Topics) -> str:
    """The one question after reading about an application: how many cases of what."""
    about = " ".join(
        _text(part) for part in (answer.get("prompt"), answer.get("readme"), arguments.get("text"), answer.get("said"))
    )
    topic = topics.domain(about[:2000])
    if topic is None:
        return "How many cases should the dataset hold, and of which kinds?"
    names = [name.replace("_", " ") for name in topic.categories[:3]]
    return (
        f"How many cases of which kinds? For example: “60 cases: half {names[0]}, the rest {' and '.join(names[1:])}”."
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _both(said: object, hint: object) -> str:
    return " ".join(text for text in (_text(said), _text(hint)) if text)


def _lines(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _quiet(value: object, length: int = 300) -> str:
    """Foreign text on one line, without what Markdown would read as more than text."""
    text = one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), length)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#~" else c for c in text)


def _cases(cases: object) -> str:
    rows = []
    for case in cases[:_MOST_ROWS] if isinstance(cases, list) else []:
        text = case.get("text", case) if isinstance(case, Mapping) else case
        name = f" ({_quiet(case['id'], 60)})" if isinstance(case, Mapping) and case.get("id") else ""
        rows.append(f"- {_quiet(text)}{name}")
        flags = case.get("flags") if isinstance(case, Mapping) else None
        rows += [f"  - {_quiet(flag)}" for flag in flags[:3]] if isinstance(flags, list) else []
    return "\n".join(rows)


def _progress(answer: Mapping[str, Any]) -> str:
    percent = answer.get("progress_percentage")
    return f"{percent:.0f}% of the cases are there." if isinstance(percent, int | float) else ""


def _counts(categories: object) -> str:
    if not isinstance(categories, Mapping) or not categories:
        return ""
    rows = []
    for name, counts in list(categories.items())[:_MOST_ROWS]:
        numbers = counts if isinstance(counts, Mapping) else {}
        extra = [f"{_number(numbers[key])} {key}" for key in _MORE if numbers.get(key)]
        there = f"{_number(numbers.get('accepted'))} of {_number(numbers.get('planned'))}"
        rows.append(f"- {_quiet(name, 64)} {', '.join([there, *extra])}")
    if len(categories) > _MOST_ROWS:
        rows.append(f"\n…and {counted(len(categories) - _MOST_ROWS, 'more category')}.")
    return "\n".join(rows)


def _rows(answer: Mapping[str, Any]) -> str:
    """The numbers of an answer about the data, a line each."""
    given, rows = answer.get("rows"), []
    for row in given[:_MOST_ROWS] if isinstance(given, list) else []:
        if isinstance(row, Mapping):
            of = f" of {_number(row['of'])}" if row.get("of") is not None else ""
            count = f" {_number(row['count'])}{of}" if "count" in row else ""
            words = f"{',' if count else ':'} {_quiet(row['words'])}" if row.get("words") else ""
            rows.append(f"- {_quiet(row.get('name', ''), 80)}{count}{words}")
    if more := answer.get("more_rows"):
        rows.append(f"\n…and {_number(more)} more.")
    return "\n".join(rows)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def _stages(stages: object) -> str:
    if not isinstance(stages, Mapping) or not stages:
        return ""
    return (
        "Turned away by: "
        + ", ".join(f"{_quiet(stage, 40)} {_number(n)}" for stage, n in list(stages.items())[:20])
        + "."
    )


def _examples(examples: object) -> str:
    rows = []
    for one in examples[:5] if isinstance(examples, list) else []:
        if isinstance(one, Mapping):
            near = f" — close to: {_quiet(one['nearest'], 120)}" if one.get("nearest") else ""
            why = _quiet(one.get("reason", ""), 120)
            score, threshold = one.get("score"), one.get("threshold")
            if isinstance(score, float) and isinstance(threshold, float) and threshold < 1:
                why += f"; {_quiet(one.get('stage', ''), 40)} {score:.2f}, threshold {threshold:.2f}"
            rows.append(f"- {_quiet(one.get('text', ''), 160)} ({why}){near}")
    return "\n".join(rows)
