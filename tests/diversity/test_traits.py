"""What is read from a text to tell a contrast from a repeat."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsbuilder_tui.diversity import asked_traits, detail_traits, lexicon
from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.diversity.traits import TRAITS, compared, differing, traits
from tests.support.process import printed_with_hash_seeds

CONTRASTS = [
    ("quantity", "Refund $50 to me", "Refund $500 to me"),
    ("quantity", "It took 3 days", "It took 3 weeks"),
    ("quantity", "Two tickets please", "Four tickets please"),
    ("quantity", "I am 17", "I am 71"),
    ("quantity", "He weighs 80 kg", "He weighs 80 lb"),
    ("quantity", "A discount of 10 %", "A discount of 20 %"),
    ("quantity", "2 adults and 3 children", "3 adults and 2 children"),
    ("quantity", "Take it once a day", "Take it once a week"),
    ("quantity", "Send it daily", "Send it weekly"),
    ("quantity", "a dozen eggs", "two dozen eggs"),
    ("quantity", "Quiero tres entradas", "Quiero cinco entradas"),
    ("quantity", "Ich brauche zwei Karten", "Ich brauche acht Karten"),
    ("quantity", "Timeout of 500ms", "Timeout of 500s"),
    ("quantity", "A salary of 3k", "A salary of 8k"),
    ("quantity", "my second key", "my third key"),
    ("quantity", "until the end of the week", "until the end of the month"),
    ("negation", "I can log in", "I can't log in"),
    ("negation", "I have been paid", "I have never been paid"),
    ("negation", "with a receipt", "without a receipt"),
    ("negation", "Quiero pagar", "No quiero pagar"),
    ("negation", "No quiero nada", "Quiero todo"),
    ("negation", "Ich habe eine Karte", "Ich habe keine Karte"),
    ("negation", "mit Zucker", "ohne Zucker"),
    ("direction", "Fly from Madrid to Lisbon", "Fly from Lisbon to Madrid"),
    ("direction", "Move it to my savings", "Move it from my savings"),
    ("direction", "Von Berlin nach Köln bitte", "Von Köln nach Berlin bitte"),
    ("direction", "de Sevilla a Bilbao", "de Bilbao a Sevilla"),
    ("direction", "Turn the alerts on", "Turn the alerts off"),
    ("direction", "before the trip", "after the trip"),
    ("direction", "Convert JSON to YAML", "Convert YAML to JSON"),
    ("direction", "cast int to string", "cast string to int"),
    ("direction", "my left knee", "my right knee"),
    ("direction", "Raise my limit", "Lower my limit"),
    ("entity", "A flight to Paris", "A flight to Rome"),
    ("entity", "does it run on linux", "does it run on windows"),
    ("entity", "My Samsung does not start", "My Nokia does not start"),
    ("entity", "Ich fahre nach Wuppertal und bleibe nicht", "Ich fahre nach Bottrop und bleibe nicht"),
    ("question", "Where did it begin", "When did it begin"),
    ("question", "Why do the rates change?", "How often do the rates change?"),
    ("question", "Who signs it here?", "When do you sign it here?"),
    ("question", "Which bank is it?", "Who is it?"),
    ("question", "Tell me when it ends", "Tell me who ends it"),
    ("question", "In what year did it end?", "Why did it end?"),
    ("question", "¿Dónde empezó?", "¿Cuándo empezó?"),
    ("question", "¿En qué año terminó?", "¿Por qué terminó?"),
    ("question", "¿Cuántas veces llama?", "¿Por qué llama?"),
    ("question", "Wann beginnt es?", "Wo beginnt es?"),
    ("question", "Wie oft kommt er?", "Warum kommt er?"),
    ("question", "Quand est-ce que ça ouvre ?", "Pourquoi est-ce que ça ouvre ?"),
    ("question", "Do you charge for it?", "Why do you charge for it?"),
    ("question", "Can I get it?", "Where can I get it?"),
    ("question", "How do I top up?", "How much can I top up?"),
    ("question", "Gibt es das oft? Kann ich es kaufen?", "Wo kann ich es kaufen?"),
    ("question", "Must I show it?", "How do I show it?"),
    ("question", "Do we really have to show it?", "What do we do to show it?"),
    ("question", "Is it necessary to show it?", "Where do I show it?"),
    ("question", "How many days have I used?", "How many days do I have?"),
    ("question", "Put milk on the list", "Did I put milk on the list?"),
    ("question", "Can you put milk on the list?", "Is there milk on the list?"),
    ("question", "I want to pay the bill", "When do I have to pay the bill?"),
    ("question", "What is it for?", "How is it done?"),
    ("question", "What is the check for?", "What is done for the check?"),
    ("question", "The number of days I have used is what?", "How long is it?"),
    ("question", "What number of days have I used?", "What number of days have I left?"),
    ("question", "How do I know when to change it?", "How do I change it?"),
    ("role", "Can you call me?", "Can I call you?"),
    ("role", "What do you want me to call you?", "What do you want to call me?"),
    ("kind", "Order a card", "Order another card"),
    ("kind", "¿Dónde hay un banco?", "¿Dónde hay otro banco?"),
    ("kind", "Who is the chair", "Who was the first chair"),
    ("kind", "How much do I pay", "How much do I pay at least"),
    ("kind", "It did not give me my money", "It did not give me all my money"),
    ("quantity", "Can I bring a bag", "Can I bring more than one bag"),
    ("request", "I will not sign it", "I will not be able to sign it"),
    ("owner", "What is my name", "What is your name"),
    ("owner", "¿Cuál es mi nombre?", "¿Cuál es tu nombre?"),
    ("owner", "Wie heißt mein Hund", "Wie heißt dein Hund"),
    ("particle", "Switch off night mode", "Switch over to night mode"),
    ("particle", "Turn the sound up", "Turn the sound off"),
    ("particle", "Schalte ihn aus.", "Schalte ihn um."),
    ("kind", "Where is my card", "Where is my virtual card"),
    ("kind", "Who is the chair", "Who is the vice chair"),
    ("kind", "Why was I charged?", "Why was I charged at the ATM?"),
    ("kind", "My payment was declined", "My payment was partly declined"),
    ("kind", "How do I get my card?", "How do I get my card to work?"),
    ("compared", "Is it cheaper than the bus", "Is it cheaper than the tram"),
    ("compared", "bus or train", "bus or ferry"),
    ("compared", "the difference between gold and silver", "the difference between gold and bronze"),
    ("compared", "¿tren o barco?", "¿tren o autobús?"),
    ("compared", "schneller als der Bus", "schneller als die Bahn"),
    ("request", "I would like a demo", "I don't want a demo, thanks"),
    ("request", "Quiero una tarjeta", "No quiero una tarjeta, gracias"),
    ("request", "Ich möchte ein Konto", "Ich möchte kein Konto"),
]
REPEATS = [
    ("Must I show it?", "Do I have to show it?"),
    ("Do you have a card?", "Can I have a card?"),
    ("Do I need to pay for it?", "Is it needed to pay for it?"),
    ("How much of it have I used so far?", "I've used how much of it so far?"),
    ("Why was I charged at the ATM?", "Why was I charged for the withdrawal?"),
    ("Where is order #48213?", "Where is order #7?"),
    ("Call me at +49 170 1234567 at 5 pm", "Call me at +49 171 7654321 at 9:15"),
    ("It came on March 3rd 2024", "It came on 5 May 2023"),
    ("I'm Ann Lee and I can't log in", "I am Bob and I cannot log in"),
    ("My name is Ann. Where is it? Thanks, Ann", "My name is Bob. Where is it? Thanks, Bob"),
    ("I fly to Paris", "i fly to PARIS"),
    ("I waited two weeks", "I waited 2 weeks"),
    ("I paid $5,000", "I paid 5000 dollars"),
    ("I am 17 years old", "I'm 17"),
    ("my 17-year-old son", "my 17 year old son"),
    ("a week ago", "1 week ago"),
    ("I was charged twice", "I was charged two times"),
    ("From Berlin to Rome", "To Rome from Berlin"),
    ("You ship to Spain, don't you?", "You ship to Spain?"),
    ("Ich habe den Koffer verloren und die Tasche", "Ich habe die Tasche verloren und den Koffer"),
    ("Order no. 5 is late", "Order 17 is late"),
    ("Please help", "Could you help"),
    ("I don't know how to pay", "How do I pay"),
    ("Two of the six plates were broken", "Of the six plates, two were broken"),
    ("What is left right now", "What is on it right now"),
    ("Is a week enough?", "Is one week enough?"),
    ("What is the fee", "How much is the fee"),
    ("How long until it is here", "When will it be here"),
    ("What time does it open", "When does it open"),
    ("When I pay, why is it declined?", "Why is it declined when I pay?"),
    ("Is there a reason why it failed", "Why did it fail"),
    ("What day is it", "When is it"),
    ("Can I change it?", "How can I change it?"),
    ("Is there a limit?", "What is the limit?"),
    ("Is there a reason it failed?", "Why did it fail?"),
    ("Can you tell me when it comes?", "When does it come?"),
    ("Log in to the app", "Log on to the app"),
    ("bus or train", "train or bus"),
    ("Was my payment declined?", "Is my payment declined?"),
    ("I want to pay the bill", "How do I pay the bill?"),
    ("I want to pay the bill, when can I?", "When can I pay the bill?"),
    ("I need a card, what do I do?", "I need to order a card, what do I do?"),
    ("Exchange rate of my payment", "What is the exchange rate of my payment?"),
    ("Is it possible to pay it?", "I want to pay it"),
    ("What is the fee for?", "What does the fee mean?"),
    ("What do I do first?", "What do I do?"),
    ("from one account to another", "from account to account"),
    ("Tell me what it costs", "I want you to tell me what it costs"),
    ("the card you sent me", "the card you sent to me"),
    ("It does not work at all", "It does not work"),
    ("¿Cómo cancelo mi cuenta?", "¿Qué hago para cancelar mi cuenta?"),
]


@pytest.mark.parametrize(("name", "one", "other"), CONTRASTS)
def test_a_contrast_is_seen_from_both_sides(name: str, one: str, other: str) -> None:
    assert name in differing(traits(one), traits(other))
    assert differing(traits(one), traits(other)) == differing(traits(other), traits(one))


@pytest.mark.parametrize(("one", "other"), REPEATS)
def test_a_repeat_has_nothing_that_differs(one: str, other: str) -> None:
    assert differing(traits(one), traits(other)) == ()


def test_a_text_without_any_of_it_is_all_zero() -> None:
    assert traits("the parcel is late") == (0,) * len(TRAITS)


def test_ids_dates_and_names_leave_no_trait() -> None:
    text = "Hi Ann, order #12345 of 2024-03-01 at 17:45, call 555-123-4567. Mr Smith knows. Regards, Bob"
    assert traits(text) == (0,) * len(TRAITS)


@settings(deadline=None)
@given(st.text())
def test_any_text_gives_32_bits_each_and_nothing_differs_from_itself(text: str) -> None:
    found = traits(text)
    assert len(found) == len(TRAITS) and all(0 <= number < 1 << 32 for number in found)
    assert differing(found, traits(text)) == ()
    assert compared(text) == (normalise(text), found)


LISTED = sorted(
    {word for name, words in vars(lexicon).items() if name.isupper() for word in words if isinstance(word, str)}
    | set("3 $5 5% 1,000 2.5 1.2.3 3k k €9 ? , . Ann PARIS <id>".split())
    | {"9" * 400}
    | asked_traits.WORDS
    | detail_traits.WORDS
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(LISTED), max_size=12), st.sampled_from([" ", "-", ""]), st.booleans())
def test_any_listed_words_in_any_order_are_read(words: list[str], glue: str, title: bool) -> None:
    text = glue.join(words)
    found = traits(text.title() if title else text)
    assert all(0 <= number < 1 << 32 for number in found)


def test_every_duration_is_a_unit() -> None:
    assert set(lexicon.UNITS) >= lexicon.DURATIONS


def test_the_numbers_are_the_same_in_every_process() -> None:
    text = "How often can't I switch off my 2 virtual cards or tickets from Paris to Köln? Can you call me?"
    code = f"from dsbuilder_tui.diversity.traits import traits;print(traits({text!r}))"
    outs = printed_with_hash_seeds(code, "0", "7", PYTHONUTF8="1")
    assert outs == {f"{traits(text)}\n"}
    assert 0 not in traits(text)
