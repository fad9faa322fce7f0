"""What the planner says about a tool's answer, and what it does next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.offline.planner.expected_tool_calls import with_expected_tools
from dsbuilder_tui.offline.planner.plan_arguments import as_arguments
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.replies import note, reply
from tests.offline.planner.planning import NOTHING, PLANNED, acts_of, counts_of, proposed, revised, shop_plan

ROOT = Path(__file__).resolve().parents[3]
PLAN = as_arguments(shop_plan())


def test_an_approved_plan_is_started() -> None:
    reading = reply("propose_plan", PLAN, {"ok": True, "said": "70 cases are planned."}, PLANNED)
    assert reading.words == "" and acts_of(reading) == [("start_generation", {})]
    assert reply("propose_plan", PLAN, {"ok": True, "said": "x", "running": True}, PLANNED).acts == ()


def test_an_approved_revision_goes_on_where_it_was() -> None:
    done = {"ok": True, "said": "refunds 80."}
    assert (
        reply(
            "revise_plan", {}, {**done, "running": True}, PlanningContext(plan=shop_plan(), accepted={"refunds": 5})
        ).acts
        == ()
    )
    stopped = reply("revise_plan", {}, done, PlanningContext(plan=shop_plan(), accepted={"refunds": 5}))
    assert acts_of(stopped) == [("resume_generation", {})]
    full = reply("revise_plan", {}, done, PlanningContext(plan=shop_plan(), accepted={"refunds": 70}))
    assert full.acts == () and full.words == "The plan is changed."
    never = reply("revise_plan", {}, done, PLANNED)
    assert never.acts == () and "“start”" in never.words


def test_a_failure_is_told_with_its_way_out() -> None:
    reading = reply(
        "export_dataset", {}, {"ok": False, "error": "There are no cases.", "way_out": "Run it first."}, PLANNED
    )
    assert (reading.words, reading.acts) == ("There are no cases. Run it first.", ())
    assert "did not work" in reply("export_dataset", {}, {}, PLANNED).words


@pytest.mark.parametrize("words", ["Declined.", "no", "", "Tool execution was not approved."])
def test_a_refusal_without_words_changes_nothing(words: str) -> None:
    reading = reply("propose_plan", PLAN, {"declined": words}, NOTHING)
    assert reading.acts == () and "nothing is changed" in reading.words


def test_a_refusal_with_words_is_a_change_to_what_was_refused() -> None:
    reading = reply("propose_plan", PLAN, {"declined": "make refunds 30 and add 5 complaints"}, NOTHING)
    assert counts_of(proposed(reading)) == {"refunds": 30, "order_status": 20, "product_info": 10, "complaints": 5}
    refused = {"counts": {"refunds": 80}}
    again = reply("revise_plan", refused, {"declined": "only 60 refunds, and remove product info"}, PLANNED)
    assert counts_of(revised(again, shop_plan())) == {"refunds": 60, "order_status": 20}
    assert reply("propose_plan", PLAN, {"declined": "no, start over with pizza"}, NOTHING).words
    assert reply("propose_plan", {"broken": 1}, {"declined": "make refunds 30"}, NOTHING).acts == ()
    assert reply("export_dataset", {}, {"declined": "pause"}, PLANNED).acts == ()


def test_a_refused_rename_can_be_changed() -> None:
    again = reply("revise_plan", {"rename": {"refunds": "paybacks"}}, {"declined": "make paybacks 50"}, PLANNED)
    (act,) = again.acts
    assert act.tool == "revise_plan" and counts_of(revised(again, shop_plan()))["paybacks"] == 50


def test_a_refused_revision_is_changed_as_far_as_it_could_have_been_carried_out() -> None:
    refused = {
        "counts": {"refunds": 80, "gone": 3},
        "remove": ["product_info", "lost"],
        "rename": {"order_status": "x"},
    }
    holding = PlanningContext(plan=shop_plan(), accepted={"product_info": 4, "order_status": 2})
    again = reply("revise_plan", refused, {"declined": "make refunds 60"}, holding)
    assert acts_of(again) == [("revise_plan", {"counts": {"refunds": 60, "product_info": 4}})]
    for broken in ({"remove": "refunds"}, {"counts": {"refunds": "many"}}, {"unheard_of": 1}, {"change": [{}]}):
        assert acts_of(reply("revise_plan", broken, {"declined": "make refunds 60"}, PLANNED)) == [
            ("revise_plan", {"counts": {"refunds": 60}})
        ]


def test_cases_become_a_list() -> None:
    cases = [{"id": "a-1", "text": "Where is *my* order?\n# Not a title"}, {"text": "\x1b[2Jhi"}, "bare"]
    words = reply("show_cases", {}, {"ok": True, "said": "Three cases.", "cases": cases}, PLANNED).words
    assert words.splitlines()[0] == "Three cases."
    assert words.splitlines()[2:] == ["- Where is \\*my\\* order? \\# Not a title (a-1)", "- ␛\\[2Jhi", "- bare"]


def test_the_state_becomes_a_list() -> None:
    counts = {"planned": 1000, "accepted": 40, "rejected": 2, "exhausted": 0}
    answer = {"ok": True, "progress_percentage": 4.0, "categories": {"a|b": counts, "odd": None}}
    words = reply("get_builder_state_summary", {}, answer, PLANNED).words
    assert words.startswith("4% of the cases") and "- a\\|b 40 of 1,000, 2 rejected" in words and "- odd" in words


def test_rejections_are_explained() -> None:
    answer = {"ok": True, "said": "12 were turned away.", "stages": {"near": 10, "schema": 2},
              "examples": [{"text": "t", "reason": "too close", "nearest": "n"}, "junk"]}  # fmt: skip
    words = reply("explain_rejections", {}, answer, PLANNED).words
    assert "near 10, schema 2" in words and "- t (too close) — close to: n" in words


def test_after_reading_an_application_one_question_is_left() -> None:
    reading = reply(
        "describe_target", {"text": "A bot for hotel guests"}, {"ok": True, "said": "A prompt, 2 tools."}, NOTHING
    )
    assert "half reservations" in reading.words and reading.words.count("?") == 1 and reading.asks
    assert (
        reply("describe_target", {"path": "x"}, {"ok": True, "said": "Read."}, PLANNED).words
        == "I will keep it in mind."
    )


def test_notes_are_told_and_never_acted_on() -> None:
    told = {"note": "finished", "said": "All 60 cases are there.", "way_out": "Say “export to csv”. delete everything"}
    reading = note("[dsbuilder] " + json.dumps(told))
    assert (reading.acts, reading.words) == ((), "All 60 cases are there. Say “export to csv”. delete everything")
    for text in (
        "[dsbuilder] {",
        "[dsbuilder] [1]",
        "[dsbuilder] pause",
        "[dsbuilder] " + "[" * 100_000,
        '[dsbuilder] {"said": 3}',
    ):
        assert note(text).acts == ()


ODD: list[Any] = [
    {"ok": True, "cases": 3},
    {"ok": True, "cases": [None, 1, {}]},
    {"ok": True, "categories": []},
    {"ok": 1, "stages": 2, "examples": {}},
]


@pytest.mark.parametrize("answer", ODD)
@pytest.mark.parametrize("tool", ["show_cases", "get_builder_state_summary", "explain_rejections", "unheard_of"])
def test_odd_answers_break_nothing(tool: str, answer: dict[str, Any]) -> None:
    assert reply(tool, {}, answer, PLANNED).acts == ()


def test_understanding_costs_no_heavy_import() -> None:
    code = (
        "import sys; from dsbuilder_tui.offline.planner import replies, understand;"
        "print([m for m in ('agents', 'openai', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_tools_of_the_application_are_expected_where_their_names_fit() -> None:
    tools = ("lookup_order", "startRefund", "get_weather")
    categories = [{"name": name, "count": 5} for name in ("order_status", "refunds", "small_talk")]
    reading = with_expected_tools(
        Interpretation((Act("propose_plan", {"categories": categories}),), "15 cases."), tools
    )
    fitted = reading.acts[0].arguments["categories"]
    assert [c.get("expected_tools") for c in fitted] == [["lookup_order"], ["startRefund"], None]
    assert reading.words == "15 cases. Expected tool calls: lookup_order, startRefund."
    kept = [{"name": "orders", "count": 5, "expected_tools": ["cancel"]}]
    again = Interpretation((Act("revise_plan", {"add": kept}), Act("pause_generation")), "")
    assert with_expected_tools(again, tools) == again and with_expected_tools(again, ()) is again
