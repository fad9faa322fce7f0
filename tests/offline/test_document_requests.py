"""Requests to write from documents, in words, without a model."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand


@pytest.mark.parametrize(
    ("said", "paths", "total"),
    [
        ("40 questions for our shop bot about refunds and delivery, use the policies in ./docs", ["./docs"], 40),
        ("30 cases based on handbook.pdf: returns, delivery", ["handbook.pdf"], 30),
        ("Use the documents in ./docs. 20 cases for a bank's support bot: cards, transfers", ["./docs"], 20),
        ("60 cases for a shop bot: orders, refunds, grounded in ./docs/policies.md", ["./docs/policies.md"], 60),
        ("50 cases for a help desk from the FAQ at /srv/faq.html", ["/srv/faq.html"], 50),
        ("24 questions for a travel bot: visas, hotels. Take the guides under ./guides as sources", ["./guides"], 24),
        (
            "10 cases for a shop bot: returns. Written from ./a.md and from the manual in ./b.docx",
            ["./a.md", "./b.docx"],
            10,
        ),
    ],
)
def test_documents_that_are_named_are_the_sources_of_the_plan(said: str, paths: list[str], total: int) -> None:
    acts = [act for act in understand(said, PlanningContext()).acts if act.tool == "propose_plan"]
    assert len(acts) == 1
    assert sorted(acts[0].arguments["sources"]) == sorted(paths)
    assert parse_plan(acts[0].arguments).total_instances == total
    assert "situation" not in acts[0].arguments["attributes"], "what stands in documents is asked for plainly"
    names = [category["name"] for category in acts[0].arguments["categories"]]
    assert not any("doc" in name or "polic" in name or "faq" in name or "guide" in name for name in names), names


@pytest.mark.parametrize(
    "said",
    [
        "60 cases for the bot in ./app: orders, refunds",
        "40 cases for a shop bot: refunds, questions about the return policy",
        "use gpt-4o-mini for the workers",
        "30 cases for a shop bot described in ./prompts/system_prompt.md: refunds",
    ],
)
def test_what_is_no_document_is_no_source(said: str) -> None:
    assert all("sources" not in act.arguments for act in understand(said, PlanningContext()).acts)


def test_a_plan_in_force_is_changed() -> None:
    plan = parse_plan({"dataset_name": "shop", "categories": [{"name": "refunds", "count": 10}]})
    [act] = understand("use the policies in ./docs", PlanningContext(plan=plan)).acts
    assert (act.tool, act.arguments) == ("revise_plan", {"sources": ["./docs"]})


def test_a_plan_that_waits_for_its_yes_is_proposed_anew() -> None:
    plan = parse_plan({"dataset_name": "shop", "categories": [{"name": "refunds", "count": 10}]})
    [act] = understand("use the policies in ./docs", PlanningContext(proposed=plan)).acts
    assert act.tool == "propose_plan"
    assert parse_plan(act.arguments) == plan.model_copy(update={"sources": ("./docs",)})


def test_with_no_plan_it_is_asked_what_to_write() -> None:
    reading = understand("use the policies in ./docs", PlanningContext())
    assert reading.asks and not reading.acts
    both = understand("20 cases for a shop bot: refunds", PlanningContext(), earlier="use the policies in ./docs")
    [act] = both.acts
    assert act.tool == "propose_plan"
    assert act.arguments["sources"] == ["./docs"]
