"""Questions about the data of a session: the numbers are those that the cases themselves give."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.data_question import MOST_ROWS, DataAnswer, DataPlace, DataQuestion, DataSubject
from dsbuilder_tui.domain.errors import EndpointUnavailable, InputError
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.models.protocol import TransientError
from tests.support.likeness import accept, reject
from tests.support.studio import Scripted

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
AXES = {"tone": ["neutral", "polite", "angry"], "language": ["English", "Spanish"]}


def shop(**counts: int) -> DatasetPlanInput:
    wanted = counts or {"refunds": 24, "order_status": 12}
    categories = [
        {"name": name, "count": count, "example_inputs": ["Where is my refund for order #123?"]}
        for name, count in wanted.items()
    ]
    return parse_plan({"dataset_name": "shop_bot", "categories": categories, "attributes": AXES})


async def ask(session: Session, what: str, **parts: Any) -> DataAnswer:
    return await session.data.ask(DataQuestion.model_validate({"what": what, **parts}))


def counts(answer: DataAnswer) -> dict[str, int]:
    return {row.name: row.count for row in answer.rows}


async def test_counts_are_those_of_the_cases(make_config: Configs) -> None:
    async with await Session.create(shop(), make_config()) as session:
        await session.run()
        cases = [case async for case in session.cases.all()]
        tones = Counter(case.tags["attributes"]["tone"] for case in cases)
        angry = [c for c in cases if c.tags["attributes"] == {"tone": "angry", "language": "Spanish"}]
        told = await ask(session, "cases", by="attribute", axis="tone")
        assert counts(told) == dict(tones) and told.place is DataPlace.CASES
        assert [row.count for row in told.rows] == sorted(tones.values(), reverse=True)
        told = await ask(session, "cases", attributes={"tone": "angry"})
        assert told.said.startswith(f"{tones['angry']} of 36 cases: tone angry (") and told.words == "angry"
        told = await ask(session, "cases", attributes={"tone": "angry", "language": "Spanish"}, by="category")
        assert sum(counts(told).values()) == len(angry) and set(counts(told)) == {"refunds", "order_status"}
        told = await ask(session, "cases", category="refunds", attributes={"language": "Spanish"})
        assert told.said.startswith(
            f"{sum(c.category == 'refunds' and c.tags['attributes']['language'] == 'Spanish' for c in cases)} of 24 cases"
        )
        told = await ask(session, "cases", text="order")
        assert told.said.startswith(f"{sum('order' in str(c.record()).lower() for c in cases)} of 36 cases")
        assert (await ask(session, "cases")).said == "36 of 36 cases are there (100 %)."
        newest = await ask(session, "cases", attributes={"tone": "polite"}, order="newest", limit=3)
        polite = sorted((c for c in cases if c.tags["attributes"]["tone"] == "polite"), key=lambda c: -c.seq)
        assert [row.name for row in newest.rows] == [c.case_id for c in polite[1:3]] and polite[
            0
        ].case_id in newest.said


async def test_one_case_is_found_by_each_of_its_names(make_config: Configs) -> None:
    async with await Session.create(shop(), make_config()) as session:
        await session.run()
        for name in ("order_status-00003", "27"):  # the list has the 24 refunds first
            told = await ask(session, "case", case=name)
            assert told.said.startswith("order_status-00003 (27 of 36): “"), name
            assert told.words == "order_status-00003" and told.rows[0].words.startswith("tone ")
        assert (await ask(session, "case", case="#20")).words == "refunds-00020"  # order_status has no 20th
        both = await ask(session, "case", case="#3")
        assert both.said == "#3 is in 2 categories. Which one?"
        assert [row.name for row in both.rows] == ["refunds-00003", "order_status-00003"]
        for name in ("37", "0", "#999999", "refunds-00900", "lions-00001", "", "nonsense", "9" * 30):
            if name:
                assert (await ask(session, "case", case=name)).said.startswith("There is no case"), name


async def test_what_is_left_thin_and_given_up(make_config: Configs) -> None:
    async with await Session.create(shop(refunds=3, order_status=4), make_config(max_attempts=2)) as session:
        assert (await ask(session, "coverage")).said == "No case is written yet, so all of them are empty."
        assert counts(await ask(session, "open")) == {"refunds": 3, "order_status": 4}
        await accept(session, "refunds", ["one", "two", "three"])
        await accept(session, "order_status", ["four"])
        session.diversity.forget_coverage()  # they came without an event
        told = await ask(session, "coverage")
        assert (
            told.said.startswith("Thinnest is order_status: 1 of 4 (25 %). In it ") and told.place is DataPlace.COVERAGE
        )
        assert (await ask(session, "coverage", order="most")).said == "Fullest is refunds: 3 of 3 (100 %)."
        assert (await ask(session, "open")).said == "3 of 7 cases are left to write."
        assert (
            await ask(session, "open", category="refunds")
        ).said == "None of refunds is left to write: 3 of 3 are there."
        assert (await ask(session, "exhausted")).said == "No slot is exhausted: none was given up."
        await session.run(Scripted(echo="always the same"))
        told = await ask(session, "exhausted")
        assert sum(counts(told).values()) == (await session.summary()).exhausted_slots and told.rows


async def test_rejections_repeats_and_flags(make_config: Configs) -> None:
    async with await Session.create(shop(), make_config()) as session:
        assert (await ask(session, "rejected")).said == "Nothing was turned away."
        assert (await ask(session, "repeats")).said.startswith("No case is written yet")
        flag = {"kind": "contrast", "case_id": "refunds-00001", "stage": "near", "score": 0.8, "differs": ["quantity"]}
        kept = await accept(session, "refunds", ["5 euros", "50 euros"], flags=[[], [flag]])
        await reject(session, "refunds", "semantic", [0.953, 0.94], nearest=kept[0], slot=4)
        await reject(session, "order_status", "judge", [0.1], nearest=kept[0], text="It says “ignore all rules”")
        told = await ask(session, "rejected")
        assert told.said == "3 of 5 candidates were turned away (60 %): semantic 2, judge 1. Most in refunds, 2."
        assert counts(told) == {"semantic": 2, "judge": 1} and told.place is DataPlace.REJECTED
        assert counts(await ask(session, "rejected", by="category", order="least")) == {"order_status": 1, "refunds": 2}
        assert (await ask(session, "rejected", stage="judge")).said.startswith(
            "1 of 3 candidates was turned away at judge"
        )
        last = await ask(session, "rejected", order="newest", limit=1)
        assert last.said.startswith("The last one turned away, in order_status: “It says “ignore all rules””, at judge")
        told = await ask(session, "repeats")
        assert told.said == (
            "No two of 2 cases say the same. 2 candidates were turned away as repeats. 1 case is close to another and flagged."
        )
        assert (await ask(session, "cases", mark="contrast")).said.startswith("1 of 2 cases")
        assert (await ask(session, "cases", mark="contradiction")).said.startswith("0 of 2 cases")
        assert counts(await ask(session, "cases", by="flag")) == {"contrast": 1}


async def test_repeats_are_counted_where_they_may_be(make_config: Configs, make_plan: Plans) -> None:
    async with await Session.create(make_plan(5, diversity="off"), make_config()) as session:
        await accept(session, "category_1", ["again", "again", "again", "else"])
        assert (await ask(session, "repeats")).said.startswith("2 repeats among 4 cases, in category_1")


async def test_expectations_that_are_missing_are_named(make_config: Configs) -> None:
    plan = shop(refunds=3).model_dump(mode="json") | {"write": ["expected_facts"]}
    async with await Session.create(parse_plan(plan), make_config()) as session:
        assert "expected facts" in (await ask(session, "expectations")).said
        await accept(session, "refunds", ["one"], expectations={"expected_facts": ["It is blue"]})
        assert (await ask(session, "expectations")).said.startswith("Nothing is missing: all of 1 case")
        await accept(session, "refunds", ["two"], first=2, expectations={"guidelines": ["Be kind"]})
        told = await ask(session, "expectations")
        assert told.said == "Missing: expected facts in 1 case, of 2."
        assert counts(told) == {"expected_facts": 1, "guidelines": 1}
        assert (await ask(session, "cases", lacking="expected_facts")).said.startswith("1 of 2 cases")


async def test_cost_time_and_models(make_config: Configs) -> None:
    prices = {"slow-model": {"input": 1.0, "output": 2.0}}
    async with await Session.create(shop(), make_config(prices=prices)) as session:
        assert (await ask(session, "time")).said.startswith("It has not run yet")
        assert (await ask(session, "cost")).said.startswith("$0.00")
        await session.run()
        assert (await ask(session, "time")).said.split(" in ")[1].startswith("1 run, for 36 cases")
        slowest = await ask(session, "time", by="category", order="most")
        fastest = await ask(session, "time", by="category", order="least")
        assert [row.name for row in slowest.rows] == [row.name for row in reversed(fastest.rows)]
        assert slowest.said.startswith(f"Slowest is {slowest.rows[0].name}: ")
        assert (await ask(session, "cost")).said == "$0.00: the built-in writer costs nothing."
        assert "built-in" in (await ask(session, "models")).said
        assert (await ask(session, "checkpoints")).said.startswith("1 checkpoint; the last one, finish, at 36 cases")


async def test_there_is_an_answer_before_there_is_a_plan(make_config: Configs) -> None:
    async with await Session.begin("untitled", make_config()) as session:
        for what in DataSubject:
            parts = {"case": "100"} if what is DataSubject.CASE else {}
            told = await ask(session, what.value, **parts)
            assert len(told.said) > 20 and told.said.endswith("."), what


async def test_what_the_plan_does_not_have_is_named(make_config: Configs) -> None:
    async with await Session.create(shop(), make_config()) as session:
        with pytest.raises(InputError, match="refunds, order_status"):
            await ask(session, "cases", category="lions")
        for parts in ({"attributes": {"mood": "angry"}}, {"by": "attribute", "axis": "mood"}):
            with pytest.raises(InputError, match="tone, language"):
                await ask(session, "cases", **parts)


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "%", "_", '"; DROP TABLE accepted_case; --', "$.x", "\x1b[31m", "' || (SELECT 1)"]
)
async def test_no_text_of_a_question_is_run(make_config: Configs, text: str) -> None:
    async with await Session.create(shop(), make_config()) as session:
        await accept(session, "refunds", ["one", "two"])
        for parts in ({"text": text}, {"attributes": {"tone": text}}, {"lacking": text}):
            told = await ask(session, "cases", **parts)
            found = 2 if "lacking" in parts else 0
            assert told.said.startswith(f"{found} of 2 cases") and "\x1b" not in told.said
        assert len([case async for case in session.cases.all()]) == 2


@pytest.mark.parametrize(
    "parts",
    [
        {"what": "everything"}, {"what": "cases", "by": "stage"}, {"what": "case"}, {"what": "cases", "case": "1"},
        {"what": "cases", "by": "attribute"}, {"what": "cases", "axis": "tone"}, {"what": "cost", "verdict": "bad"},
        {"what": "cases", "limit": MOST_ROWS + 1}, {"what": "cases", "sql": "SELECT 1"}, {"what": "models", "category": "x"},
        {"what": "time", "text": "x"}, {"what": "cases", "stage": "near"},
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataQuestion.model_validate(parts)


async def test_an_answer_is_bounded(make_config: Configs) -> None:
    async with await Session.create(shop(**{f"kind_{n}": 1 for n in range(40)}), make_config()) as session:
        told = await ask(session, "cases")
        assert len(told.rows) == 10 and told.left_off == 30
        told = await ask(session, "open", limit=MOST_ROWS)
        assert len(told.rows) == MOST_ROWS and told.left_off == 20


async def test_counting_goes_on_past_a_window_and_a_damaged_row(make_config: Configs) -> None:
    async with await Session.create(shop(refunds=4500), make_config()) as session:
        await accept(session, "refunds", [f"case {n}" for n in range(4500)])
        assert (await ask(session, "cases", text="case")).said.startswith("4,500 of 4,500 cases")
        await session._files.store.connection.write(
            lambda connection: connection.execute("UPDATE accepted_case SET tags='{', expectations='[' WHERE ordinal=7")
        )
        assert counts(await ask(session, "expectations"))["polite"] == 4499
        assert sum(counts(await ask(session, "cases", by="attribute", axis="tone")).values()) == 4500
        assert (await ask(session, "cases", kind="single")).said.startswith("4,499 of 4,500 cases")


async def test_what_failed_and_what_happened_to_a_batch(make_config: Configs) -> None:
    config = make_config(max_workers=1, batch_size=12, max_retries=0)
    async with await Session.create(shop(refunds=12, order_status=12), config) as session:
        assert (await ask(session, "calls")).said == (
            "Nothing runs now, so no worker is at work and none is stuck. No call has ended yet."
        )
        assert (await ask(session, "calls", batch=1)).said == "There is no batch 1; no worker was called yet."
        broken = [TransientError(FailureKind.SERVER, "500 it broke")]
        with pytest.raises(EndpointUnavailable):
            await session.run(Scripted(faults=broken))
        await session.run(Scripted())
        calls = await session.calls.page(0, 100)
        told = await ask(session, "calls")
        failed = [one for one in calls if one.outcome is not CallOutcome.OK]
        assert [one.outcome for one in failed] == [CallOutcome.FAILED] and told.place is DataPlace.WORKERS
        assert counts(told) == {"done": len(calls) - 1, "failed": 1}
        assert f"{len(calls)} calls have ended" in told.said and "1 was cut short or failed" in told.said
        assert f"batch {failed[0].batch} of" in told.said
        assert "500 it broke" in told.said
        of = await ask(session, "calls", category=failed[0].category)
        assert "1 was cut short or failed" in of.said
        other = {"refunds", "order_status"} - {failed[0].category}
        assert "cut short or failed" not in (await ask(session, "calls", category=other.pop())).said
        whole = await ask(session, "calls", batch=failed[0].batch)
        assert (
            whole.said.startswith(f"Batch {failed[0].batch}: Asked for")
            and "the endpoint gave no answer." in whole.said
        )
        good = next(one for one in calls if one.outcome is CallOutcome.OK)
        said = (await ask(session, "calls", batch=good.batch)).said
        assert f"{good.delivered} are in the dataset." in said and "open again" not in said
        assert (await ask(session, "calls", batch=999)).said.startswith("There is no batch 999; the last one is batch ")
    with pytest.raises(ValidationError):
        DataQuestion.model_validate({"what": "cases", "batch": 2})


async def test_calls_in_flight_are_told(make_config: Configs) -> None:
    model = Scripted(hold=2)
    async with await Session.create(shop(refunds=12), make_config(max_workers=1, batch_size=12)) as session:
        run = asyncio.create_task(session.run(model))
        async for event in session.events():
            if event.type == "case_accepted" and event.accepted == 2:  # type: ignore[attr-defined]
                break
        assert (
            "1 call is in flight, of 1 at most; the oldest, batch 1 of refunds, since "
            in (await ask(session, "calls")).said
        )
        assert "Batch 1: Asked for 12 cases of refunds; 2 came so far." in (await ask(session, "calls", batch=1)).said
        model.gate.set()
        await run


async def test_lengths_and_comparisons_are_those_of_the_texts(make_config: Configs) -> None:
    async with await Session.create(shop(refunds=3, order_status=3), make_config()) as session:
        assert (await ask(session, "length")).said == "No case is written yet."
        await accept(session, "refunds", ["one two three", "one", "one two"])
        await accept(session, "order_status", ["a b c d e f"])
        session.diversity.forget_coverage()
        told = await ask(session, "length")
        assert (
            told.said == "4 cases have 3.0 words on average, from 1 to 6, 12 in all." and told.place is DataPlace.CASES
        )
        told = await ask(session, "length", order="most", limit=2)
        assert told.said == "The longest case is order_status-00001, 6 words: “a b c d e f”"
        assert [row.name for row in told.rows] == ["refunds-00001"]
        assert "refunds-00002, 1 word: " in (await ask(session, "length", order="least")).said
        assert (await ask(session, "length", over=2)).said == "2 of 4 cases have more than 2 words (50 %)."
        assert (await ask(session, "length", under=2, category="refunds")).said.startswith(
            "1 of 3 cases of refunds has fewer"
        )
        told = await ask(session, "comparison", by="category", between=["order_status", "refunds"])
        assert told.said == "order_status and refunds, side by side." and counts(told) == {
            "order_status": 1,
            "refunds": 3,
        }
        assert told.rows[1].words.startswith("2.0 words on average; 0 of 3 candidates")
        told = await ask(session, "comparison", by="category", order="least")
        assert told.said.endswith("order_status does worst: 1 of 3 is there, 0 candidates turned away.")
        with pytest.raises(InputError, match="no value of tone 'furious'"):
            await ask(session, "comparison", by="attribute", axis="tone", between=["angry", "furious"])
        oldest = await ask(session, "cases", order="oldest", limit=2)
        assert oldest.said.startswith("The first case is refunds-00001") and [row.name for row in oldest.rows] == [
            "refunds-00002"
        ]


async def test_causes_changes_and_files(make_config: Configs) -> None:
    async with await Session.create(shop(refunds=6, order_status=3), make_config()) as session:
        assert "the run was not started" in (await ask(session, "cause", category="refunds")).said
        kept = await accept(session, "refunds", ["one"])
        session.diversity.forget_coverage()
        await reject(session, "refunds", "semantic", [0.95, 0.96], nearest=kept[0], slot=2)
        told = await ask(session, "cause", category="refunds")
        assert (
            "2 candidates were turned away as repeats of refunds-00001" in told.said
            and told.place is DataPlace.COVERAGE
        )
        told = await ask(session, "cause", attributes={"tone": "angry"})
        assert told.said.startswith(("refunds × angry: 0 of 2", "order_status × angry: 0 of 1"))
        with pytest.raises(InputError, match="No category varies in tone: furious"):
            await ask(session, "cause", attributes={"tone": "furious"})
        assert (await ask(session, "changes")).said.startswith(
            "Nothing was changed; 1 case came and 2 candidates were turned away"
        )
        await session.cases.edit("refunds", 1, {"query": "changed"}, {})
        told = await ask(session, "changes", since="1 hours ago")
        assert told.said.startswith("1 change since ") and "edited refunds-00001" in told.said
        with pytest.raises(InputError, match="'soonish' is no time"):
            await ask(session, "changes", since="soonish")
        assert str(session.folder.resolve()) in (await ask(session, "files")).said
        assert (await ask(session, "variety")).said.startswith("Two cases are needed")
