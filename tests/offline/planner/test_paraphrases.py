"""Lists of categories in other words: each is read as the list that it says."""

from __future__ import annotations

import pytest

from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, counts_of, proposed
from tests.offline.planner.verdicts import verdict

LISTS = [
    ("make 100 cases: refunds and shipping in equal measure", "plan refunds 50, shipping 50"),
    ("80 cases for a bank bot: cards and loans, fifty-fifty", "plan cards 40, loans 40"),
    ("four categories of 25: refunds, returns, shipping, billing", "plan refunds 25, returns 25, shipping 25, billing 25"),
    ("3 different topics with 12 cases each: a, b, c", "plan a 12, b 12, c 12"),
    ("25 cases in each of these: refunds, returns, shipping", "plan refunds 25, returns 25, shipping 25"),
    ("10 for each of the following categories: refunds, returns", "plan refunds 10, returns 10"),
    ("some refunds and lots of complaints, 100 cases", "plan complaints 67, refunds 33"),
    ("90 cases: plenty of refunds, a few complaints", "plan refunds 60, complaints 30"),
    ("80 cases for a bank bot, twice as many transfers as cards", "plan transfers 53, cards 27"),
    ("80 cases, 3 times as many refunds as complaints", "plan refunds 60, complaints 20"),
    ("60 cases for a clinic bot: symptoms, appointments; every case with an expected answer", "plan symptoms 30, appointments 30"),
    ("90 cases for an insurance assistant that cover car accidents, water damage, theft", "plan car_accidents 30, water_damage 30, theft 30"),
    ("generate 40 evals about leave and expense reports for an HR copilot", "plan leave 20, expense_reports 20"),
    ("we have a RAG bot on our product docs. 60 cases please: factual, multi-hop and unanswerable", "plan factual 20, multi_hop 20, unanswerable 20"),
    ("60 cases for a bot. Categories: refunds, returns.", "plan refunds 30, returns 30"),
    ("60 cases for a bot. The topics are refunds and returns.", "plan refunds 30, returns 30"),
    ("dataset for a code review assistant; categories - bugs 30, style 20, security 10", "plan bugs 30, style 20, security 10"),
    ("give me 12 examples each for refunds / shipping / returns", "plan refunds 12, shipping 12, returns 12"),
    ("ten refunds ten returns 5 shipping", "plan refunds 10, returns 10, shipping 5"),
    # A noun that is named once for several.
    ("20 angry and 20 polite refunds", "plan refunds_angry 20, refunds_polite 20"),
    ("10 angry, 10 polite and 10 confused refunds", "plan refunds_angry 10, refunds_polite 10, refunds_confused 10"),
    ("half polite and half angry refunds, 40 cases", "plan refunds_polite 20, refunds_angry 20"),
    ("20 Spanish and 20 German refunds", "plan refunds_spanish 20, refunds_german 20"),
    ("10 angry refunds and 20 polite complaints", "plan refunds_angry 10, complaints_polite 20"),
    # Shares of all cases.
    ("500 cases for a shop bot, 60% easy, 40% hard", "plan easy 300, hard 200"),
    ("60 cases for a shop bot: refunds and returns, half of them angry", "plan refunds 15, returns 15, refunds_angry 15, returns_angry 15"),
    ("100 cases for a hotel bot: 60 bookings, 40 amenities, 10 of them angry", "plan bookings 60, amenities 30, amenities_angry 10"),
    ("80 cases for a bank bot, half of them multi-turn",
     "plan balance 8, transfers 8, lost_card 8, loans 8, fraud 8, balance_multi_turn 8 conversation, transfers_multi_turn 8 conversation, "
     "lost_card_multi_turn 8 conversation, loans_multi_turn 8 conversation, fraud_multi_turn 8 conversation"),
    # Another language than English is told, and never planned for.
    ("Ich brauche 50 Testfälle für einen Support-Bot: Rückerstattung, Versand", "says I read English alone."),
    ("50 cas pour un bot de support : remboursements, livraison", "says I read English alone."),
    ("quiero 50 casos para un bot de soporte", "says I read English alone."),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), LISTS)
def test_a_list_in_other_words_is_read_as_what_it_says(said: str, wanted: str) -> None:
    found = verdict(understand(said, NOTHING), NOTHING)
    assert found == wanted or (wanted.startswith("says") and found.startswith(wanted)), found


def test_cases_that_are_only_hard_or_easy_have_the_applications_examples() -> None:
    plan = proposed(understand("500 cases for a shop bot, 60% easy, 40% hard", NOTHING))
    assert plan is not None and counts_of(plan) == {"easy": 300, "hard": 200}
    assert {"Where is my order #12345?"} <= {str(example) for example in plan.categories[0].example_inputs}
    assert plan.categories[1].attributes["situation"] != plan.categories[0].attributes["situation"]


@pytest.mark.parametrize(
    ("said", "situation"),
    [(said, PLANNED) for said in intent_table().examples] + [(said, NOTHING) for said in intent_table().first_examples],
)
def test_what_the_planner_offers_is_understood(said: str, situation: object) -> None:
    """What is shown to one who was not understood is no dead end."""
    reading = understand(said, situation)  # type: ignore[arg-type]
    assert not reading.words.startswith("I did not understand"), reading.words
