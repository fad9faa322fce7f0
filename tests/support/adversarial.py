"""The package's patterns, each with the methods it is used by, and texts that make a pattern look again and again."""

from __future__ import annotations

import ast
import gc
import importlib
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from tests.support.import_graph import modules

_METHODS = {"search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
_SAMPLES = {
    ops.CATEGORY_DIGIT: "1", ops.CATEGORY_NOT_DIGIT: "x", ops.CATEGORY_SPACE: " ", ops.CATEGORY_NOT_SPACE: "x",
    ops.CATEGORY_WORD: "a", ops.CATEGORY_NOT_WORD: "-",
}  # fmt: skip
_ANY = 'a1 -.\n,é"_'


@dataclass
class UsedPattern:
    """A pattern, where it stands, and how it is asked."""

    pattern: str
    flags: int
    where: str
    methods: set[str] = field(default_factory=set)

    def asked(self) -> Iterator[tuple[str, Callable[[str], object]]]:
        compiled = re.compile(self.pattern, self.flags)
        # What goes over the whole text looks from each place; the others are subsets of it.
        if self.methods & {"split", "findall", "finditer", "sub", "subn"}:
            yield "finditer", lambda text: sum(1 for _ in compiled.finditer(text))
        elif "search" in self.methods:
            yield "search", compiled.search
        if "fullmatch" in self.methods:
            yield "fullmatch", compiled.fullmatch
        if "match" in self.methods:
            yield "match", compiled.match


def package_patterns(package: Path) -> tuple[dict[tuple[str, int], UsedPattern], list[str]]:
    """Every pattern that a file of the package writes down, and the places of those that are made while it runs."""
    found: dict[tuple[str, int], UsedPattern] = {}
    made: list[str] = []
    for name, path in modules(package).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not any(isinstance(node, ast.Import) and any(a.name == "re" for a in node.names) for node in ast.walk(tree)):
            continue
        scope = vars(importlib.import_module(name))
        asked = _asked(tree)
        bound = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            method = _re_method(call)
            if method is None:
                continue
            where = f"{name.removeprefix(package.name + '.')}:{call.lineno}"
            try:
                given = eval(compile(ast.Expression(call.args[0]), where, "eval"), dict(scope))
                flags = _flags(call, method, scope)
            except NameError:
                made.append(where)
                continue
            methods = {method} if method != "compile" else asked.get(bound.get(id(call), ""), set())
            _add(found, given, flags, where, methods)
        for constant in list(scope.values()):
            for pattern in _compiled(constant, 0):
                _add(found, pattern.pattern, pattern.flags & ~re.UNICODE, name.removeprefix(package.name + "."), set())
    for pattern in found.values():
        pattern.methods = pattern.methods or {"search"}
    return found, made


def families(pattern: str, flags: int, heads_at_most: int = 3, units_at_most: int = 12) -> Iterator[tuple[str, str]]:
    """Beginnings and units to repeat: what a pattern repeats itself, and what leads to each place in it."""
    bodies: dict[str, None] = {}
    heads: dict[str, None] = {}
    for head, unit in _points(parser.parse(pattern, flags), ""):
        if len(head) < 200:
            heads.setdefault(head)
        if unit and len(unit) < 200:
            bodies.setdefault(unit)
    spread = _spread([body for body in bodies if body not in heads], units_at_most // 2)
    units = [*spread, *_spread([head for head in heads if head], units_at_most - len(spread))]
    for head in ("", *_spread([head for head in heads if head], heads_at_most)):
        yield from ((head, unit) for unit in units)


def _spread(texts: list[str], most: int) -> list[str]:
    return texts if len(texts) <= most else [texts[at * len(texts) // most] for at in range(most)]


def _points(items: Any, before: str) -> Iterator[tuple[str, str]]:
    """For each repetition: what leads to it, and what it repeats; and each way of an alternation."""
    for op, value in items:
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            _, most, inner = value
            for way in _samples(inner, 3):
                if most > 8:
                    yield before, way
            yield from _points(inner, before)
            before += _sample(inner)
        elif op is ops.BRANCH:
            for way in value[1]:
                yield from _points(way, before)
            before += _sample([(op, value)])
        elif op is ops.SUBPATTERN:
            yield from _points(value[3], before)
            before += _sample(value[3])
        elif op is ops.ATOMIC_GROUP:
            yield from _points(value, before)
            before += _sample(value)
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            yield from _points(value[1], before)
        else:
            before += _sample([(op, value)])
        if before:
            yield before, before


def _sample(items: Any) -> str:
    return next(iter(_samples(items, 1)), "")


def _samples(items: Any, most: int) -> list[str]:
    texts = [""]
    for op, value in items:
        ways = _ways(op, value, most)
        texts = [text + way for text in texts for way in ways][:most]
    return texts


def _ways(op: Any, value: Any, most: int) -> list[str]:
    if op is ops.LITERAL:
        return [chr(value)]
    if op is ops.NOT_LITERAL:
        return [next(c for c in _ANY if ord(c) != value)]
    if op is ops.ANY:
        return ["a"]
    if op is ops.IN:
        return _members(value)[:most]
    if op is ops.CATEGORY:
        return [_SAMPLES[value]]
    if op is ops.BRANCH:
        return [way for branch in value[1] for way in _samples(branch, 1)][: max(most, 1) * 4]
    if op is ops.SUBPATTERN:
        return _samples(value[3], most)
    if op is ops.ATOMIC_GROUP:
        return _samples(value, most)
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        least, highest, inner = value
        return [text * max(least, min(1, highest)) for text in _samples(inner, most)]
    return [""]


def _members(items: Any) -> list[str]:
    negated = bool(items) and items[0][0] is ops.NEGATE
    compiled = [(op, value) for op, value in items if op is not ops.NEGATE]
    if negated:
        return [c for c in _ANY if not any(_holds(op, value, c) for op, value in compiled)] or ["\u4e00"]
    texts = []
    for op, value in compiled:
        texts.append(chr(value) if op is ops.LITERAL else chr(value[0]) if op is ops.RANGE else _SAMPLES[value])
    return texts


def _holds(op: Any, value: Any, c: str) -> bool:
    if op is ops.LITERAL:
        return ord(c) == value
    if op is ops.RANGE:
        return bool(value[0] <= ord(c) <= value[1])
    return {
        ops.CATEGORY_DIGIT: c.isdigit(), ops.CATEGORY_SPACE: c.isspace(), ops.CATEGORY_WORD: c.isalnum() or c == "_",
        ops.CATEGORY_NOT_DIGIT: not c.isdigit(), ops.CATEGORY_NOT_SPACE: not c.isspace(),
        ops.CATEGORY_NOT_WORD: not (c.isalnum() or c == "_"),
    }[value]  # fmt: skip


def is_superlinear(act: Callable[[str], object], head: str, unit: str, tail: str = "\x00") -> str | None:
    """How the processor time of an act grows from 1 to 10 to 100 KB of a text, in words, when it grows like the square.

    What is linear takes ten times as long; more than thirty times as long is none of the machine's noise.
    """

    def taken(size: int, times: int = 3) -> float:
        text = head + unit * (size // len(unit)) + tail
        best = math.inf
        # Neither what other tests have left for the collector to look through, nor their threads.
        collects = gc.isenabled()
        gc.disable()
        try:
            for _ in range(times):
                begun = time.thread_time()
                act(text)
                best = min(best, time.thread_time() - begun)
                if best > 0.3:
                    break
        finally:
            if collects:
                gc.enable()
        return best

    least = 0.0005  # seconds: less is not measured well
    for size in (24, 90, 300):  # what grows faster than the square would not end at a thousand
        if taken(size, 1) > 0.05 and taken(size) > 0.05:
            return f"{head!r} + {unit!r} × n: more than 0.05 s for {size} characters"
    if taken(3_000, 1) < least:
        return None
    before = taken(1_000)
    for size in (10_000, 100_000):
        now = taken(size)
        if now > 30 * max(before, least):  # measured once more, and longer, before it is believed
            before, now = taken(size // 10, 20), min(now, taken(size, 9))
        if now > 30 * max(before, least):
            return f"{head!r} + {unit!r} × n: {size:,} characters take {now / max(before, least):.0f} times as long as a tenth"
        before = now
    return None


def _asked(tree: ast.AST) -> dict[str, set[str]]:
    asked: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _METHODS:
            asked.setdefault(node.value.id, set()).add(node.attr)
    return asked


def _re_method(call: ast.Call) -> str | None:
    head = call.func
    if isinstance(head, ast.Attribute) and isinstance(head.value, ast.Name) and head.value.id == "re" and call.args:
        return head.attr if head.attr in _METHODS | {"compile"} else None
    return None


def _flags(call: ast.Call, method: str, scope: dict[str, Any]) -> int:
    given = next((k.value for k in call.keywords if k.arg == "flags"), None)
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(method, 2)
    if given is None and len(call.args) > place:
        given = call.args[place]
    return 0 if given is None else int(eval(compile(ast.Expression(given), "flags", "eval"), dict(scope)))


def _compiled(value: object, depth: int) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif depth < 3 and isinstance(value, dict):
        yield from (p for each in value.values() for p in _compiled(each, depth + 1))
    elif depth < 3 and isinstance(value, list | tuple | frozenset):
        yield from (p for each in value for p in _compiled(each, depth + 1))
    elif depth < 3 and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        yield from (p for name in value.__dataclass_fields__ for p in _compiled(getattr(value, name, None), depth + 1))


def _add(
    found: dict[tuple[str, int], UsedPattern], given: object, flags: int, where: str, methods: Iterable[str]
) -> None:
    if isinstance(given, re.Pattern):
        given, flags = given.pattern, given.flags & ~re.UNICODE
    if isinstance(given, str):
        found.setdefault((given, flags), UsedPattern(given, flags, where)).methods.update(methods)
