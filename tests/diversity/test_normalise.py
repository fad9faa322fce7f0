"""What counts as the same text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.diversity.normalise import compared_texts, normalise
from dsbuilder_tui.diversity.structural import StructuralStage, structure_hash

SAME = [
    ("Where is my order #12345?", "where is my order #98765"),
    ("Where is order 48213?", "Where is order 7?"),
    ("Track ORD-12345 now", "Track ORD-99881 now!"),
    ("My e-mail is ann@example.com", "My e-mail is bob.lee@mail.co.uk"),
    ("See https://a.com/x?y=1 please", "See www.b.org please"),
    ("It came on 2025-03-14", "It came on 2024-12-01"),
    ("It came on March 3rd", "It came on 5 May 2024"),
    ("Call me at 5:30 pm", "Call me at 17:45"),
    ("Deliver it on Monday", "Deliver it on friday"),
    ("My name is Ann Lee", "My name is Christopher"),
    ("Thanks, Anna", "Thanks, Bob"),
    ("I can't log in", "I cannot log in"),
    ("I’m late", "I'm late"),
    ("Hello,   WORLD!!!", "hello world"),
    ("Ｈｅｌｌｏ world", "hello world"),
]
DIFFERENT = [
    ("I can log in", "I can't log in"),
    ("Refund $50", "Refund $500"),
    ("Give me 2 items", "Give me 3 items"),
    ("I am 17 years old", "I am 71 years old"),
    ("It takes 3 days", "It takes 3 weeks"),
    ("A discount of 10%", "A discount of 20%"),
    ("Fly to Paris", "Fly to Rome"),
    ("Tell me about the lamp", "Tell me about the chair"),
    ("5kg of rice", "6kg of rice"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_incidental_detail_is_masked(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_a_case_may_be_about_is_kept(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text())
def test_any_text_and_always_the_same(text: str) -> None:
    assert normalise(text) == normalise(text)
    structure_hash("c", {"query": text})


def test_the_hash_is_the_same_in_every_process() -> None:
    code = "from dsbuilder_tui.diversity.structural import structure_hash;print(structure_hash('c',{'query':'Wo ist #12 é?'}))"
    outs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "7")
    }
    assert outs == {f"{structure_hash('c', {'query': 'Wo ist #12 é?'})}\n"}


def test_fields_and_categories_are_kept_apart() -> None:
    assert structure_hash("a", {"q": "x"}) != structure_hash("b", {"q": "x"})
    assert structure_hash("a", {"q": "x y", "r": "z"}) != structure_hash("a", {"q": "x", "r": "y z"})
    assert list(compared_texts({"b": [{"c": "2"}, 3], "a": "1", "n": None})) == ["1", "2", "3"]


def test_history_misses_nothing_and_a_window_forgets() -> None:
    history, window = StructuralStage(), StructuralStage(window=20)
    for seq in range(100):
        for stage in (history, window):
            finding = stage.examine("c", {"q": f"about {chr(97 + seq % 26)}{chr(97 + seq // 26)}"})
            assert finding.match is None
            stage.admit(finding.key, seq)
    match = history.examine("c", {"q": "About aa!"}).match
    assert match and match.nearest_seq == 0
    assert window.examine("c", {"q": "About aa!"}).match is None
    recent = window.examine("c", {"q": "about vd"}).match
    assert recent and recent.nearest_seq == 99
