"""What counts as the same text."""

from __future__ import annotations

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.diversity.normalise import NORMALISER_VERSION, compared_texts, normalise
from dsbuilder_tui.diversity.traits import traits
from tests.support.process import printed_with_hash_seeds

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
    ("I'm Ann and it broke", "I am Christopher and it broke"),
    ("Hi Ann, where is it?", "hi Bob, where is it?"),
    ("Thanks, Ann Lee", "Thanks! Bob"),
    ("Dear Mr. Smith, hello", "Dear Ms Jones, hello"),
    ("Herr Maier war da", "Frau von der Heide war da"),
    ("Regards, Tim. PS: it hums", "Regards, Lea. PS: it hums"),
    ("It's been fine", "It has been fine"),
    ("Ref KX-48821 please", "Ref TR-10593 please"),
    ("since June 21st", "since March 4"),
    ("This is Maria Lopez from Leeds", "This is John from Leeds"),
    ("It came on Jan. 3", "It came on 4 Feb 2022"),
    ("It came in March 2024", "It came in May 2023"),
    ("Llegó el 3 de marzo de 2024", "Llegó el 14 de enero"),
    ("Llega el lunes", "Llega el viernes"),
    ("Me llamo Ana Ruiz", "Me llamo Luis"),
    ("Es kam am 3. März", "Es kam am 03.04.2023"),
    ("Es kommt am Montag um 17 Uhr", "Es kommt am Dienstag um 9:30 Uhr"),
    ("Ich heiße Uwe Klein", "Ich heiße Ute"),
    ("So geht's nicht", "So geht es nicht"),
    ("Call +49 170 1234567", "Call +34 600 11 22 33"),
    ("I paid $1,500.00", "I paid $1500"),
    ("Es kostet 1.000,50 €", "Es kostet 1000,5€"),
    ("A 5kg bag", "A 5 kg bag"),
    ("my 17-year-old son", "my 17 year old son"),
    ("10 % off", "10% off"),
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
    ("It costs $50", "It costs €50"),
    ("The order took 3 weeks", "The order took 5 weeks"),
    ("I paid 15000 euros", "I paid 25000 euros"),
    ("I burnt 2000 calories", "I burnt 1900 calories"),
    ("My order, 3 shirts, is late", "My order, 4 shirts, is late"),
    ("Thanks, I will wait", "Thanks, Ann will wait"),
    ("I am German", "I am French"),
    ("मैं किताब", "मैं कितब"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_incidental_detail_is_masked(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_a_case_may_be_about_is_kept(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_normal_after_one_pass(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    structure_hash({"query": text})


# What the masks are made of, where a second pass could read two things as one.
PARTS = st.sampled_from(
    """order|no|No.|my name is|Ann|I'm|Thanks|Mr|march|May|3|12|345|2020|12345|1,000|10,000.00|1.1250|$|€|%|am|pm|uhr|o'clock
    |of|de|-|/|:|.|,|#|@|www.|http://|<id>|<name>|5kg|3rd|17-year-old|'s|n't|x's's|'|weeks|+|(|)|_|İ|ß|ŉ|´|\u0301|\u0345
    |ǅ|ꭰ|Ꭰ|½|²|٣|Hi|Love|this is|am 3.4.|T|z|ſ|0|000""".replace("\n    ", "").split("|")
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PARTS | st.sampled_from([" ", "\xa0", "\n"]), max_size=14))
def test_parts_of_masks_are_normal_after_one_pass(parts: list[str]) -> None:
    for glue in ("", " "):
        text = glue.join(parts)
        assert normalise(normalise(text)) == normalise(text)


def test_a_number_of_thousands_of_digits_is_read() -> None:
    assert normalise("9" * 9000 + " euros")
    assert normalise("$" + "9" * 9000)


def test_the_hash_is_the_same_in_every_process() -> None:
    code = "from dsbuilder_tui.diversity.compared_text import structure_hash;print(structure_hash({'query':'Wo ist #12 é?'}))"
    outs = printed_with_hash_seeds(code, "0", "7")
    assert outs == {f"{structure_hash({'query': 'Wo ist #12 é?'})}\n"}


def test_fields_are_kept_apart() -> None:
    assert structure_hash({"q": "x y", "r": "z"}) != structure_hash({"q": "x", "r": "y z"})
    assert list(compared_texts({"b": [{"c": "2"}, 3], "a": "1", "n": None})) == ["1", "2", "3"]


def test_the_version_stands_for_what_is_read() -> None:
    """The same in every version of Python. When it changes on purpose, NORMALISER_VERSION is raised: stored fingerprints of
    the old version are made anew then."""
    read = [f"{normalise(text)} {traits(text)}" for pair in (*SAME, *DIFFERENT) for text in pair]
    digest = xxhash.xxh3_64_hexdigest("\n".join(read).encode())
    assert {NORMALISER_VERSION: digest} == {5: "08757e362fca49dc"}
