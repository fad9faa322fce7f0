"""Cases out of whatever a model writes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.generation.case_scanner import MOST_UNFINISHED, CaseScanner, MalformedCase, RunawayOutput

A, B = (
    {"slot": 1, "inputs": {"query": 'say "}" {now} \\ ☃'}},
    {"slot": 2, "inputs": {"query": "[b]"}, "expectations": {"x": [1, {"y": 2}]}},
)
JA, JB = json.dumps(A), json.dumps(B, ensure_ascii=False)


def scan(text: str, size: int) -> list[Any]:
    scanner, cases = CaseScanner(), list[Any]()
    for start in range(0, len(text), size):
        cases += [found.raw for found in scanner.feed(text[start : start + size])]
    return cases


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize(
    ("text", "cases"),
    [
        (f'{{"cases": [{JA}, {JB}]}}', [A, B]),
        (f'```json\n{{"cases": [\n{JA},\n{JB}\n]}}\n```', [A, B]),
        (f"Sure! {{here}} you [go]:\n[{JA},{JB}]\nHope \"that\" helps.", [A, B]),
        (f"{JA}\n{JB}\n", [A, B]),
        (f'{{"thoughts": "five [5] {{", "cases": [{JA}, {JB}]}}', [A, B]),
        (f'{{"test_cases": [{JA}], "note": "done"}}', [A]),
        (f'{{"whatever": [{JA}, {JB}]}}', [A, B]),
        (f'{{"cases": [{JA}, {{"slot": 2, "inputs": {{"que', [A]),
        (f'{{"cases": [{JA[:-1]},}}, {JB},]}}', [A, B]),
        ("{'slot': 1, 'inputs': {'query': 'single quotes'}}", [{"slot": 1, "inputs": {"query": "single quotes"}}]),
        ("{'slot': 1, 'inputs': {'query': None}}", [{"slot": 1, "inputs": {"query": None}}]),
        ('{"slot": 1, // first\n "inputs": {"query": "two\nlines"}}', [{"slot": 1, "inputs": {"query": "two\nlines"}}]),
        ('{"slot": 1, "inputs": {"messages": [{"role": "user"}, {"role": "user"}]}}',
         [{"slot": 1, "inputs": {"messages": [{"role": "user"}, {"role": "user"}]}}]),
        ('{"inputs": {"query": "x"}, "turns": [{"a": 1}]}', [{"inputs": {"query": "x"}, "turns": [{"a": 1}]}]),
        ("I'm sorry, I can't help with that.", []),
        ("", []),
        ("}}]]{}[]", []),
        ('{"cases": []}', []),
        (f'{{"cases": [{JA}], "notes": ["x", {{"y": 1}}]}}', [A]),
    ],
)  # fmt: skip
def test_cases_whatever_is_around_them(text: str, cases: list[Any], size: int) -> None:
    assert scan(text, size) == cases


def test_a_hopeless_case_is_reported_and_the_next_one_read() -> None:
    found = scan('{"cases": [{"slot": 1, "inputs": query oops }, ' + JB + "]}", 5)
    assert len(found) == 2 and found[1] == B
    assert isinstance(found[0], MalformedCase)


def test_what_is_unfinished_is_known() -> None:
    scanner = CaseScanner()
    scanner.feed(f'{{"cases": [{JA}')
    assert scanner.unfinished == ""
    scanner.feed(', {"slot": 2')
    assert scanner.unfinished == '{"slot": 2'


def test_endless_output_is_stopped() -> None:
    scanner = CaseScanner()
    with pytest.raises(RunawayOutput):
        for _ in range(MOST_UNFINISHED):
            scanner.feed('{"cases": [{"slot": 1, "inputs": {"query": "' if not scanner.unfinished else " " * 1000)


def test_long_white_space_between_cases_is_no_burden() -> None:
    scanner = CaseScanner()
    assert scanner.feed('{"cases": [') == []
    for _ in range(200):
        assert scanner.feed(" " * 1000) == []
    assert [found.raw for found in scanner.feed(JA)] == [A]
    with pytest.raises(RunawayOutput):
        for _ in range(300):
            scanner.feed(" " * 1000)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('abc{}[]"\\', max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON_VALUES, max_size=4), st.integers(1, 40), st.booleans())
def test_any_json_in_any_chunks(values: list[Any], size: int, ascii_only: bool) -> None:
    cases = [{"slot": n, "inputs": {"query": value}} for n, value in enumerate(values, 1)]
    text = "Here: " + json.dumps({"cases": cases}, ensure_ascii=ascii_only)
    assert scan(text, size) == cases


@given(st.text("{}[]\",:\\abc \n'", max_size=200), st.integers(1, 9))
def test_garbage_never_raises(text: str, size: int) -> None:
    scan(text, size)


def test_mutilated_json_never_raises() -> None:
    rng = random.Random(5)
    whole = json.dumps({"cases": [A, B] * 3})
    for _ in range(300):
        text = list(whole)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(text))
            text[place] = rng.choice(['"', "{", "}", "[", "]", "\\", "", "\n", ","])
        scan("".join(text), rng.randint(1, 50))
