"""Requests for more of what is there: “300 more like ./old.jsonl, none of them again”, “50 cases from the traces of my_bot”."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance

_THINGS = (
    r"(?:(?:new|other|further|different|test|evaluation|eval) ){0,3}"
    r"(?:cases|rows|questions|examples|ones|inputs|prompts|items)?"
)
_FORMS = (
    re.compile(
        rf"(?P<more>\d{{1,9}}) (?:more|further|additional|other) ?{_THINGS} ?(?:like|as in|similar to|in the style of) "
        rf"(?:(?:those|the ones|the {_THINGS}|what is) (?:in|of|from) )?(?P<path>{MASK})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:another|add) (?P<more>\d{{1,9}}) ?(?:more )?{_THINGS} ?(?:like|to|as in|similar to|for) "
        rf"(?:(?:those|the ones|the {_THINGS}) (?:in|of|from) )?(?P<path>{MASK})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:extend|enlarge|grow|expand|continue) (?P<path>{MASK}) (?:by|with|to have) (?P<more>\d{{1,9}})"
        rf"(?: more)? ?{_THINGS}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:like|similar to) (?P<path>{MASK}),? (?P<more>\d{{1,9}}) (?:more|further|additional) ?{_THINGS}",
        re.IGNORECASE,
    ),
)
_COURTESY = re.compile(
    r"\b(?:please|i(?: would|'d)? (?:need|want|like)|give me|write(?: me)?|make(?: me)?|create|generate|can you|could you|"
    r"thanks|and|but)\b",
    re.IGNORECASE,
)
_NO_REPEATS = re.compile(
    r"(?:\bbut )?\b(?:none of (?:them|these|those|it) (?:again|twice|repeated)|without (?:any )?(?:repeating|repeats|repetition)"
    r"(?: (?:of )?(?:them|it|any(?: of them)?))?|nothing (?:of it )?(?:again|twice)|(?:do not|don't|never) repeat "
    r"(?:them|it|any(?: of them)?|what is there)|no (?:repeats|repetitions|duplicates))\b",
    re.IGNORECASE,
)
_ONLY_NEW = re.compile(
    r"\b(?:(?:export|write|keep|give me|show) )?only the new (?:ones|cases|rows)\b|\bwithout the old (?:ones|cases|rows)\b",
    re.IGNORECASE,
)
_ENDINGS = frozenset(
    {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".yaml", ".yml", ".parquet", ".arrow", ".gz"}
)


_EXPERIMENT = r"(?P<experiment>(?!the\b|what\b|our\b|my\b|users?\b)[\w./-]*\w)"
_ASKED = (
    r"(?:what (?:the |our |my |real )*(?:users?|customers?|people) (?:have )?(?:really |actually )?(?:asked|said|wrote)"
    r"|(?:(?:the|our|my|mlflow) ){1,2}traces|traces(?= (?:of|from|in)\b))"
)
_WHEN = (
    r"(?:,? (?:in |from |of |over |during |since )?(?:the )?(?:(?:last|past|previous) (?:(?P<number>\d{1,4}) )?"
    r"(?P<unit>hour|day|week|month)s?|(?P<day>today|yesterday)|(?:since )(?P<date>\d{4}-\d\d-\d\d)))"
)
_TRACES = re.compile(
    rf"(?:take |use |start (?:from|with) |begin (?:from|with) |from |like |out of |based on )?{_ASKED}(?P<a>{_WHEN})?"
    rf"(?: (?:of|from|in|to) (?:the experiment |experiment )?{_EXPERIMENT})?",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(rf"(?:add |write |make )?(?P<more>\d{{1,9}}) (?:more )?{_THINGS}", re.IGNORECASE)
_ALONE = re.compile(_WHEN, re.IGNORECASE)
_SPANS = {"hour": "h", "day": "d", "week": "w"}


def traces_in(heard: Utterance) -> Interpretation | None:
    """The order to begin from what users asked, by the traces of an experiment; None when nothing of that kind is asked for."""
    found = _TRACES.search(heard.said)
    if found is None:
        return None
    rest = f"{heard.said[: found.start()]} {heard.said[found.end() :]}"
    when = found if found["a"] else _ALONE.search(rest)
    if when is not None and when is not found:
        rest = f"{rest[: when.start()]} {rest[when.end() :]}"
    count = _HOW_MANY.search(rest)
    if count is not None:
        rest = f"{rest[: count.start()]} {rest[count.end() :]}"
    if found["experiment"] is None or count is None or int(count["more"]) < 1:
        return Interpretation(
            words="Say how many cases, and which experiment of MLflow has the traces: “50 cases like the traces of my_bot of "
            "the last 7 days”."
        )
    arguments: dict[str, Any] = {"path": f"traces:{found['experiment']}", "more": int(count["more"])}
    if when is not None:
        arguments["since"] = _since(when)
    if _ONLY_NEW.search(rest):
        arguments["only_new"] = True
    rest = _COURTESY.sub(" ", _ONLY_NEW.sub(" ", _NO_REPEATS.sub(" ", rest))).strip(" \n.,;:!?")
    words = f"I did not understand “{' '.join(heard.full(rest).split())}”." if rest else ""
    return Interpretation((Act("extend_dataset", arguments),), words)


def _since(when: re.Match[str]) -> str:
    if when["date"]:
        return str(when["date"])
    if when["day"]:
        return "1d" if when["day"].lower() == "today" else "2d"
    number, unit = int(when["number"] or 1), when["unit"].lower()
    return f"{30 * number}d" if unit == "month" else f"{number}{_SPANS[unit]}"


def extension_in(heard: Utterance) -> Interpretation | None:
    """The order to add to a file's rows; None when nothing of that kind is asked for."""
    for form in _FORMS:
        found = form.search(heard.said)
        if found is None:
            continue
        path = heard.piece(found["path"])
        if PurePath(path).suffix.lower() not in _ENDINGS or int(found["more"]) < 1:
            continue
        rest = heard.said[: found.start()] + " " + heard.said[found.end() :]
        arguments: dict[str, Any] = {"path": path, "more": int(found["more"])}
        if _ONLY_NEW.search(rest):
            arguments["only_new"] = True
        rest = _COURTESY.sub(" ", _ONLY_NEW.sub(" ", _NO_REPEATS.sub(" ", rest))).strip(" \n.,;:!?")
        words = f"I did not understand “{' '.join(heard.full(rest).split())}”." if rest else ""
        return Interpretation((Act("extend_dataset", arguments),), words)
    return None
