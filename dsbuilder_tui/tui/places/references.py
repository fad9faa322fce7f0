"""Parts of a text that may name a place: ``#143``, ``refunds-00012``, ``b17``, ``checkpoint 4``, ``angry × refunds``, a path.

These are names only; whether there is such a thing is asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.places.place import Place, PlaceKind, screen_place
from dsbuilder_tui.tui.registry import SCREENS

_MOST_TEXT = 20_000  # characters of a text that is looked through
_MOST_FOUND = 200
_CASE = re.compile(r"(?<![\w#&/.-])([\w.][\w.-]{0,120})-(\d{5,9})(?![\w-])")
_SPACED_CASE = re.compile(r"-(\d{5,9})(?![\w-])")
_NUMBER = re.compile(r"(?<![\w&#/])#(\d{1,7})(?![\w-])")
_BATCH = re.compile(r"(?<![\w.-])b(\d{1,7})(?![\w-]|\.\w)")
_CHECKPOINT = re.compile(r"(?<!\w)(?:checkpoint\s#?|cp\s?)(\d{1,7})(?![\w-]|\.\w)", re.IGNORECASE)
_BRANCH = re.compile(r"(?<!\w)branch\s", re.IGNORECASE)
_KEY = re.compile(r"(?<!\w)F\d{1,2}(?!\w)|(?<![\w/])/[a-z]{4,20}(?![\w/]|\.\w)")
_SEARCH = re.compile(r"(?<=“)/cases ([^”\n]{1,80})(?=”)")
_SETTING = re.compile(r"(?<![\w/.-])[a-z]+(?:_[a-z]+)+(?![\w/-]|\.\w)")
_PATH = re.compile(r"(?<![\w/:.~@-])(?:~|\.{1,2})?/?[\w@+%=-][\w@+%=.,/-]{0,400}")
_ENDINGS = frozenset(
    ".jsonl .json .csv .parquet .yaml .yml .md .txt .toml .log .xml .html .py .pdf .rst .tsv .eval".split()
)
_QUOTES = "\"'“‘`«"

_SETTINGS = frozenset(name for name in DatasetBuilderConfig.model_fields if "_" in name)
_SCREENS = {
    **{row.key.upper(): row.name for row in SCREENS if row.key},
    **{f"/{row.name}": row.name for row in SCREENS if row.of_session or row.name == "settings"},
}

ALL_KINDS = frozenset(PlaceKind)
OF_FOREIGN_TEXT = frozenset({PlaceKind.CASE, PlaceKind.CELL, PlaceKind.FILE})
"""What is taken for a place in the content of cases and documents, where ``#143`` is an order and ``b12`` a vitamin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceNames:
    """The names of a session by which places are recognised. ``values`` has for each value the axes that have it, by category."""

    categories: Collection[str] = ()
    branches: Collection[str] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextLink:
    """A part of a text, and the place that it names."""

    start: int
    end: int
    place: Place


def references(text: str, names: PlaceNames, kinds: Collection[PlaceKind] = ALL_KINDS) -> list[TextLink]:
    """The parts of a text that may name places, in their order; none lies over another one."""
    text = text[:_MOST_TEXT]
    finders = {
        PlaceKind.CASE: _cases, PlaceKind.CELL: _cells, PlaceKind.CHECKPOINT: _checkpoints, PlaceKind.NUMBER: _numbers,
        PlaceKind.BRANCH: _branches, PlaceKind.BATCH: _batches, PlaceKind.SCREEN: _screens, PlaceKind.SETTING: _settings,
        PlaceKind.FILE: _files,
    }  # fmt: skip
    found: list[TextLink] = []
    for kind, find in finders.items():
        if kind in kinds:
            for link in find(text, names):
                if all(link.end <= other.start or other.end <= link.start for other in found):
                    found.append(link)
                if len(found) >= _MOST_FOUND:
                    break
    return sorted(found, key=lambda link: link.start)


