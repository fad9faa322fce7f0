"""Requests for rows: “use the rows of products.csv for the prices”, “a case for each row of ./products.csv”."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.offline.planner.counts import MOST_CASES
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, singular, words_of
from dsbuilder_tui.offline.planner.plan_arguments import planning_act
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance
from dsbuilder_tui.sources.rows.named_rows import count_rows

_TABLE = intent_table()
_ROW = r"(?:rows?|lines?|records?|entry|entries)"
_THING = (
    r"(?!(?:cases?|questions?|examples?|prompts?|tests?|tools?|documents?|docs|pages?|conversations?|the)\b)[\w-]{2,30}"
)
_OF_FILE = rf"(?:of|in|from|out of) (?:the (?:file|table|sheet) |our |my )?(?P<path>{MASK})"
_NAMES = r"[\w.-]+(?:(?:, and |, | and )(?!for\b|use\b|then\b)[\w.-]+){0,9}"
_COLUMNS = r",? (?:with|showing|using|and)(?: only)? (?:the |its |their )?(?:fields?|columns?) "
_FOR = r"(?: for (?P<what>(?:[^,.;:!?\n\d]){1,80}+))?"
_END = rf"(?:{_COLUMNS}(?P<fields>{_NAMES}))?{_FOR}(?:{_COLUMNS}(?P<named>{_NAMES}))?"
_LEAD = r"(?:[,;]\s*+)?(?:\b(?:and|please|then|can you|could you) ){0,3}"
_TAKE = r"\b(?:us(?:e|ing)|tak(?:e|ing)|with|from|about|on|out of|for|of|hand(?:ing)? out)(?: (?:on|from|about|in))?"
_WHICH = r"(?:(?:only|each|every|all|of|a|an|1|the|its|own|these|our|my|single|another) ){0,4}"
_EACH = re.compile(
    rf"(?:(?:exactly )?\b(?:a|an|1|\d+ cases:) )?(?:[\w-]+ ){{0,2}}?(?:case|question|test|example|input|request|prompt)s? "
    rf"(?:(?:for|about|on|from|of|out of) (?:each|every)(?: single)?(?: of the)?|per) (?P<thing>{_THING}) {_OF_FILE}{_END}",
    re.IGNORECASE,
)
_ROWS = re.compile(rf"{_LEAD}{_TAKE} {_WHICH}{_ROW} {_OF_FILE}{_END}", re.IGNORECASE)
_THINGS = re.compile(rf"{_LEAD}{_TAKE} {_WHICH}{_THING} {_OF_FILE}{_END}", re.IGNORECASE)
# What is to be about them, named before: "write the prices about the rows of products.csv".
_NAMED_BEFORE = re.compile(
    rf"{_LEAD}(?:\b(?:write|make|have|let|do) (?:the |all )?(?P<what>[^,.;:!?\n\d]{{1,60}}?)|\b(?:the )?"
    rf"(?P<whose>[^,.;:!?\n\d]{{1,60}}?) (?:should|must|shall|are to|is to)) (?:all |each )?(?:be )?"
    rf"(?:about|from|with|on|use|using|out of|get) {_WHICH}{_ROW} {_OF_FILE}(?:{_COLUMNS}(?P<fields>{_NAMES}))?",
    re.IGNORECASE,
)
_AS_ROWS = re.compile(
    rf"{_LEAD}\b(?:us(?:e|ing)|tak(?:e|ing)) (?P<path>{MASK})(?: (?:as|for) (?:the |its )?rows)?{_END}", re.IGNORECASE
)
_GENERIC = re.compile(_ROW, re.IGNORECASE)
_TABLES = frozenset({".csv", ".tsv", ".tab", ".parquet", ".arrow"})
_ENDINGS = _TABLES | {".jsonl", ".ndjson", ".json", ".yaml", ".yml", ".gz"}
_APPLICATION = re.compile(
    r"\b(?:bot|chatbot|assistant|agent|app|application|service|helpdesk|shop|desk)\b", re.IGNORECASE
)
_NONE = re.compile(
    r"(?P<lead>\b(?:no|without|don'?t use|do not use|stop using) )(?:the |any )?rows\b(?: (?:of|from) "
    + MASK
    + ")?"
    + _FOR,
    re.I,
)
_SITUATION = "situation"


@dataclass(frozen=True, slots=True)
class RowWish:
    """Cases that are to be about the rows of a file, or with an empty ``path`` about none any more.

    ``what`` is what was said of which cases, empty for all; ``each`` is the number of rows where every row is to have a case.
    """

    path: str
    fields: tuple[str, ...] = ()
    what: str = ""
    each: int = 0

    @property
    def entry(self) -> Any:
        """As a plan has it."""
        return {"file": self.path, "fields": list(self.fields)} if self.fields else self.path


def rows_in(heard: Utterance) -> tuple[Utterance, tuple[RowWish, ...], str]:
    """What was said without its requests for rows, these, and why the rows of a file could not be counted."""
    wishes, problem = list[RowWish](), ""

    def take(found: re.Match[str]) -> str:
        nonlocal problem
        parts = found.groupdict()
        path = heard.piece(parts["path"]) if parts.get("path") else ""
        what, columns = (
            (parts.get("what") or parts.get("whose") or "").strip(),
            parts.get("fields") or parts.get("named") or "",
        )
        ending = PurePath(path).suffix.lower()
        if found.re is not _NONE and ending not in (_TABLES if found.re in (_THINGS, _AS_ROWS) else _ENDINGS):
            return found[0]
        rest = f" for {what} " if _APPLICATION.search(what) else " "
        fields = tuple(re.split(r", and |, | and ", columns.rstrip("."))) if columns else ()
        wish = RowWish(path, fields, what if rest == " " else "")
        if found.re is not _EACH:
            wishes.append(wish)
            return rest
        try:
            number = count_rows(path, MOST_CASES + 1)
        except InputError as error:
            wishes.append(wish)
            problem = str(error)
            return rest
        if number > MOST_CASES:
            problem = f"{path} has more than {MOST_CASES:,} rows, which are more cases than I plan at once."
            return rest
        wishes.append(replace(wish, each=number))
        thing = (
            parts["thing"] if not _GENERIC.fullmatch(parts["thing"]) else re.sub(r"[\W_]+", " ", PurePath(path).stem)
        )
        about = "" if wish.what or re.search(r"\babout\b|:", heard.said) else f" about {thing}"
        return f"{counted(number, 'case')}{about}{f' for the {wish.what}' if wish.what else ''}{rest}"

    said = heard.said
    for pattern in (_NONE, _EACH, _NAMED_BEFORE, _ROWS, _THINGS, _AS_ROWS):
        said = pattern.sub(take, said)
    if not wishes and not problem:
        return heard, (), ""
    return replace(heard, said=re.sub(r" {2,}", " ", said).strip()), tuple(wishes), problem


def with_rows(reading: Interpretation, wishes: tuple[RowWish, ...], situation: PlanningContext) -> Interpretation:
    """What was understood, with the cases about the rows that were asked for."""
    if not wishes:
        return reading
    planning, base = planning_act(reading, situation), situation.base
    if planning is None:
        return reading if reading.asks else Interpretation(words=_TABLE.reply("how_many"), asks=True)
    is_new = planning.tool == "propose_plan"
    drafts = planning.arguments.get("categories" if is_new else "add", [])
    names = [] if is_new or base is None else [category.name for category in base.categories]
    names += [draft["name"] for draft in drafts]
    changes: dict[str, RowWish] = {}
    for wish in wishes:
        named = _named(
            wish.what, [draft["name"] for draft in drafts] if wish.each and drafts and not wish.what else names
        )
        if not named:
            said = words_of(bare_phrase(wish.what))
            return Interpretation(words=f"There is no category called {said}; there are {', '.join(names[:20])}.")
        if wish.each and len(named) > 1:
            return Interpretation(words=f"Which of {', '.join(named[:20])} is to have a case for each row?", asks=True)
        changes |= dict.fromkeys(named, wish)
    arguments = _with_entries(planning.arguments, drafts, changes, is_new=is_new)
    acts = tuple(replace(act, arguments=arguments) if act is planning else act for act in reading.acts)
    if not any(act is planning for act in reading.acts):
        acts = (replace(planning, arguments=arguments), *reading.acts)
        reading = replace(reading, words=reading.words if reading.acts else "")
    told = [
        f"{name} has a case for each of the {counted(wish.each, 'row')}." for name, wish in changes.items() if wish.each
    ]
    return replace(reading, acts=acts, words=" ".join(filter(None, (reading.words, *told))))


def _named(what: str, names: Iterable[str]) -> list[str]:
    """The categories that are meant: by their names, or by a word of them; all when none is named."""
    names = list(names)
    bare = bare_phrase(what)
    if not bare or re.fullmatch(r"(?:all(?: of (?:it|them))?|everything|it|them|the rest)", bare, re.IGNORECASE):
        return names
    if exact := [name for name in names if re.search(forms(name), what, re.IGNORECASE)]:
        return exact
    words = {singular(word) for word in re.findall(r"\w+", bare.lower())}
    return [name for name in names if words & {singular(part) for part in re.split(r"[\W_]+", name.lower())}]


def _with_entries(
    arguments: Mapping[str, Any], drafts: Iterable[Mapping[str, Any]], changes: Mapping[str, RowWish], *, is_new: bool
) -> dict[str, Any]:
    """The arguments of a proposal, or of a change of a plan, with the rows of some categories."""
    new = [
        {**draft, "rows": wish.entry, **({"count": wish.each} if wish.each else {})}
        if (wish := changes.get(draft["name"]))
        else dict(draft)
        for draft in drafts
    ]
    if is_new:
        done = {**arguments, "categories": new}
        if axes := arguments.get("attributes"):  # what a row says is asked for plainly
            plain = {axis: values for axis, values in axes.items() if axis != _SITUATION}
            done["attributes"] = plain if all(draft.get("rows") for draft in new) else axes
        return done
    added = {draft["name"] for draft in new}
    old = {name: wish for name, wish in changes.items() if name not in added}
    known = {change["category"]: change for change in arguments.get("change", [])}
    known |= {name: {**known.get(name, {"category": name}), "rows": wish.entry} for name, wish in old.items()}
    counts = {**arguments.get("counts", {}), **{name: wish.each for name, wish in old.items() if wish.each}}
    parts = {"add": new, "change": list(known.values()), "counts": counts}
    return {**arguments, **{part: value for part, value in parts.items() if value}}
