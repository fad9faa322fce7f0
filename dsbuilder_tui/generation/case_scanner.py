"""Cases parsed out of a model's text as each closes. Every character is looked at once."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

# Inside of brackets a whole string is one token; one that does not end yet gives its quotation mark alone.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)
_OPENERS = re.compile(r"[{\[]")
_ANY_MARK = re.compile(r'["\\{}\[\]]')
_REST_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_KEY = re.compile(r'["\']?([^"\'{}\[\],:\s]+)["\']?\s*:\s*\Z')
_NUMBERED = re.compile(r"(?:(?:test[ _-]?)?case|slot|item)?[ #._-]*(\d{1,6})", re.IGNORECASE)
_NO_ANSWER = re.compile(r"```\w*|[\s,;\ufeff]+")
_SCHEMA_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_KEY_LENGTH = 100
_MOST_OUTSIDE = 400  # characters beside the JSON that are kept
_DEEPEST = 12  # an envelope within an envelope …

CASE_KEYS = ("slot", "inputs", "input")
_PARTS = ("expectations", "expectation", "tags")  # in a case, and in none of the envelopes around it

# Tolerant parsers take some 7 µs a character, on the event loop; a case that needs them is short or given up.
_MOST_MENDED = 10_000

# A model can write white space or one endless string for ever; no case is this long.
MOST_UNFINISHED = 256 * 1024


class RunawayOutput(Exception):
    """The model has written far more than one case without closing one."""


class MalformedCase:
    """A closed object that is no JSON, not even with tolerance. ``text`` is its beginning."""

    def __init__(self, text: str) -> None:
        self.text = text


@dataclass(slots=True)
class FoundCase:
    """A case that has closed.

    ``container`` numbers the list or object that holds it, 0 for a case that stands by itself; ``number`` is the one in
    the key under which it stood, as in ``{"case_3": …}``.
    """

    raw: Any
    container: int = 0
    number: int | None = None


class CaseScanner:
    """Feed it text; it returns the cases that have closed.

    Knows lists of cases under any name and at any depth, objects under numbers, objects one after another (JSON lines),
    JSON within a string, code fences and prose around any of them. A case is an object with at least one of ``slot``,
    ``inputs`` and the ``fields`` of the plan that is not within such an object.
    """

    def __init__(self, fields: Collection[str] = (), *, several: bool = False) -> None:
        """``several`` when each case is to hold a list of candidates."""
        self._keys = CaseReader(fields, several=several)
        self._case_key = _case_key(self._keys.fields)
        self._buffer = ""
        self._waiting: list[str] = []  # pieces behind it in which nothing opens, closes or ends
        self._at = 0  # scanned up to here
        self._stack: list[int] = []  # positions of open brackets in the buffer
        self._kinds: list[str] = []
        self._containers: list[int] = []  # number of each open bracket
        self._open_containers: set[int] = set()  # the same ones; and how many there are of each kind
        self._open_kinds = {"{": 0, "[": 0}
        self._counted = 0
        self._case_depth = 0  # how many brackets are open within the case that is open now, itself included; 0 for none
        self._level_from = 0  # what stands on the level of the innermost open bracket begins here
        self._in_string = False
        self._found_in_root = False
        self._since_case = 0  # characters since a case closed
        self.outside = ""  # the beginning of what is not JSON

    @property
    def unfinished(self) -> str:
        """The text of an object that has begun and not closed, and may be a case; or ``""``."""
        if self._case_depth:
            start = self._stack[self._case_depth - 1]
        elif self._kinds and self._kinds[-1] == "{":
            start = self._stack[-1]
        else:
            return ""
        return self._buffer[start:] + "".join(self._waiting)

    @property
    def depth(self) -> int:
        """How many brackets are open."""
        return len(self._kinds)

    @property
    def in_string(self) -> bool:
        return self._in_string

    @property
    def only_json(self) -> bool:
        """Whether nothing but JSON has come so far, code fences apart."""
        return not _NO_ANSWER.sub("", self.outside if self._kinds else self.outside + "".join(self._waiting))

    @property
    def open_containers(self) -> Set[int]:
        """The numbers of the lists and objects that have not closed, as they are now."""
        return self._open_containers

    def feed(self, text: str) -> list[FoundCase]:
        """Raises ``RunawayOutput``."""
        self._since_case += len(text)
        self._waiting.append(text)
        if _ANY_MARK.search(text) is None:
            if self._since_case > MOST_UNFINISHED:
                raise RunawayOutput
            return []
        self._buffer += "".join(self._waiting)
        self._waiting.clear()
        found: list[FoundCase] = []
        buffer, at = self._buffer, self._at
        while True:
            if self._in_string:
                rest = _REST_OF_STRING.match(buffer, at)
                at = rest.end() if rest else at
                if at >= len(buffer) or buffer[at] != '"':
                    break  # a lone backslash waits for the character that it escapes
                self._in_string = False
                at += 1
            if not self._kinds:
                mark = _OPENERS.search(buffer, at)
                if len(self.outside) < _MOST_OUTSIDE:
                    self.outside += buffer[at : mark.start() if mark else len(buffer)].strip(" \n\r\t")[:_MOST_OUTSIDE]
            else:
                mark = _TOKENS.search(buffer, at)
            if mark is None:
                at = len(buffer)
                break
            token, at = mark.group(), mark.end()
            if token == "{" or token == "[":
                self._open(token, mark.start())
            elif token == "}" or token == "]":
                self._close(token, mark.start(), found)
            elif len(token) == 1:
                self._in_string = True
        self._at = at
        if found:
            self._since_case = 0
        elif self._since_case > MOST_UNFINISHED:
            raise RunawayOutput
        self._trim()
        return found

    def _open(self, mark: str, place: int) -> None:
        if not self._case_depth:
            if self._kinds and self._kinds[-1] == "{" and self._case_key.search(self._buffer, self._level_from, place):
                self._case_depth = len(self._kinds)
            self._level_from = place
        self._stack.append(place)
        self._kinds.append(mark)
        self._counted += 1
        self._containers.append(self._counted)
        self._open_containers.add(self._counted)
        self._open_kinds[mark] += 1

    def _close(self, mark: str, place: int, found: list[FoundCase]) -> None:
        opener = "{" if mark == "}" else "["
        kinds = self._kinds
        if not self._open_kinds[opener]:
            return
        while kinds[-1] != opener:  # a bracket that was never closed
            self._pop()
        depth = len(kinds)
        if self._case_depth > depth:
            self._case_depth = 0
        if not self._case_depth and mark == "}" and self._case_key.search(self._buffer, self._level_from, place):
            self._case_depth = depth  # a flat one
        start = self._stack[-1]
        if self._case_depth == depth:
            self._case_depth = 0
            self._take(start, place + 1, found)
        elif self._case_depth:
            self._pop()
            return
        elif depth == 1 and not self._found_in_root:
            # Once a root, and only when no case was seen in it: JSON in a string, say.
            value = parse_object(self._buffer[start : place + 1], only_if_case=True)
            found += self._keys.cases_within(value, self._counted)
            self._counted += len(found)
        self._pop()
        self._level_from = place + 1
        if not kinds:
            self._found_in_root = False

    def _pop(self) -> None:
        self._open_kinds[self._kinds.pop()] -= 1
        self._stack.pop()
        self._open_containers.discard(self._containers.pop())

    def _take(self, start: int, end: int, found: list[FoundCase]) -> None:
        inside = len(self._kinds) > 1
        value = parse_object(self._buffer[start:end], only_if_case=not inside)
        if isinstance(value, MalformedCase) or (isinstance(value, dict) and self._keys.is_sure(value)):
            cases = [FoundCase(value)]
        else:
            cases = list(self._keys.cases_within(value, self._counted))
            self._counted += len(cases)
        if len(cases) == 1 and inside:
            # Of what stands alone in its list or under its key it is that list which holds it.
            number = cases[0].number
            if number is None and (not isinstance(value, dict) or "slot" not in value):
                number = self._number_above(len(self._kinds) - 1)
            cases = [FoundCase(cases[0].raw, self._containers[-2], number)]
        if cases:
            self._found_in_root = True
            found += cases

    def _number_above(self, depth: int) -> int | None:
        """The number in the key of the object at ``depth``, or in that of the list it is the first of."""
        if self._kinds[depth - 1] == "[":
            depth -= 1
            if self._buffer[self._stack[depth] + 1 : self._stack[depth + 1]].strip() or self._kinds[depth - 1] != "{":
                return None
        start = self._stack[depth]
        key = _KEY.search(self._buffer, max(0, start - _KEY_LENGTH), start)
        return _number_of(key.group(1)) if key else None

    def _trim(self) -> None:
        """Forget text that no open bracket needs any more."""
        if self._case_depth:
            keep = self._stack[self._case_depth - 1]
        elif not self._kinds:
            keep = self._at
        elif not self._found_in_root:
            keep = self._stack[0]
        else:
            keep = min(self._at, self._stack[-1] if self._kinds[-1] == "{" else self._level_from)
        if keep > 4096 or (keep and not self._kinds):
            self._buffer = self._buffer[keep:]
            self._at -= keep
            self._level_from = max(0, self._level_from - keep)
            self._stack = [max(0, place - keep) for place in self._stack]


@cache
def _case_key(fields: tuple[str, ...]) -> re.Pattern[str]:
    """The beginning of a key that stands in a case, and not around it."""
    names = "|".join(map(re.escape, (*CASE_KEYS, *_PARTS, *fields)))
    return re.compile(rf'(?:["\'](?:{names})["\']|[{{,\s](?:{names}))\s*:')


class CaseReader:
    """Tells cases from what is around them, in JSON that has been parsed."""

    def __init__(self, fields: Collection[str] = (), *, several: bool = False) -> None:
        self.fields = (*fields, "candidates") if several else tuple(fields)

    def is_case(self, value: Mapping[str, Any]) -> bool:
        slot = value.get("slot")
        if slot is not None and not isinstance(slot, int | float | str):
            return False  # an echo of the schema
        if any(_holds(value.get(key)) for key in ("inputs", "input", *self.fields)):
            return True
        return slot is not None

    def is_sure(self, value: Mapping[str, Any]) -> bool:
        """Whether it is a case that needs no second look, as nearly all are."""
        return isinstance(value.get("slot"), int | str) and _holds(value.get("inputs"))

    def cases_within(self, value: Any, counted: int = 0, number: int | None = None) -> list[FoundCase]:
        """The cases in a parsed value, at whatever depth. Containers are numbered from ``counted`` + 1 on."""
        numbers = iter(range(counted + 1, 2**62))
        return list(self._within(value, 0, number, numbers, 0))

    def _within(
        self, value: Any, container: int, number: int | None, numbers: Iterator[int], depth: int
    ) -> Iterator[FoundCase]:
        if depth > _DEEPEST:
            return
        if isinstance(value, str):
            inner = json_in(value)
            if inner is not None:
                yield from self._within(inner, 0, None, numbers, depth + 1)
        elif isinstance(value, list):
            own = next(numbers)
            for place, item in enumerate(value):
                yield from self._within(item, own, None if place else number, numbers, depth + 1)
        elif isinstance(value, dict):
            own = next(numbers)
            if self.is_case(value):
                # Without a slot of its own it may be an envelope with a name that a plan uses too.
                around = value if "slot" not in value else {}
                inside = [
                    case
                    for key, inner in around.items()
                    if key not in ("inputs", "expectations") and isinstance(inner, dict | list | str)
                    for case in self._within(inner, own, _number_of(key), numbers, depth + 1)
                    if "slot" in case.raw and "inputs" in case.raw
                ]
                yield from inside or [FoundCase(value, container, number)]
                return
            for key, inner in value.items():
                if isinstance(inner, dict | list | str):
                    yield from self._within(inner, own, _number_of(key), numbers, depth + 1)


def json_in(text: str) -> Any:
    """The object or list that a text is as JSON, or None."""
    text = text.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _holds(value: Any) -> bool:
    """Whether something stands under a key that is not the description of a type."""
    if value is None or isinstance(value, str):
        return value is not None
    kind = value.get("type") if isinstance(value, Mapping) else None
    return not (isinstance(kind, str) and kind in _SCHEMA_TYPES)


def _number_of(key: str) -> int | None:
    found = _NUMBERED.fullmatch(key.strip())
    return int(found.group(1)) if found else None


def parse_object(text: str, *, only_if_case: bool = False) -> Any | None:
    """The object in ``text``: as JSON, else with what models get wrong (trailing commas, quotes, comments, line breaks).

    It is never guessed what was meant: a value without quotes makes a ``MalformedCase``, or None with ``only_if_case``,
    when the braces may just be prose.
    """
    try:
        return orjson.loads(text) or (None if only_if_case else {})
    except orjson.JSONDecodeError:
        pass
    import json5

    if len(text) > _MOST_MENDED:
        return None if only_if_case else MalformedCase(text[:200])
    parsers: tuple[Callable[[], Any], ...] = (
        lambda: json.loads(text, strict=False),
        lambda: json5.loads(text, strict=False),
        lambda: ast.literal_eval(text),
    )
    for parse in parsers:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's own, about odd escapes in the literal
                value = parse()
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, dict) and value:
            return value
    return None if only_if_case else MalformedCase(text[:200])
