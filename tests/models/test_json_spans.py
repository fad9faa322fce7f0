"""JSON in a text: the same objects and arrays as a decoder finds that is tried at each bracket."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

from dsbuilder_tui.models.json_spans import json_spans

_DECODER = json.JSONDecoder(strict=False)
_PIECES = (
    "{", "}", "[", "]", ":", ",", '"', '"a"', '"a":', "1", "true", " ", "\\", '\\"', "x", "[1,2]", '"b c"', "\n", "-", "-1.5e3", "{}",
    '"k": [', "\\u00e4", "NaN", '{"name":"save","arguments":{"a":1}}', "007", "1.", "]}", "é",
)  # fmt: skip


def tried_at_each_bracket(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (found := re.compile(r"[{\[]").search(text, at)) is not None:
        try:
            _, stop = _DECODER.raw_decode(text, found.start())
        except ValueError:
            at = found.end()
            continue
        yield found.start(), stop
        at = stop


def test_it_finds_what_a_decoder_finds() -> None:
    chance = random.Random(1)
    for _ in range(20_000):
        text = "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 16)))
        assert list(json_spans(text)) == list(tried_at_each_bracket(text)), text


def test_what_is_nested_too_deeply_is_looked_into() -> None:
    assert list(json_spans("[" * 100_000 + '{"a": 1}')) == [(100_000, 100_008)]
    assert list(json_spans("[" * 199 + "]" * 199)) == [(0, 398)]
