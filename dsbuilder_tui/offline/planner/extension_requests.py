"""Requests for more of what a file has: “300 more like ./old.jsonl, none of them again”, “extend old.csv by 50”."""

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
