"""JSON objects and arrays in a text that holds other things too: found in one pass, however many brackets begin nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

_OPENER = re.compile(r"[{\[]")
_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null|NaN|-?Infinity")
_DEEPEST = 200  # brackets in one another; no call has so many, and a decoder takes a thousand

Span = tuple[int, int]


class _Next(Enum):
    """What may stand at a place inside of an object or an array."""

    VALUE_OR_END = auto()
    VALUE = auto()
    KEY_OR_END = auto()
    KEY = auto()
    COLON = auto()
    COMMA_OR_END = auto()


class _Open:
    """An object or an array whose end has not come. ``whole`` are those in it that have ended."""

    __slots__ = ("begin", "is_object", "next", "whole")

    def __init__(self, begin: int, is_object: bool) -> None:
        self.begin, self.is_object = begin, is_object
        self.next = _Next.KEY_OR_END if is_object else _Next.VALUE_OR_END
        self.whole: list[Span] = []

    def takes(self, sign: str) -> bool:
        """Go on behind a comma or a colon. Returns whether it may stand here."""
        if sign == "," and self.next is _Next.COMMA_OR_END:
            self.next = _Next.KEY if self.is_object else _Next.VALUE
        elif sign == ":" and self.next is _Next.COLON:
            self.next = _Next.VALUE
        else:
            return False
        return True

    @property
    def takes_value(self) -> bool:
        return self.next in (_Next.VALUE, _Next.VALUE_OR_END)

    @property
    def takes_key(self) -> bool:
        return self.next in (_Next.KEY, _Next.KEY_OR_END)

    def may_end(self, sign: str) -> bool:
        if sign != ("}" if self.is_object else "]"):
            return False
        return self.next in (_Next.COMMA_OR_END, _Next.KEY_OR_END, _Next.VALUE_OR_END)


def json_spans(text: str) -> Iterator[Span]:
    """Begin and end of the objects and arrays in a text, in order, none inside of another one that is whole."""
    at = 0
    while (found := _OPENER.search(text, at)) is not None:
        whole, at = _read(text, found.start())
        yield from whole


def _read(text: str, begin: int) -> tuple[list[Span], int]:
    """What is whole of the object or array that begins here, and where to look on.

    Where it breaks off, what has ended in it is whole. A quotation mark of the words around may have been taken for the
    beginning of a string, so the last string is looked into again: it is the only one, so no part is read more than thrice.
    """
    stack, at, string = [_Open(begin, text[begin] == "{")], begin + 1, begin
    while stack:
        top = stack[-1]
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        sign = text[at : at + 1]
        if sign and sign in "{[" and top.takes_value and len(stack) < _DEEPEST:
            top.next = _Next.COMMA_OR_END
            stack.append(_Open(at, sign == "{"))
            at += 1
        elif sign == '"' and (top.takes_value or top.takes_key):
            string = at
            if (found := _STRING.match(text, at)) is None:
                break
            top.next = _Next.COLON if top.takes_key else _Next.COMMA_OR_END
            at = found.end()
        elif sign and top.may_end(sign):
            stack.pop()
            at += 1
            if not stack:
                return [(top.begin, at)], at
            stack[-1].whole.append((top.begin, at))
        elif sign and top.takes(sign):
            at += 1
        elif top.takes_value and (found := _SCALAR.match(text, at)) is not None:
            top.next = _Next.COMMA_OR_END
            at = found.end()
        else:
            break
    whole = [span for each in stack for span in each.whole]
    behind = whole[-1][1] if whole else begin + 1
    return whole, string + 1 if string >= behind else max(at, behind)
