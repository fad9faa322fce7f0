"""Intents of a clause that asks for one of the tools in so many words: the table's rows, and readers of their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dsbuilder_tui.domain.review import MOST_QUEUE
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.offline.planner.counts import whole
from dsbuilder_tui.offline.planner.data_requests import DataRequests
from dsbuilder_tui.offline.planner.history_points import changed_thing, point_from
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug
from dsbuilder_tui.offline.planner.planning_context import Act
from dsbuilder_tui.offline.planner.utterance import Utterance

Found = re.Match[str]
Arguments = dict[str, Any]


class Intents:
    """Reads what a clause asks for, about a plan with these categories."""

    def __init__(
        self,
        heard: Utterance,
        names: list[str],
        stages: Mapping[str, tuple[str, ...]] | None = None,
        axes: Mapping[str, Sequence[str]] | None = None,
        branches: Sequence[str] = (),
    ) -> None:
        """``stages`` are the comparing stages in force, by category; under the empty name those of the session. ``axes`` are
        those of the plan's cases, with their values; ``branches`` those of the session's history."""
        self._heard, self._names, self._stages, self._branches = heard, names, stages or {}, branches
        self._data = DataRequests(heard, names, axes or {})
        self._table = intent_table()

    def read(self, clause: str) -> Act | str | None:
        """The act a clause asks for; words when something about it does not fit; None when it asks for no tool."""
        phrase = self._table.phrase
        text = phrase("courtesy_at_the_end").sub("", phrase("polite").sub("", clause.strip())).strip()
        for intent in self._table.intents:
            if (found := intent.says.fullmatch(text)) is None:
                continue
            made: Arguments | str | None = {}
            if intent.reads:
                made = _READERS[intent.reads](self, found)
            elif intent.number:
                number = whole(_first(found))
                made = {intent.number: number} if number else self._least_one(intent.number)
            elif intent.text:
                made = {intent.text: self._heard.full(_first(found)).strip("\"'“”«»`")}
            if made is not None:
                return made if isinstance(made, str) else Act(intent.tool, made)
        return None

    def _least_one(self, setting: str) -> str:
        return self._table.reply("least_one", name=setting.replace("_", " "))

    def _category(self, words: str) -> str | None:
        """The plan's name for what a person called a category."""
        phrase = bare_phrase(self._heard.full(words))
        for name in self._names:
            if phrase and (re.fullmatch(forms(name), phrase, re.IGNORECASE) or slug(phrase) == slug(name)):
                return name
        return None

    def _unknown(self, words: str) -> str:
        named = bare_phrase(self._heard.full(words))[:60]
        if not self._names:
            return self._table.reply("no_categories")
        return self._table.reply("unknown_among", name=named, names=", ".join(self._names[:20]))

    # Readers: the arguments of a tool, words when something does not fit, None when it is not this intent after all.

    def _diversity(self, found: Found) -> Arguments | str:
        switch = {"diversity": "on" if _first(found, "abcd").lower() in ("on", "enable", "activate") else "off"}
        what = found["what"]
        if not what or self._table.phrase("whole_dataset").fullmatch(what):
            return switch
        name = self._category(what)
        return self._unknown(what) if name is None else {"category": name, **switch}

    def _checkpoint(self, found: Found) -> Arguments:
        name = self._heard.full(found["name"] or found["label"] or "").strip("\"'“”«»` ")
        return {"name": name[:100]} if name and name not in ("here", "now") else {}

    def _export(self, found: Found) -> Arguments | None:
        clear = found["verb"].lower() in ("export", "download", "dump")
        if not (clear or found["path"] or found["format"]):
            return None
        path = {"path": self._heard.piece(found["path"])} if found["path"] else {}
        kind = found["format"] or found["late"]
        return {**path, "format": self._table.formats[kind.lower()]} if kind else path

    def _export_as(self, found: Found) -> Arguments:
        """“Give me the csv”, “as json please”; a spreadsheet opens csv."""
        kind = found["format"].lower()
        return {"format": self._table.formats.get(kind, "csv")} if kind != "file" else {}

    def _export_part(self, found: Found) -> str | None:
        named = self._data.names_part(found["part"])
        return self._table.reply("export_whole") if named else None

    def _logging(self, found: Found) -> Arguments:
        groups = found.groupdict()
        said = next((groups[name] for name in "abcd" if groups.get(name)), "on").lower()
        return {"on": said not in ("off", "disable", "deactivate", "stop", "end", "quit")}

    def _load(self, found: Found) -> Arguments | None:
        if found["path"]:
            return {"path": self._heard.piece(found["path"])}
        return {} if self._table.phrase("saved").search(found[0]) else None

    def _point(self, found: Found) -> Arguments | str:
        """The point of the history that is meant."""
        said = found.groupdict()
        point = point_from(said, self._names, self._heard.full)
        if point is None:
            return self._unknown(changed_thing(said))
        if point.before_change == "":
            return {"before_change": "plan"}
        return {name: value for name, value in asdict(point).items() if value is not None}

    def _undo(self, found: Found) -> Arguments | str:
        steps = whole(found["steps"]) if found["steps"] else 1
        if not steps:
            return self._least_one("steps")
        redo = {"redo": True} if found["redo"] else {}
        return {**redo, "steps": steps} if steps > 1 else {**redo}

    def _fork(self, found: Found) -> Arguments:
        said = found.groupdict()
        if model := said.get("model"):
            name = self._heard.full(model).strip("\"'“”«»`")
            return {"branch": name, "worker_model": name}
        if said.get("other"):
            return {"branch": "another-model"}
        name = self._heard.full(said.get("a") or said.get("b") or "").strip("\"'“”«»` ")
        return {"branch": name[:80]} if name else {}

    def _fork_at(self, found: Found) -> Arguments | str:
        point = self._point(found)
        return point if isinstance(point, str) else {**point, **self._fork(found)}

    def _restored_branch(self, found: Found) -> Arguments:
        return {"branch": self._heard.full(_first(found)).strip("\"'“”«»` "), "restore": True}

    def _branch(self, found: Found) -> Arguments | None:
        named = found["a"] or found["b"]
        name = self._known_branch(named or found["c"])
        if name is None and (named or found["sure"]):
            name = self._heard.full(named or found["c"]).strip("\"'“”«»` ")
        return None if name is None else {"branch": name}

    def _known_branch(self, words: str) -> str | None:
        wanted = self._heard.full(words).strip("\"'“”«»` ").casefold()
        return next((name for name in self._branches if name.casefold() == wanted), None)

    def _comparison(self, found: Found) -> Arguments | None:
        sides = [
            number[1] if (number := re.fullmatch(r"checkpoint (\d+)", found[side])) else self._known_branch(found[side])
            for side in "ab"
        ]
        if sides[1] is None and found["b"] in (
            "this",
            "here",
            "now",
            "today",
            "this one",
            "the present one",
            "what is here",
        ):
            return {"before": sides[0]} if sides[0] else None
        return {"before": sides[0], "after": sides[1]} if all(sides) else None

    def _target(self, found: Found) -> Arguments | None:
        path = self._heard.piece(found["a"] or found["b"])
        return {"path": path} if path and re.search(r"[./\\~]", path) else None

    def _rejections(self, found: Found) -> Arguments:
        longest_first = sorted(self._names, key=len, reverse=True)
        name = next((n for n in longest_first if re.search(forms(n), found[0], re.IGNORECASE)), None)
        return {"category": name} if name else {}

    def _preview(self, found: Found) -> Arguments | str:
        generic = self._table.phrase("generic").fullmatch(found["what"])
        name = self._names[0] if generic and self._names else self._category(found["what"])
        if name is None:
            return self._unknown(found["what"]) if self._names else self._table.reply("no_preview")
        count = whole(found["count"]) if (found["count"] or "").isdigit() else 3
        return {"category": name, "count": min(5, max(3, count))}

    def _threshold(self, found: Found) -> Arguments | str:
        text = found["n"]
        number = float(text.rstrip("%").replace(",", ".")) / (100 if text.endswith("%") else 1)
        if not 0 < number <= 1:
            return self._table.reply("threshold")
        return self._placed({f"{found['stage'].lower()}_threshold": number}, found["what"])

    def _stage(self, found: Found) -> Arguments | str:
        stage = (found["s1"] or found["s2"] or found["s3"]).lower()
        on = _first(found, "abc").lower() in ("on", "enable", "activate")
        placed = self._placed({}, found["what"])
        if isinstance(placed, str):
            return placed
        now = self._stages.get(placed.get("category", ""), self._stages.get("", COMPARING_STAGES))
        wanted = [str(one) for one in COMPARING_STAGES if (on if one == stage else one in now)]
        wanted += [one for one in now if one not in COMPARING_STAGES]
        if wanted == list(now):
            return self._table.reply("stage_already", stage=stage, state="on" if on else "off")
        return {**placed, "diversity_stages": wanted}

    def _placed(self, values: Arguments, what: str | None) -> Arguments | str:
        """Values for the session, or for the category that is named."""
        if not what or self._table.phrase("everywhere").fullmatch(what):
            return values
        name = self._category(what)
        if name is None:
            return self._table.reply("unknown_category", name=what[:60])
        return {"category": name, **values}

    def _candidates(self, found: Found) -> Arguments:
        return {"candidates_per_slot": max(1, min(10, whole(_first(found))))}

    def _review(self, found: Found) -> Arguments | str | None:
        number, what = found["count"] or "", found["what"].strip()
        arguments: Arguments = {"count": min(MOST_QUEUE, max(1, whole(number)))} if number.isdigit() else {}
        if not what or self._table.phrase("generic").fullmatch(what):
            return arguments
        name = self._category(what)
        return None if name is None else {"category": name, **arguments}

    def _random(self, found: Found) -> Arguments | None:
        """Cases drawn by lot, of a category or of all; None for what names anything else."""
        number, what = found["count"] or "", found["what"] or ""
        few = 3 if number in ("some", "a few") else 1
        count = min(50, max(1, whole(number))) if number.isdigit() else few
        drawn: Arguments = {"count": count, "random": True}
        if self._table.phrase("generic").fullmatch(what):
            return drawn
        words = re.sub(r"\b(?:accepted|test|cases?|ones?|examples?|questions?|of|the|from|in)\b", " ", what)
        name = self._category(what) or self._category(words)
        return None if name is None else {"category": name, **drawn}

    def _find(self, found: Found) -> Arguments:
        return {"count": 5, "text": self._heard.full(found["text"])[:200]}

    def _data_question(self, found: Found) -> Arguments | None:
        return self._data.read(found[0])

    def _show(self, found: Found) -> Arguments | str | None:
        phrase, text = self._table.phrase, found[0]
        searched = phrase("with_text").search(text)
        arguments: Arguments = {}
        if searched:
            arguments["text"] = self._heard.piece(searched["text"])[:200]
            text = (text[: searched.start()] + text[searched.end() :]).strip()
            rest = found.re.fullmatch(text)
            if rest is None:
                return None
            found = rest
        if phrase("secret").search(text):
            return None
        number = found["count"] or found["later"] or ""
        count = min(50, max(1, whole(number))) if number.isdigit() else 5
        if number.isdigit() and not whole(number):
            return self._table.reply("how_many_shown")
        if phrase("generic").fullmatch(found["what"]):
            plain = phrase("cases").search(text)
            return {"count": count, **arguments} if plain or number or arguments else None
        name = self._category(found["what"])
        if name is not None:
            return {"category": name, "count": count, **arguments}
        told = found["verb"].lower() in ("show", "list", "display") and self._names and len(found["what"].split()) <= 3
        return self._unknown(found["what"]) if told else None


def _first(found: Found, names: str = "") -> str:
    """The first of the groups that was found; of these one-letter names, or of all."""
    groups = [found[name] for name in names] if names else found.groups()
    return next((group for group in groups if group), "")


_READERS: Mapping[str, Callable[[Intents, Found], Arguments | str | None]] = {
    "diversity": Intents._diversity,
    "checkpoint": Intents._checkpoint,
    "export": Intents._export,
    "export_as": Intents._export_as,
    "export_part": Intents._export_part,
    "logging": Intents._logging,
    "load": Intents._load,
    "point": Intents._point,
    "fork": Intents._fork,
    "undo": Intents._undo,
    "restored_branch": Intents._restored_branch,
    "fork_at": Intents._fork_at,
    "branch": Intents._branch,
    "comparison": Intents._comparison,
    "target": Intents._target,
    "rejections": Intents._rejections,
    "preview": Intents._preview,
    "threshold": Intents._threshold,
    "stage": Intents._stage,
    "candidates": Intents._candidates,
    "data": Intents._data_question,
    "find": Intents._find,
    "review": Intents._review,
    "random": Intents._random,
    "show": Intents._show,
}
