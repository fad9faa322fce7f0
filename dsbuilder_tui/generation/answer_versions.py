"""A whole answer, and which of the cases in it the model means to deliver: of several versions the last."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.domain.embedded_json import embedded_values
from dsbuilder_tui.generation.case_scanner import CaseReader, CaseScanner, FoundCase, MalformedCase, RunawayOutput
from dsbuilder_tui.generation.thoughts import Split, split_thoughts

_MOST_TRIES = 64
_SLOT = re.compile(r"\s*+#?\s*+(?:(?:test\s*+)?case|slot)?\s*+#?\s*+(\d{1,9})(?:\.0+)?\s*+[.):]?\s*+", re.IGNORECASE)
_SLOT_KEY = re.compile(r'["\']?slot["\']?\s*:\s*["\']?(\d{1,9})')
_PLAUSIBLE = re.compile(r'\{(?=\s*["\'}])|\[(?=\s*[\[{"\]])')
_NOTHING = re.compile(r"(?:```\w*|</?\w+>|<\|\w+\|>|[\s,;.\ufeff])*")


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """``cases`` by index of slot. ``found`` counts all objects that are cases, drafts and surplus included.

    ``unfinished`` when it ends within an object; ``clean`` when it is one list of cases, and nothing but marked thoughts
    is around it; ``from_thoughts`` when the cases stood where the model thinks.
    """

    cases: dict[int, Any]
    found: int = 0
    unfinished: bool = False
    clean: bool = False
    from_thoughts: bool = False


@dataclass(slots=True)
class _Version:
    """The cases that one list or object holds, or (container 0) those that stand by themselves."""

    container: int
    cases: list[FoundCase] = field(default_factory=list)
    cut: bool = False  # it had not closed when the answer ended

    def by_slot(self, size: int) -> dict[int, Any]:
        """What names a slot that is taken, or was not asked for, is left out."""
        named = [named_slot(case) for case in self.cases]
        # Some count from 0: only when all of them say so.
        from_zero = 0 in named and all(number is None or number < size for number in named)
        found: dict[int, Any] = {}
        before = -1
        for case, number in zip(self.cases, named, strict=True):
            index = before + 1 if number is None else number - (not from_zero)
            if index in found and isinstance(case.raw, MalformedCase):
                index = before + 1  # what cannot be read names nothing for certain
            if 0 <= index < size and index not in found:
                found[index] = case.raw
                before = index
        return found


def named_slot(case: FoundCase) -> int | None:
    """The number of the slot that a case says it is for; None when it says none that can be read."""
    raw = case.raw
    if isinstance(raw, MalformedCase):
        named: Any = (key := _SLOT_KEY.search(raw.text)) and key.group(1)
    else:
        named = raw.get("slot")
    if isinstance(named, str):
        read = _SLOT.fullmatch(named)
        named = int(read.group(1)) if read else None
    if isinstance(named, float) and named.is_integer():
        named = int(named)
    return named if isinstance(named, int) and not isinstance(named, bool) else case.number


def read_answer(
    text: str, size: int, fields: Collection[str] = (), *, several: bool = False, ended: bool = True, apart: str = ""
) -> ReadAnswer:
    """Read a whole answer to a request for ``size`` cases.

    ``ended`` is false when it was cut off. ``apart`` are thoughts that the endpoint keeps apart: some servers put all that
    comes there, so that an answer may be found at their end.
    """
    split = split_thoughts(text)
    scanner = CaseScanner(fields, several=several)
    try:
        found = scanner.feed(split.answer)
    except RunawayOutput:
        found = []
    versions = list(_versions(found, scanner.open_containers if scanner.depth else frozenset()))
    cases = _chosen(versions, size)
    unfinished = bool(scanner.unfinished) or not split.closed
    if not ended and len(versions) == 1 and scanner.depth and not versions[0].cut:
        cases = {}  # what was cut off is the version behind the only one that is whole
    clean = scanner.only_json and len(versions) == 1 and split.marked and not scanner.depth
    if cases or not ended:
        return ReadAnswer(cases, len(found), unfinished, clean)
    reader = CaseReader(fields, several=several)
    if not found:
        cases = _chosen(list(_versions(list(_decoded(split.answer, reader)), frozenset())), size)
        if cases:
            return ReadAnswer(cases, len(cases))
    for thoughts in _unanswered(split, apart):
        cases = _chosen(list(_versions(list(_decoded(thoughts, reader, at_end=True)), frozenset())), size)
        if cases:
            return ReadAnswer(cases, len(cases), from_thoughts=True)
    return ReadAnswer({}, len(found), unfinished)


def _unanswered(split: Split, apart: str) -> Iterator[str]:
    """Thoughts that may end with the answer, when there is none behind them."""
    if "{" not in split.answer:
        if not split.closed:
            yield split.thoughts
        if apart:
            yield apart


def _versions(found: list[FoundCase], still_open: Collection[int]) -> Iterator[_Version]:
    current: _Version | None = None
    slots: set[int | None] = set()
    for case in found:
        slot = named_slot(case)
        again = not case.container and slot is not None and slot in slots
        if current is None or current.container != case.container or again:
            if current is not None:
                yield current
            current, slots = _Version(case.container, cut=case.container in still_open), set()
        slots.add(slot)
        current.cases.append(case)
    if current is not None:
        yield current


def _chosen(versions: list[_Version], size: int) -> dict[int, Any]:
    chosen: dict[int, Any] = {}
    listed = False  # what is chosen stood in a list
    for version in versions:
        cases, in_list = version.by_slot(size), bool(version.container)
        if not cases:
            continue
        large = 2 * len(cases) >= len(chosen)  # one example behind ten cases does not take their place
        if not chosen or (in_list and not listed and large):
            chosen, listed = cases, in_list
        elif cases.keys() & chosen.keys():
            if version.cut or large:
                chosen, listed = cases, in_list
        elif in_list or not listed:
            chosen = chosen | cases
    return chosen


def _decoded(text: str, reader: CaseReader, *, at_end: bool = False) -> Iterator[FoundCase]:
    """Cases in the JSON of a text whose braces are not to be trusted; with ``at_end`` only in what it ends with."""
    whole = _string_value(text)
    if whole is not None:
        yield from reader.cases_within(whole)
        return
    values = list(embedded_values(text, _PLAUSIBLE, _MOST_TRIES))
    if at_end:
        end = len(text)
        kept = []
        for found in reversed(values):
            if not _NOTHING.fullmatch(text, found.end, end):
                break
            kept.append(found)
            end = found.start
        values = kept[::-1]
    counted = 0
    for found in values:
        cases = reader.cases_within(found.value, counted)
        counted += len(cases) + 1_000
        yield from cases


def _string_value(text: str) -> Any:
    """What stands in a text that is JSON within a string, as ``"{\\"cases\\": …}"``; None when it is not."""
    text = text.strip()
    for wrapped in (text,) if text.startswith('"') else (f'"{text}"',) if text.startswith(('{\\"', '[{\\"')) else ():
        try:
            value = json.loads(wrapped, strict=False)
        except ValueError:
            continue
        if isinstance(value, str):
            return value
    return None