def _cases(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _CASE.finditer(text):
        if found[1] in names.categories:
            yield TextLink(found.start(), found.end(), _case(found[1], found[2]))
    spaced = [name for name in names.categories if " " in name]
    for found in _SPACED_CASE.finditer(text) if spaced else ():
        before = text[: found.start()]
        for name in spaced:
            begin = len(before) - len(name)
            if before.endswith(name) and not before[:begin][-1:].isalnum():
                yield TextLink(begin, found.end(), _case(name, found[1]))


def _case(category: str, ordinal: str) -> Place:
    return Place(kind=PlaceKind.CASE, name=case_id(category, int(ordinal)))


def _numbers(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _NUMBER.finditer(text):
        yield TextLink(found.start(), found.end(), Place(kind=PlaceKind.NUMBER, name=str(int(found[1]))))


def _batches(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _BATCH.finditer(text):
        yield TextLink(found.start(), found.end(), Place(kind=PlaceKind.BATCH, name=str(int(found[1]))))


def _checkpoints(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _CHECKPOINT.finditer(text):
        yield TextLink(found.start(), found.end(), Place(kind=PlaceKind.CHECKPOINT, name=str(int(found[1]))))


def _branches(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _BRANCH.finditer(text):
        begin = found.end()
        begin += text[begin : begin + 1] in _QUOTES and begin < len(text)
        if name := _named_at(text, begin, names.branches):
            yield TextLink(found.start(), begin + len(name), Place(kind=PlaceKind.BRANCH, name=name))


def _named_at(text: str, begin: int, names: Collection[str]) -> str:
    """The longest of these names that stands there as a whole word; empty for none."""
    fitting = [name for name in names if text.startswith(name, begin) and not _goes_on(text, begin + len(name))]
    return max(fitting, key=len, default="")


def _goes_on(text: str, at: int) -> bool:
    return text[at : at + 1].isalnum() or text[at : at + 1] in ("_", "-")


def _cells(text: str, names: PlaceNames) -> Iterator[TextLink]:
    """``refunds × angry`` and ``angry × refunds``."""
    if not names.values:
        return
    at = text.find(" × ")
    while at >= 0:
        begin = at + 3
        for left, right in ((names.categories, names.values), (names.values, names.categories)):
            first, second = _named_before(text, at, left), _named_at(text, begin, right)
            category, value = (first, second) if left is names.categories else (second, first)
            axis = names.values.get(value, {}).get(category, "")
            if axis:
                place = Place(kind=PlaceKind.CELL, name=category, axis=axis, value=value)
                yield TextLink(at - len(first), begin + len(second), place)
                break
        at = text.find(" × ", begin)


def _named_before(text: str, end: int, names: Collection[str]) -> str:
    fitting = [name for name in names if text.endswith(name, 0, end) and not text[: end - len(name)][-1:].isalnum()]
    return max(fitting, key=len, default="")


def _screens(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _SEARCH.finditer(text):
        yield TextLink(found.start(), found.end(), screen_place("cases", found[1]))
    for found in _KEY.finditer(text):
        if (name := _SCREENS.get(found[0])) is not None:
            yield TextLink(found.start(), found.end(), screen_place(name))


def _settings(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _SETTING.finditer(text):
        if found[0] in _SETTINGS:
            yield TextLink(found.start(), found.end(), Place(kind=PlaceKind.SETTING, name=found[0]))


def _files(text: str, names: PlaceNames) -> Iterator[TextLink]:
    for found in _PATH.finditer(text):
        path = found[0].rstrip(".,-")
        last = path.rpartition("/")[2]
        ending = f".{last.rpartition('.')[2]}" if "." in last.lstrip(".") else ""
        if not last.startswith(".") and (("/" in path and last) or ending in _ENDINGS) and "//" not in path:
            yield TextLink(found.start(), found.start() + len(path), Place(kind=PlaceKind.FILE, name=path))
