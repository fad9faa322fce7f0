"""Questions about the data: what the built-in planner asks of it, and what it does not take for a question."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.data_question import DataQuestion
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, WITH_AXES, acts_of, shop_plan

# Questions about the data, and what is asked of it.
QUESTIONS: list[tuple[str, dict[str, object]]] = [
    ("how many are angry", {"what": "cases", "attributes": {"tone": "angry"}}),
    ("any duplicates?", {"what": "repeats"}),
    ("what did it cost", {"what": "cost"}),
    ("show case 100", {"what": "case", "case": "100"}),
    ("which category is thin", {"what": "coverage", "by": "category"}),
    ("how many refunds are angry?", {"what": "cases", "category": "refunds", "attributes": {"tone": "angry"}}),
    ("how many are in Spanish", {"what": "cases", "attributes": {"language": "Spanish"}}),
    ("how many are angry or polite", {"what": "cases", "by": "attribute", "axis": "tone"}),
    ("how many cases are there", {"what": "cases"}),
    ("how many cases per category", {"what": "cases", "by": "category"}),
    ("cases by tone", {"what": "cases", "by": "attribute", "axis": "tone"}),
    ("which tone is rarest", {"what": "cases", "by": "attribute", "axis": "tone", "order": "least"}),
    ("how many mention \"broken screen\"", {"what": "cases", "text": "broken screen"}),
    ("how many are furious", {"what": "cases", "text": "furious"}),
    ("how many were rejected", {"what": "rejected"}),
    ("what is the rejection rate", {"what": "rejected"}),
    ("which category has the most rejections", {"what": "rejected", "by": "category", "order": "most"}),
    ("what was rejected last", {"what": "rejected", "order": "newest", "limit": 1}),
    ("which category is slowest", {"what": "time", "by": "category", "order": "most"}),
    ("how long did it take", {"what": "time"}),
    ("how many are left?", {"what": "open"}),
    ("any expectations missing?", {"what": "expectations"}),
    ("which model", {"what": "models"}),
    ("open #143", {"what": "case", "case": "#143"}),
    ("show me refunds-00012", {"what": "case", "case": "refunds-00012"}),
    ("what do refunds cost", {"what": "cost", "category": "refunds"}),
    ("how many are pinned", {"what": "cases", "mark": "pinned"}),
    ("how many are reviewed", {"what": "cases", "mark": "reviewed"}),
    ("how many are judged bad", {"what": "cases", "verdict": "bad"}),
    ("how many multi-turn cases", {"what": "cases", "kind": "conversation"}),
    ("cases by source", {"what": "cases", "by": "source"}),
    ("how many slots were given up?", {"what": "exhausted"}),
    ("show 3 angry refunds", {
        "what": "cases", "category": "refunds", "attributes": {"tone": "angry"}, "order": "newest", "limit": 3}),
    # In words that were first tried when the table of words was made.
    ("so how many refunds do we have now?", {"what": "cases", "category": "refunds"}),
    ("what share of the cases is angry", {"what": "cases", "attributes": {"tone": "angry"}}),
    ("are any two cases identical?", {"what": "repeats"}),
    ("is there anything that says the same twice", {"what": "repeats"}),
    ("what have we paid up to now", {"what": "cost"}),
    ("how many tokens have we used", {"what": "cost"}),
    ("let me read case 40", {"what": "case", "case": "40"}),
    ("which parts are underrepresented", {"what": "coverage"}),
    ("what percentage got rejected", {"what": "rejected"}),
    ("which stage rejects most", {"what": "rejected", "by": "stage", "order": "most"}),
    ("which llm is it using", {"what": "models"}),
    ("what takes the longest", {"what": "time", "by": "category", "order": "most"}),
    ("how many remain in refunds", {"what": "open", "category": "refunds"}),
    ("how many did I edit", {"what": "cases", "mark": "edited"}),
    ("how many cases have I changed", {"what": "cases", "mark": "edited"}),
    ("how many documents are used", {"what": "cases", "by": "source"}),
    ("show me everything in Spanish", {
        "what": "cases", "attributes": {"language": "Spanish"}, "order": "newest", "limit": 5}),
    ("how many angry ones per category", {"what": "cases", "attributes": {"tone": "angry"}, "by": "category"}),
    # Workers, what failed, what is left.
    ("how many failed", {"what": "calls"}),
    ("did anything fail?", {"what": "calls"}),
    ("what failed", {"what": "calls"}),
    ("why did the calls fail?", {"what": "calls"}),
    ("how many calls failed for refunds", {"what": "calls", "category": "refunds"}),
    ("any errors?", {"what": "calls"}),
    ("show me the errors", {"what": "calls"}),
    ("list the failed calls", {"what": "calls"}),
    ("what went wrong", {"what": "calls"}),
    ("what's the error rate", {"what": "calls"}),
    ("how many timed out", {"what": "calls"}),
    ("how many were cut off", {"what": "calls"}),
    ("were we rate-limited?", {"what": "calls"}),
    ("why is it so slow", {"what": "calls"}),
    ("show me the workers", {"what": "calls"}),
    ("how many workers are running?", {"what": "calls"}),
    ("what are the workers doing", {"what": "calls"}),
    ("are the workers stuck?", {"what": "calls"}),
    ("how many are in progress", {"what": "calls"}),
    ("how many batches failed", {"what": "calls"}),
    ("what happened in batch 2", {"what": "calls", "batch": 2}),
    ("why did batch 7 fail?", {"what": "calls", "batch": 7}),
    ("show batch 3", {"what": "calls", "batch": 3}),
    ("how much time is left?", {"what": "time"}),
    ("how long until it is done", {"what": "time"}),
    ("how much more will it cost", {"what": "cost"}),
    ("what does one case cost?", {"what": "cost"}),
    ("how much of the budget is left", {"what": "cost"}),
    ("how many mention errors", {"what": "cases", "text": "errors"}),
    # One case, the ends of the list, lengths, two things side by side, causes, changes.
    ("open refunds 12", {"what": "case", "case": "refunds-00012"}),
    ("refund #12", {"what": "case", "case": "refunds-00012"}),
    ("who wrote 12", {"what": "case", "case": "12"}),
    ("read me the last one", {"what": "cases", "order": "newest", "limit": 1}),
    ("show me the first 3", {"what": "cases", "order": "oldest", "limit": 3}),
    ("is order status done", {"what": "open", "category": "order_status"}),
    ("which cases mention shipping", {"what": "cases", "text": "shipping", "order": "newest", "limit": 5}),
    ("give me an example of angry", {"what": "cases", "attributes": {"tone": "angry"}, "order": "newest", "limit": 1}),
    ("did you write any about refunds yet", {"what": "cases", "category": "refunds"}),
    ("what's the average length", {"what": "length"}),
    ("how many words per case", {"what": "length"}),
    ("longest case", {"what": "length", "order": "most", "limit": 1}),
    ("the shortest refund pls", {"what": "length", "category": "refunds", "order": "least", "limit": 1}),
    ("how many are longer than 20 words", {"what": "length", "over": 20}),
    ("compare angry and polite", {"what": "comparison", "by": "attribute", "axis": "tone", "between": ["angry", "polite"]}),
    ("refunds vs order status", {"what": "comparison", "by": "category", "between": ["refunds", "order_status"]}),
    ("what's the worst category", {"what": "comparison", "by": "category", "order": "least"}),
    ("how diverse is it", {"what": "variety"}),
    ("is it diverse enough?", {"what": "variety"}),
    ("why is order status empty", {"what": "cause", "category": "order_status"}),
    ("why are there so few angry ones", {"what": "cause", "attributes": {"tone": "angry"}}),
    ("what did I change", {"what": "changes"}),
    ("what changed since yesterday", {"what": "changes", "since": "yesterday"}),
    ("what's new since the last checkpoint", {"what": "changes", "since": "checkpoint"}),
    ("what happened in the last hour", {"what": "changes", "since": "1 hours ago"}),
    ("where is my file", {"what": "files"}),
    ("which cases failed their checks", {"what": "rejected", "stage": "validators"}),
    ("which tone is missing", {"what": "coverage", "by": "attribute", "axis": "tone", "order": "least"}),
    ("how manny refunds", {"what": "cases", "category": "refunds"}),
    ("how many refunds talk about a failed payment", {
        "what": "cases", "category": "refunds", "text": "a failed payment"}),
]  # fmt: skip
NO_QUESTIONS = [
    "what about 20 angry refunds", "how many cases should I write", "what does 294 combinations mean?", "why is the sky blue",
    "make half of the refunds angry", "status", "what is left", "what can you do", "who are you", "how do I export",
    "show me 5 refunds", "why were so many rejected", "which slots are exhausted", "how does it work", "what is the plan",
    "how many workers should I use", "use more workers",
]  # fmt: skip


@pytest.mark.parametrize(("said", "asked"), QUESTIONS)
def test_what_is_asked_of_the_data(said: str, asked: dict[str, object]) -> None:
    assert acts_of(understand(said, WITH_AXES)) == [("ask_data", asked)]
    DataQuestion.model_validate(asked)


@pytest.mark.parametrize("said", NO_QUESTIONS)
def test_what_asks_nothing_of_the_data(said: str) -> None:
    assert "ask_data" not in [tool for tool, _ in acts_of(understand(said, WITH_AXES))]


@pytest.mark.parametrize("said", [said for said, _ in QUESTIONS])
@pytest.mark.parametrize("situation", [NOTHING, PlanningContext(plan=shop_plan(), proposed=shop_plan(refunds=9))])
def test_a_question_changes_no_plan(said: str, situation: PlanningContext) -> None:
    reading = understand(said, situation)
    assert {tool for tool, _ in acts_of(reading)} <= {"ask_data", "show_cases"} and (reading.acts or reading.words)
