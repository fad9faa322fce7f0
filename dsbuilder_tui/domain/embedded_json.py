"""JSON values that stand in a text, whatever stands around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder(strict=False)  # line breaks in strings are let through


class EmbeddedValue(NamedTuple):
    """A value, and the characters of the text that it was read from: ``text[start:end]``."""

    value: Any
    start: int
    end: int


def embedded_values(text: str, opener: re.Pattern[str], most_tries: int) -> Iterator[EmbeddedValue]:
    """The values that begin where ``opener`` matches, none within another; of one that is broken off those within it.

    Each beginning that is none costs a try, so that a text full of braces is not read for ever.
    """
    at = 0
    for _ in range(most_tries):
        begin = opener.search(text, at)
        if begin is None:
            return
        try:
            value, at = _DECODER.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at = begin.start() + 1
            continue
        yield EmbeddedValue(value, begin.start(), at)
