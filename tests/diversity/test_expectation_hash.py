"""Which expectations decide, and that they do not depend on spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsbuilder_tui.diversity.expectation_hash import expectation_key
from tests.support.process import printed_with_hash_seeds

ANSWER = "The assistant explains kindly how the customer can send the article back and when the money arrives."
OTHER_ANSWER = "A friendly answer that tells how to return the item and how long the repayment takes."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"refused": True}, {"refused": False}),
        ({"count": 2}, {"count": 3}),
        ({"label": "complaint"}, {"label": "praise"}),
        ({"tools": ["cancel_order"]}, {"tools": ["refund_order"]}),
        ({"tools": ["a", "b"]}, {"tools": ["b", "a"]}),
        ({"call": {"name": "pay", "amount": 5}}, {"call": {"name": "pay", "amount": 6}}),
        ({"refused": True}, {"escalated": True}),
        ({"answer": ANSWER, "ok": True}, {"answer": ANSWER, "ok": False}),
        ({"ok": True}, {"ok": 1}),
        ({"ok": True}, {}),
    ],
)
def test_a_decisive_difference_shows(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert expectation_key(one) != expectation_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"answer": ANSWER}, {"answer": OTHER_ANSWER}),
        ({"a": True, "b": "yes"}, {"b": "yes", "a": True}),
        ({"label": "Complaint"}, {"label": "complaint."}),
        ({"order": "#12345"}, {"order": "#99812"}),
        ({"due": "2025-03-01"}, {"due": "2026-11-30"}),
        ({"count": 2}, {"count": 2.0}),
        ({"answer": ANSWER, "ok": True}, {"answer": OTHER_ANSWER, "ok": True}),
        ({"call": {"tool": "x", "why": ANSWER}}, {"call": {"why": OTHER_ANSWER, "tool": "x"}}),
        ({"must": [ANSWER, "refund"]}, {"must": ["refund"]}),
    ],
)
def test_spelling_order_and_free_text_do_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert expectation_key(one) == expectation_key(other)


def test_nothing_decisive_is_zero() -> None:
    assert expectation_key({}) == expectation_key({"answer": ANSWER, "none": None, "empty": [], "blank": " "}) == 0


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), ANY, max_size=4))
def test_any_expectations_give_32_bits(expectations: dict[str, Any]) -> None:
    assert 0 <= expectation_key(expectations) < 1 << 32


def test_deep_and_huge_values_do_no_harm() -> None:
    deep: Any = True
    for _ in range(5000):
        deep = [deep]
    assert expectation_key({"deep": deep}) == 0
    assert expectation_key({"n": 10**6000}) != expectation_key({"n": 10**6000 + 1})


def test_the_key_is_the_same_in_every_process() -> None:
    value = "{'a': {'tool': 'refund', 'n': 2.5}, 'b': ['ja', True]}"
    code = f"from dsbuilder_tui.diversity.expectation_hash import expectation_key;print(expectation_key({value}))"
    outs = printed_with_hash_seeds(code, "0", "7")
    assert outs == {f"{expectation_key({'b': ['ja', True], 'a': {'n': 2.5, 'tool': 'refund'}})}\n"}
