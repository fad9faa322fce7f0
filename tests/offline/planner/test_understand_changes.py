"""Sentences about a plan that is there: what they change, and what they order."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, acts_of, counts_of, proposed, revised, shop_plan

R, S, P = "refunds", "order_status", "product_info"
CHANGES = [
    ("add 30 complaints", {R: 40, S: 20, P: 10, "complaints": 30}),
    ("please add complaints", {R: 40, S: 20, P: 10, "complaints": 10}),
    ("10 more refunds", {R: 50, S: 20, P: 10}),
    ("add 10 refunds", {R: 50, S: 20, P: 10}),
    ("add a dozen more refund requests", {R: 52, S: 20, P: 10}),
    ("20 fewer refunds", {R: 20, S: 20, P: 10}),
    ("increase order status by 15", {R: 40, S: 35, P: 10}),
    ("reduce refunds to 30", {R: 30, S: 20, P: 10}),
    ("remove product info", {R: 40, S: 20}),
    ("drop refunds and product info", {S: 20}),
    ('remove "product info"', {R: 40, S: 20}),
    ("rename refunds to money back", {"money_back": 40, S: 20, P: 10}),
    ('rename order status to "where is it"', {R: 40, "where_is_it": 20, P: 10}),
    ("make refunds 80", {R: 80, S: 20, P: 10}),
    ("could you make refunds 80, please?", {R: 80, S: 20, P: 10}),
    ("ok make refunds 80", {R: 80, S: 20, P: 10}),
    ("set refunds to one hundred", {R: 100, S: 20, P: 10}),
    ("refunds: 25", {R: 25, S: 20, P: 10}),
    ("refunds 1,500", {R: 1500, S: 20, P: 10}),
    ("make refunds 10 and order status 30", {R: 10, S: 30, P: 10}),
    ("make refunds 10, order status 30 and product info 5", {R: 10, S: 30, P: 5}),
    ("double the refunds", {R: 80, S: 20, P: 10}),
    ("halve refunds and order status", {R: 20, S: 10, P: 10}),
    ("triple everything", {R: 120, S: 60, P: 30}),
    ("set refunds to half", {R: 35, S: 23, P: 12}),
    ("make it 100 cases", {R: 57, S: 29, P: 14}),
    ("spread it evenly", {R: 24, S: 23, P: 23}),
    ("make 20 of the refunds adversarial", {R: 20, S: 20, P: 10, "refunds_adversarial": 20}),
    ("make 10 of the refunds in Spanish", {R: 30, S: 20, P: 10, "refunds_spanish": 10}),
    ("make half of the refunds angry", {R: 20, S: 20, P: 10, "refunds_angry": 20}),
    ("add 40 complaints, make 10 of them in German", {R: 40, S: 20, P: 10, "complaints": 30, "complaints_german": 10}),
    ("make refunds 50 and make 10 of them in Spanish", {R: 40, S: 20, P: 10, "refunds_spanish": 10}),
    ("Write 20 more `impatient` cases in refunds", {R: 60, S: 20, P: 10}),
    ("Write 20 more `has asked before` cases in order_status", {R: 40, S: 40, P: 10}),
    ("remove product info and add 15 warranty claims", {R: 40, S: 20, "warranty_claims": 15}),
    ("rename refunds to paybacks and make paybacks 50", {"paybacks": 50, S: 20, P: 10}),
    ("rename refunds to paybacks, then rename paybacks to returns and make returns 50", {"returns": 50, S: 20, P: 10}),
    ("remove order status and rename refunds to order status", {S: 40, P: 10}),
    ("add 5 complaints and rename complaints to gripes", {R: 40, S: 20, P: 10, "gripes": 5}),
    ("rename refunds to paybacks and make paybacks angrier", {"paybacks": 40, S: 20, P: 10}),
    ("80 refunds 15 order status", {R: 80, S: 15, P: 10}),
    ("make refunds 80 order status 15", {R: 80, S: 15, P: 10}),
    ("refunds 80 order status 15 product info 5", {R: 80, S: 15, P: 5}),
    ("refunds angrier, and add 20 in Spanish", {R: 40, S: 20, P: 10, "refunds_spanish": 20}),
    ("make the refunds angrier and add 15 more polite ones", {R: 40, S: 20, P: 10, "refunds_polite": 15}),
    ("make order status 30 and 5 more urgent ones", {R: 40, S: 30, P: 10, "order_status_urgent": 5}),
    ("ad 20 refunds", {R: 60, S: 20, P: 10}),
    ("adn 20 complaints", {R: 40, S: 20, P: 10, "complaints": 20}),
]


@pytest.mark.parametrize(("text", "counts"), CHANGES)
def test_a_change_against_the_plan(text: str, counts: dict[str, int]) -> None:
    reading = understand(text, PLANNED)
    assert [act.tool for act in reading.acts] == ["revise_plan"]
    assert PLANNED.plan and counts_of(revised(reading, PLANNED.plan)) == counts


@pytest.mark.parametrize(("text", "counts"), [pair for pair in CHANGES if "rename" not in pair[0]][::4])
def test_a_change_against_what_waits_for_a_yes_proposes_it_again(text: str, counts: dict[str, int]) -> None:
    reading = understand(text, PlanningContext(proposed=shop_plan()))
    assert [act.tool for act in reading.acts] == ["propose_plan"]
    assert counts_of(proposed(reading)) == counts


def test_a_change_to_a_waiting_revision_goes_against_the_plan_there_is() -> None:
    wanted = shop_plan(refunds=80, order_status=20, product_info=10)
    reading = understand("make order status 5", PlanningContext(plan=shop_plan(), proposed=wanted))
    assert acts_of(reading) == [("revise_plan", {"counts": {R: 80, S: 5}})]


@pytest.mark.parametrize("situation", [PLANNED, PlanningContext(proposed=shop_plan())], ids=["planned", "proposed"])
def test_what_it_is_split_into_is_a_plan_anew(situation: PlanningContext) -> None:
    for text in (
        "split it into 60 refunds 20 delivery and 10 cakes",
        "divide everything into 60 refunds, 20 delivery, 10 cakes",
    ):
        plan = proposed(understand(text, situation))
        assert counts_of(plan) == {R: 60, "delivery": 20, "cakes": 10} and plan and plan.dataset_name == "shop_bot"


def test_yes_to_what_waits_offers_it_again() -> None:
    assert counts_of(proposed(understand("yes, go ahead", PlanningContext(proposed=shop_plan())))) == {
        R: 40,
        S: 20,
        P: 10,
    }


DETAILS: list[tuple[str, dict[str, Any]]] = [
    ("make refunds angrier", {"attributes": {"tone": ["angry", "frustrated", "impatient"]}}),
    ("make the refunds more polite", {"attributes": {"tone": ["polite", "formal"]}}),
    ("refunds should be shorter", {"attributes": {"length": ["short"]}}),
    ("refunds much angrier", {"attributes": {"tone": ["angry", "frustrated", "impatient"]}}),
    ("refunds a bit more polite", {"attributes": {"tone": ["polite", "formal"]}}),
    ("refunds should call start_refund", {"expected_tools": ["start_refund"]}),
    ("refunds should call lookup_order, then start_refund", {"expected_tools": ["lookup_order", "start_refund"]}),
    (
        "Refunds must first call lookup_order and then start_refund.",
        {"expected_tools": ["lookup_order", "start_refund"]},
    ),
    (
        "refunds should call findOrder, check_stock and sendRefund",
        {"expected_tools": ["findOrder", "check_stock", "sendRefund"]},
    ),
]


@pytest.mark.parametrize(("text", "detail"), DETAILS)
def test_a_change_of_what_cases_are_like(text: str, detail: dict[str, Any]) -> None:
    assert acts_of(understand(text, PLANNED)) == [("revise_plan", {"change": [{"category": R, **detail}]})]


def test_a_manner_says_whether_there_is_a_case_left_that_it_changes() -> None:
    some, all_written = {R: 5}, {R: 40, S: 20, P: 10}
    for text in ("make refunds angrier", "make it all shorter"):
        assert "still to be written change" in understand(text, PlanningContext(plan=shop_plan(), accepted=some)).words
        told = understand(text, PlanningContext(plan=shop_plan(), accepted=all_written))
        assert "All of them are written" in told.words and len(told.acts) == 1
    more = understand("refunds angrier, and add 20 in Spanish", PlanningContext(plan=shop_plan(), accepted=all_written))
    assert "still to be written change" in more.words


def test_more_in_some_manner_are_of_the_only_category() -> None:
    one = shop_plan(refunds=40)
    for text, name in (("10 more angry ones", "refunds_angry"), ("add 10 in German", "refunds_german")):
        assert counts_of(revised(understand(text, PlanningContext(plan=one)), one)) == {R: 40, name: 10}


def test_a_language_brings_examples_in_it() -> None:
    (act,) = understand("make all refunds in German", PLANNED).acts
    (change,) = act.arguments["change"]
    assert change["attributes"] == {"language": ["German"]} and "Erstattung" in change["example_inputs"][0]


REFUSALS = [
    ("make refunds 0", "at least 1"), ("make refunds -5", "-5"), ("remove 40 refunds", "at least 1"), ("make 40 of the refunds angry", "at least 1"),
    ("make 1000000000 refunds", "1,000,000"), ("rename foo to bar", "no category called foo"), ("remove shipping", "no category called shipping"),
    ("rename refunds to order status", "already"), ("remove refunds, order status and product info", "keep at least one"),
    ("make 20 of them in Spanish", "Which category"), ("add 10 more", "More of which"), ("make 10 of the refunds in Klingon", "What should be special"),
    ("add 20 warranty claims in Italian", "Italian example"), ("make it 2 cases", "between 3"), ("call it better_bot", "name stays"),
    ("show me 5 unicorns", "no category called unicorns"), ("preview unicorns", "no category called unicorns"), ("turn off diversity for unicorns", "unicorns"),
    ("use batches of 0", "at least 1"), ("10 more angry ones", "“add 10 angry refunds”"), ("add 20 in Spanish", "“add 20 refunds in Spanish”"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSALS)
def test_what_cannot_be_done_is_said_and_not_half_done(text: str, said: str) -> None:
    reading = understand(text, PLANNED)
    assert reading.acts == () and said in reading.words


def test_a_question_about_a_change_can_be_answered() -> None:
    assert counts_of(revised(understand("refunds", PLANNED, "add 10 more"), shop_plan())) == {R: 50, S: 20, P: 10}
    italian = understand('"La mia lampada è rotta."', PLANNED, "add 20 warranty claims in Italian")
    assert counts_of(revised(italian, shop_plan())) == {R: 40, S: 20, P: 10, "warranty_claims_italian": 20}


def test_a_cell_of_the_coverage_gets_more_cases_of_its_category() -> None:
    reading = understand("Write 20 more `impatient` cases in refunds", PLANNED)
    plan = revised(reading, shop_plan())
    assert plan is not None
    (held,) = plan.category("refunds").held
    assert held.attributes == {"tone": "impatient"} and held.slots == tuple(range(41, 61))


STATUS = ["status", "how far are we?", "how is it going", "what's the progress", "are we done yet?", "show me the status",
          "give me an update", "where are we", "is it still running?", "what's the status of refunds"]  # fmt: skip
ORDERS: list[tuple[str, str, dict[str, Any]]] = [
    *[(text, "get_builder_state_summary", {}) for text in STATUS],
    *[(text, "pause_generation", {}) for text in ("pause", "Stop!", "hold on", "please pause the run for a moment", "stop it now")],
    *[(text, "resume_generation", {}) for text in ("resume", "continue please", "go on", "ok, keep going")],
    *[(text, "start_generation", {}) for text in ("start", "run it", "go ahead", "yes, start the run", "let's generate the cases")],
    *[(text, "finalize_dataset", {}) for text in ("finish", "we are done", "finalize the dataset", "wrap up", "I'm done")],
    ("export to csv", "export_dataset", {"format": "csv"}),
    ("export as parquet to out/data.parquet", "export_dataset", {"path": "out/data.parquet", "format": "parquet"}),
    ("save the dataset as json lines", "export_dataset", {"format": "jsonl"}),
    ('export to "my files/a b.csv"', "export_dataset", {"path": "my files/a b.csv"}),
    ("export everything", "export_dataset", {}),
    ("save a checkpoint called before-lunch", "save_checkpoint", {"name": "before-lunch"}),
    ("checkpoint", "save_checkpoint", {}),
    *[(text, "log_to_mlflow", {"on": True}) for text in
      ("log it to MLflow", "please send all cases to our mlflow server", "track this in MLflow as we go", "turn on mlflow logging",
       "use MLflow")],
    *[(text, "log_to_mlflow", {"on": False}) for text in
      ("stop logging to mlflow", "turn mlflow off", "switch off the MLflow tracking", "disable mlflow")],
    ("save", "save_checkpoint", {}),
    ("use batches of 10", "adjust_category", {"batch_size": 10}),
    ("set the batch size to 25", "adjust_category", {"batch_size": 25}),
    ("use 4 workers", "adjust_category", {"max_workers": 4}),
    ("use one worker", "adjust_category", {"max_workers": 1}),
    ("use gpt-4.1-mini for the workers", "adjust_category", {"worker_model": "gpt-4.1-mini"}),
    ("switch the workers to openai/gpt-4o-mini", "adjust_category", {"worker_model": "openai/gpt-4o-mini"}),
    ("turn off the diversity check for refunds", "adjust_category", {"category": R, "diversity": "off"}),
    ("turn the diversity check back on", "adjust_category", {"diversity": "on"}),
    ("checkpoint every 25 cases", "adjust_category", {"checkpoint_interval": 25}),
    ("use a diversity window of 50", "adjust_category", {"diversity_window": 50}),
    ("show me 5 refunds", "show_cases", {"category": R, "count": 5}),
    ("show me some order status cases", "show_cases", {"category": S, "count": 5}),
    ("list 10 cases", "show_cases", {"count": 10}),
    ('show me cases with "broken"', "show_cases", {"count": 5, "text": "broken"}),
    ("preview refunds", "preview_cases", {"category": R, "count": 3}),
    ("preview 5 refunds", "preview_cases", {"category": R, "count": 5}),
    ("why were so many rejected", "explain_rejections", {}),
    ("why were so many refunds rejected?", "explain_rejections", {"category": R}),
    ("why were slots given up?", "explain_rejections", {}),
    ("which slots are exhausted", "explain_rejections", {}),
    ("explain the given-up slots of refunds", "explain_rejections", {"category": R}),
    ("how many slots were given up?", "ask_data", {"what": "exhausted"}),
    ("how many slots are exhausted", "ask_data", {"what": "exhausted"}),
    ("load the checkpoint data/x_checkpoint.json", "load_from_checkpoint", {"path": "data/x_checkpoint.json"}),
    ("load the last checkpoint", "load_from_checkpoint", {}),
    ("the bot is described in ./bot", "describe_target", {"path": "./bot"}),
    ("read ~/projects/Bot/prompt.md", "describe_target", {"path": "~/projects/Bot/prompt.md"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tool", "arguments"), ORDERS)
def test_an_order(text: str, tool: str, arguments: dict[str, Any]) -> None:
    assert acts_of(understand(text, PLANNED)) == [(tool, arguments)]


def test_several_wishes_in_one_message() -> None:
    assert acts_of(understand("pause and show me 3 order status cases", PLANNED)) == [
        ("pause_generation", {}), ("show_cases", {"category": S, "count": 3}),
    ]  # fmt: skip
    both = understand("make refunds 80, then export to csv", PLANNED)
    assert [act.tool for act in both.acts] == ["revise_plan"] and "after your yes" in both.words
    partly = understand("pause. Frobnicate the widgets.", PLANNED)
    assert acts_of(partly) == [("pause_generation", {})] and "“Frobnicate the widgets”" in partly.words


def test_a_new_request_replaces_the_plan_only_when_it_is_one() -> None:
    reading = understand("100 cases for a hotel bot: half reservations, the rest amenities", PLANNED)
    assert counts_of(proposed(reading)) == {"reservations": 50, "amenities": 50}
    assert understand("60 cases in total", PLANNED).acts[0].tool == "revise_plan"


def test_without_a_plan_there_is_nothing_to_run() -> None:
    for text in ("pause", "status", "start", "export to csv", "show me 5 refunds", "finish"):
        reading = understand(text, NOTHING)
        assert reading.acts == () and "plan" in reading.words
    assert acts_of(understand("use 4 workers", NOTHING)) == [("adjust_category", {"max_workers": 4})]
    assert acts_of(understand("the bot is described in ./bot", NOTHING)) == [("describe_target", {"path": "./bot"})]


def test_hostile_words_come_back_visible_or_not_at_all() -> None:
    words = understand("rename \x1b[2J\u202efoo to bar", PLANNED).words
    assert "\x1b" not in words and "\u202e" not in words


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("I'd rather have 50 refunds", {R: 50, S: 20, P: 10}),
        ("actually, let's have 15 product info instead of 10", {R: 40, S: 20, P: 15}),
        ("make 5 refunds Spanish", {R: 35, S: 20, P: 10, "refunds_spanish": 5}),
        ("add 5 adversarial cases", {R: 40, S: 20, P: 10, "adversarial": 5}),
        ("add a category for warranty with 12 cases", {R: 40, S: 20, P: 10, "warranty": 12}),
    ],
)
def test_roundabout_ways_to_say_it(text: str, counts: dict[str, int]) -> None:
    reading = understand(text, PLANNED)
    assert counts_of(revised(reading, shop_plan())) == counts and "not understand" not in reading.words


def test_a_yes_with_a_start_starts_what_is_planned() -> None:
    assert acts_of(understand("ok start", PLANNED)) == [("start_generation", {})]
    assert [act.tool for act in understand("start", PlanningContext(proposed=shop_plan())).acts] == ["propose_plan"]
    assert "“make refunds 20”" in understand("fewer refunds please", PLANNED).words
