"""JSON values one after another out of a stream, so that a document of any size is never in memory as a whole."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from dsbuilder_tui.domain.sanitise import whole_characters

_PIECE = 2**18
_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_THE_END = 16  # characters: a word or an escape that the end of the buffer may have cut
_DECODER = json.JSONDecoder()
TOO_MANY_PARTS = "a record of more than a million parts"
_MOST_PARTS = 1_000_000
# Of a document that is read record by record:
LONGEST_RECORD = 16 * 2**20  # bytes; what is longer is no row of a dataset, and would have to fit into memory
LONGEST_BESIDE = 256 * 2**20  # characters of what stands beside the records, which is read at once


class Unusable(Exception):
    """A record that gives no row, and why, in words."""


def has_too_many_parts(*marks: int) -> bool:
    """Whether a record has so many commas and brackets that it would take hundreds of megabytes, however short its text."""
    return sum(marks) > _MOST_PARTS


class JsonStream:
    """Reads a stream of UTF-8.

    Raises ``Unusable`` with what is wrong: no JSON, nested too deeply, not UTF-8, or a value that is too long.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._text, self._at, self._ended = "", 0, False
        self._record = False  # it is a record that is read, not what stands around many

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches the empty string
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Step over one character, which has to be this one."""
        if self.peek() != wanted:
            raise Unusable(f"not JSON: {wanted!r} was expected")
        self._at += 1

    def value(self, most: int, *, record: bool = False) -> tuple[Any, str]:
        """The next value, of ``most`` characters at most, and the text it is written in. A ``record`` has few parts."""
        self._record = record
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise Unusable("nested too deeply") from None
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - _NEAR_THE_END or error.msg.startswith("Unterminated string")
                if not cut or not self._more(most):
                    raise Unusable(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
            except ValueError:  # a number of thousands of digits
                raise Unusable("not JSON: a number that is too long") from None
            else:
                if end == len(self._text) and not isinstance(value, str | dict | list) and self._more(most):
                    continue  # the number may go on
                text, self._at = self._text[self._at : end], end
                return (whole_characters(value) if "\\ud" in text or "\\uD" in text else value), text

    def elements(self, most: int) -> Iterator[tuple[Any, str]]:
        """The records of an array, as ``value`` gives them."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value(most, record=True)
            if self.peek() != ",":
                self.take("]")
                return
            self.take(",")

    def skip_rest(self) -> None:
        """Raises ``Unusable`` when anything but spaces follows."""
        if self.peek():
            raise Unusable("not JSON: something follows its end")

    def _more(self, most: int = _PIECE) -> bool:
        """Read on, twice as much as is waiting, so that a long value is not looked at again and again."""
        if self._ended:
            return False
        waiting = len(self._text) - self._at
        if waiting > most:
            raise Unusable(f"a value of more than {most // 2**20} MB")
        if self._record and has_too_many_parts(*(self._text.count(mark, self._at) for mark in ",[{")):
            raise Unusable(TOO_MANY_PARTS)
        piece = self._read(max(_PIECE, waiting))
        self._ended = not piece
        try:
            text = self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            raise Unusable(f"not UTF-8: {error.reason}") from None
        self._text, self._at = self._text[self._at :] + text, 0
        return bool(text) or not self._ended
