"""Cases parsed out of a model's text as each closes. Every character is looked at once."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import orjson

_MARKS = re.compile(r'["\\{}\[\]]')
_STRING_MARKS = re.compile(r'["\\]')
_LIST_KEY = re.compile(r'[{,]\s*["\']?(\w+)["\']?\s*:\s*\Z')
_LIST_NAMES = {"cases", "test_cases", "testcases", "items", "examples", "instances", "results", "data", "records"}
_CASE_KEYS = {"slot", "inputs", "input", "expectations", "expectation", "tags", "messages"}

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


class CaseScanner:
    """Feed it text; it returns the cases that have closed, as parsed objects or ``MalformedCase``.

    Knows ``{"cases": [...]}``, a bare array, objects one after another (JSON lines), code fences and prose around any of
    them. A case is the outermost object that is not the wrapper.
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._at = 0  # scanned up to here
        self._stack: list[int] = []  # positions of open brackets in the buffer
        self._kinds: list[str] = []
        self._in_string = False
        self._wrapper = False  # the outermost object holds the list of cases
        self._held_cases = False  # it held one; a later list of it is no reason to take the whole for a case
        self._since_case = 0  # characters since a case closed

    @property
    def unfinished(self) -> str:
        """The text of a case that has begun and not closed, or ``""``."""
        start = self._case_start()
        return "" if start is None else self._buffer[start:]

    def feed(self, text: str) -> list[Any]:
        self._buffer += text
        self._since_case += len(text)
        cases: list[Any] = []
        buffer, at = self._buffer, self._at
        while True:
            found = (_STRING_MARKS if self._in_string else _MARKS).search(buffer, at)
            if found is None:
                at = len(buffer)
                break
            mark, place = found.group(), found.start()
            at = place + 1
            if self._in_string:
                if mark == "\\":
                    if at >= len(buffer):
                        at = place  # the escaped character comes with the next chunk
                        break
                    at += 1
                elif mark == '"':
                    self._in_string = False
            elif mark == '"':
                self._in_string = bool(self._kinds)
            elif mark in "{[":
                self._open(mark, place)
            elif mark in "}]":
                case = self._close(mark, place)
                if case is not None:
                    cases.append(case)
        self._at = at
        if cases:
            self._since_case = 0
        elif self._since_case > MOST_UNFINISHED:
            raise RunawayOutput
        self._trim()
        return cases

    def _open(self, mark: str, place: int) -> None:
        if mark == "[" and self._kinds == ["{"]:
            before = self._buffer[self._stack[0] : place]
            key = _LIST_KEY.search(before)
            name = key.group(1).lower() if key else ""
            first = key is not None and key.start() == 0
            self._wrapper = name in _LIST_NAMES or (first and name not in _CASE_KEYS)
            self._held_cases = self._held_cases or self._wrapper
        self._stack.append(place)
        self._kinds.append(mark)

    def _close(self, mark: str, place: int) -> Any | None:
        opener = "{" if mark == "}" else "["
        if opener not in self._kinds:
            return None
        while self._kinds[-1] != opener:  # a bracket that was never closed
            self._kinds.pop()
            self._stack.pop()
        is_case = mark == "}" and self._case_start() == self._stack[-1]
        start = self._stack.pop()
        self._kinds.pop()
        was_wrapper = self._held_cases and not self._kinds
        if not self._kinds:
            self._wrapper = self._held_cases = False
        if not is_case or was_wrapper:
            return None
        text = self._buffer[start : place + 1]
        return parse_object(text, only_if_case=not self._kinds)

    def _case_start(self) -> int | None:
        """Where the case that is open now began in the buffer."""
        kinds = self._kinds
        for depth, kind in enumerate(kinds):
            if kind == "{" and not (depth == 0 and self._wrapper):
                return self._stack[depth]
        return None

    def _trim(self) -> None:
        """Forget text that no open bracket needs any more, keeping the wrapper's opening short."""
        start = self._case_start()
        keep = start if start is not None else (self._at if self._wrapper or not self._kinds else self._stack[0])
        if keep > 4096 or (keep and not self._kinds):
            self._buffer = self._buffer[keep:]
            self._at -= keep
            self._stack = [max(0, place - keep) for place in self._stack]


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
