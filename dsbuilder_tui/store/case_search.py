"""The search for cases, as SQL. Every foreign word is a bound parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.case_kind import TAG as KIND
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.evaluation import EASY
from dsbuilder_tui.domain.judging import TAG, Judgement
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.sanitise import whole_characters

_MOST_CHARACTERS = 1000  # of a search; SQLite bounds patterns and the depth of conditions
_MOST_WORDS = 30
_SAID = "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE lower(value) END"
_TAG_WORD, _MOST_TAGS = "tag:", 10
_ESCAPE = "!"  # not the backslash, which JSON text is full of
# Flags name other cases, which are not what is looked for.
_TAGS = """CASE WHEN instr(tags, '"flags":') AND json_valid(tags) THEN json_remove(tags, '$.flags') ELSE tags END"""
CASE_ID = "((SELECT name FROM category WHERE id = category_id) || printf('-%05d', ordinal))"


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases a search is for. An empty ``text`` and no mark asked for means all of them.

    ``attributes`` are (axis, value); ``flag`` is a kind of flag; ``lacking`` a key that the expectations do not have.
    """

    text: str = ""
    pinned: bool = False
    noted: bool = False
    edited: bool = False
    reviewed: bool = False
    flagged: bool = False
    easy: bool = False
    verdict: Judgement | None = None
    newest_first: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    kind: CaseKind | None = None
    flag: str = ""
    lacking: str = ""

    def condition(self) -> tuple[str, list[str]]:
        """The SQL that a row must fulfil, and its parameters."""
        text, tags = _tags_apart(self.text)
        sql, values = words_condition(text, ("inputs", "expectations", _TAGS), (CASE_ID,))
        parts = [sql] if sql else []
        for path, value in tags:
            # A mark is there when it says something; a value is the tag itself, or one of a list.
            condition = "value NOT IN (0, '', '[]')" if value is None else f"{_SAID} = lower(?)"
            each = f"EXISTS (SELECT 1 FROM json_each(tags, ?) WHERE {condition})"
            parts.append(f"(CASE WHEN json_valid(tags) THEN {each} END)")
            values += [path] if value is None else [path, value]
        marks = (
            (self.pinned, "pinned"),
            (self.noted, "note"),
            (self.edited, "edited"),
            (self.reviewed, REVIEWED),
            (self.flagged, "flags"),
            (self.easy, EASY),
        )
        for wanted, mark in marks:
            if wanted:
                parts.append(mark_condition(mark))
        if self.verdict is not None:
            found = f"json_extract(tags, '$.{TAG}.finding')"
            parts.append(f"(instr(tags, '\"{TAG}\":') AND CASE WHEN json_valid(tags) THEN {found} = ? END)")
            values.append(self.verdict)
        for axis, value in self.attributes:
            parts.append("(CASE WHEN json_valid(tags) THEN json_extract(tags, ?) = ? END)")
            values += [attribute_path(axis), value]
        if self.kind is not None:
            parts.append(f"(CASE WHEN json_valid(tags) THEN ifnull(json_extract(tags, '$.{KIND}'), ?) = ? END)")
            values += [CaseKind.SINGLE, self.kind]
        if self.flag:
            parts.append(
                "(instr(tags, '\"flags\":') AND CASE WHEN json_valid(tags) THEN EXISTS (SELECT 1 FROM "
                "json_each(tags, '$.flags') WHERE json_extract(value, '$.kind') = ?) END)"
            )
            values.append(self.flag)
        if self.lacking:
            parts.append(
                "(CASE WHEN json_valid(expectations) THEN "
                "NOT EXISTS (SELECT 1 FROM json_each(expectations) WHERE key = ? AND type <> 'null') END)"
            )
            values.append(self.lacking)
        return " AND ".join(parts) or "1", values


def mark_condition(mark: str) -> str:
    """That a case bears a mark, as SQL; a mark's name is none that a person gave."""
    # The cheap look first; a damaged row may hold no JSON.
    return (
        f"(instr(tags, '\"{mark}\":') AND CASE WHEN json_valid(tags) THEN "
        f"ifnull(json_extract(tags, '$.{mark}'), 0) NOT IN (0, '', '[]') END)"
    )


def _tags_apart(text: str) -> tuple[str, list[tuple[str, str | None]]]:
    """A search without its words ``tag:NAME`` and ``tag:NAME=VALUE``, and these: the path of a tag (dotted), and its value if
    one is wanted."""
    words, tags = list[str](), list[tuple[str, str | None]]()
    for word in text.split():
        name, equals, value = word[len(_TAG_WORD) :].partition("=")
        if not word.casefold().startswith(_TAG_WORD) or not name or len(tags) == _MOST_TAGS:
            words.append(word)
            continue
        steps = "".join(f'."{step.replace(chr(34), "")}"' for step in name.split(".") if step)
        tags.append((f"${steps}", value if equals else None))
    return " ".join(words), tags


def attribute_path(axis: str) -> str:
    """Where the tags of a case hold its value of an axis. Goes into SQL as a bound parameter."""
    return f'$.attributes."{axis}"'


def words_condition(text: str, json_columns: Sequence[str], columns: Sequence[str]) -> tuple[str, list[str]]:
    """Every word of ``text`` must be in one of the columns, in small or capital letters. Empty for no words.

    ``json_columns`` hold JSON, in which a quote or a backslash is written with a backslash before it.
    """
    parts, values = [], list[str]()
    for word in whole_characters(text)[:_MOST_CHARACTERS].split()[:_MOST_WORDS]:
        inner = orjson.dumps(word).decode()[1:-1]
        either = []
        for column, wanted in (*((c, inner) for c in json_columns), *((c, word) for c in columns)):
            for variant in _variants(wanted):
                either.append(f"({column}) LIKE ? ESCAPE '{_ESCAPE}'")
                values.append(f"%{_literal(variant)}%")
        parts.append(f"({' OR '.join(either)})")
    return " AND ".join(parts), values


def _variants(word: str) -> list[str]:
    """SQLite knows small and capital letters of ASCII alone; other words are looked for in their usual forms."""
    return [word] if word.isascii() else list(dict.fromkeys((word, word.lower(), word.upper(), word.title())))


def _literal(word: str) -> str:
    for sign in (_ESCAPE, "%", "_"):
        word = word.replace(sign, _ESCAPE + sign)
    return word
