"""A conversation with the main agent: proposals, answers, runs, changes of mind, and the session that keeps it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.talking import SUPPORT, Talking, asked, calls, outcomes, said, says, talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def finished(talk: Talking) -> None:
    await talk.host.wait()
    result = await talk.host.result()
    assert result is not None and result.state == "complete"


async def test_words_become_a_plan_a_run_and_a_dataset(make_config: Configs) -> None:
    async with talking(
        make_config(),
        [says("A plan for you."), calls("propose_plan", SUPPORT, call_id="p1")],
        [calls("start_generation", {}, call_id="s1")],
        [says("Started.")],
    ) as talk:
        parts = await talk.say("12 cases for our support bot")
        assert said(parts) == "A plan for you." and asked(parts) == ["propose_plan"] and not troubles(parts)
        assert not talk.session.planned and "12 cases for our support bot" in talk.told()
        parts = await talk.answer(True)
        assert outcomes(parts) == [("propose_plan", True), ("start_generation", True)] and said(parts) == "Started."
        assert talk.session.planned and talk.session.id == "support_bot" and talk.session.plans.revision == 1
        await finished(talk)
        assert await talk.session.cases.counts() == {"order_status": 8, "refunds": 4}
        kinds = [(m.role, m.kind) for m in await talk.session.chat.messages()]
        assert kinds == [
            ("person", "text"), ("agent", "text"), ("agent", "plan"), ("agent", "tool"), ("agent", "tool"), ("agent", "text"),
        ]  # fmt: skip
        assert await talk.conversation.waiting() is None


async def test_a_yes_in_words_is_a_yes_and_anything_else_is_what_the_person_wants_instead(make_config: Configs) -> None:
    smaller = {**SUPPORT, "categories": [{**SUPPORT["categories"][0], "count": 5}]}  # type: ignore[dict-item,index]
    async with talking(
        make_config(),
        [calls("propose_plan", SUPPORT, call_id="p1")],
        [says("Smaller, then."), calls("propose_plan", smaller, call_id="p2")],
        [says("There it is.")],
    ) as talk:
        await talk.say("12 cases for our support bot")
        parts = await talk.say("no refunds please, just 5 order questions")
        assert asked(parts) == ["propose_plan"] and not talk.session.planned
        assert "no refunds please, just 5 order questions" in talk.told()
        assert [a.decision for a in await talk.session.approvals.newest()] == ["replaced", ""]
        await talk.say("Looks good!")
        assert talk.session.plan.total_instances == 5 and talk.session.plans.revision == 1


async def test_a_question_is_answered_beside_the_plan_that_waits(make_config: Configs) -> None:
    async with talking(
        make_config(),
        [calls("propose_plan", SUPPORT, call_id="p1")],
        [says("Each tone with each length.")],
        [says("Then it runs.")],
    ) as talk:
        await talk.say("12 cases for our support bot")
        parts = await talk.say("What does 294 combinations mean?")
        assert said(parts) == "Each tone with each length." and asked(parts) == []
        assert "It stands before them as a card" in talk.told() and '"order_status"' in talk.told()
        waiting = await talk.conversation.waiting()
        assert waiting is not None and waiting.call_id == "p1" and not talk.session.planned
        assert outcomes(await talk.say("yes")) == [("propose_plan", True)]
        assert talk.session.plan.total_instances == 12


async def test_the_person_edits_what_they_approve(make_config: Configs) -> None:
    async with talking(make_config(), [calls("propose_plan", SUPPORT, call_id="p1")], [says("As you like.")]) as talk:
        await talk.say("12 cases")
        edited = parse_plan({**SUPPORT, "categories": [{**SUPPORT["categories"][1], "count": 9}]})  # type: ignore[dict-item,index]
        parts = await talk.answer(True, plan=edited)
        assert outcomes(parts) == [("propose_plan", True)]
        assert talk.session.plan == edited
        assert "− order_status 8" in talk.told() and "~ refunds 4 → 9" in talk.told()


async def test_a_plan_above_the_limit_raises_it_with_the_yes(make_config: Configs) -> None:
    async with talking(
        make_config(max_dataset_size=10), [calls("propose_plan", SUPPORT, call_id="p1")], [says("Fine.")]
    ) as talk:
        await talk.say("12 cases")
        waiting = await talk.conversation.waiting()
        assert waiting is not None and "more than your limit of 10 cases" in waiting.request.card.notes[-1]
        await talk.answer(True)
        assert talk.session.plan.total_instances == 12 and talk.session.config.max_dataset_size == 12


async def test_a_change_of_mind_in_the_middle_of_a_run_keeps_what_is_accepted(
    make_config: Configs, make_plan: Plans
) -> None:
    config = make_config(offline_pace=200, drain_timeout=0)
    async with talking(
        config,
        [calls("start_generation", {}, call_id="s1")],
        [says("Running.")],
        [calls("revise_plan", {"counts": {"category_1": 20}, "add": [
            {"name": "complaints", "count": 3, "example_inputs": ["This is the third time I complain about parcel 88!"]},
        ]}, call_id="r1")],
        [says("Changed; it goes on.")],
        plan=make_plan(400, name="shop"),
    ) as talk:  # fmt: skip
        await talk.say("go")
        async for event in talk.session.events():
            if event.type == "case_accepted":
                break
        parts = await talk.say("20 are enough, and add 3 complaints")
        assert asked(parts) == ["revise_plan"] and talk.host.running
        parts = await talk.answer(True)
        assert outcomes(parts) == [("revise_plan", True)] and talk.host.running
        await finished(talk)
        counts = await talk.session.cases.counts()
        assert counts["complaints"] == 3 and counts["category_1"] == next(
            c.count for c in talk.session.plan.categories if c.name == "category_1"
        )
        assert 20 <= counts["category_1"] < 400


async def test_what_cannot_be_is_told_to_the_model_and_not_asked_of_the_person(make_config: Configs) -> None:
    wrong: list[tuple[str, Any, str]] = [
        ("propose_plan", {**SUPPORT, "categories": []}, "add at least one category"),
        ("propose_plan", {**SUPPORT, "categories": [{"name": "a", "count": 0}]}, "must be at least 1"),
        ("propose_plan", {**SUPPORT, "colour": 1}, "colour is not known"),
        ("propose_plan", "{not json", "not JSON"),
        ("revise_plan", {"counts": {"x": 1}}, "There is no plan yet"),
        ("start_generation", {}, "There is no plan yet"),
        ("preview_cases", {"category": "x", "count": 9}, "count: 9 must be at most 5"),
        ("show_cases", {"category": "x"}, "There is no category"),
        ("finalize_dataset", {}, "There is no plan yet"),
        ("adjust_category", {}, "Nothing to change"),
        ("describe_target", {}, "Give one of the two"),
        ("export_dataset", {"format": "xml"}, "There is no export format"),
    ]
    steps: list[Any] = [[calls(name, args, call_id=f"c{n}")] for n, (name, args, _) in enumerate(wrong)]
    for number, (name, _, words) in enumerate(wrong):
        async with talking(make_config(), steps[number], [says("Sorry.")]) as talk:
            parts = await talk.say("do it")
            assert outcomes(parts) == [(name, False)], name
            assert words in talk.told(), name
            assert said(parts) == "Sorry." and not troubles(parts) and await talk.conversation.waiting() is None


async def test_a_model_that_packs_lists_into_strings_is_understood(make_config: Configs) -> None:
    import json

    packed = {**SUPPORT, "categories": json.dumps(SUPPORT["categories"])}
    async with talking(make_config(), [calls("propose_plan", packed, call_id="p1")], [says("Fine.")]) as talk:
        assert asked(await talk.say("12 cases")) == ["propose_plan"]
        await talk.answer(True)
        assert talk.session.plan.total_instances == 12


async def test_only_one_question_at_a_time(make_config: Configs) -> None:
    async with talking(
        make_config(),
        [
            calls("propose_plan", SUPPORT, call_id="p1"),
            calls("propose_plan", {**SUPPORT, "dataset_name": "b"}, call_id="p2"),
        ],
        [says("Thank you.")],
    ) as talk:
        parts = await talk.say("12 cases")
        assert asked(parts) == ["propose_plan"] and len(await talk.session.approvals.newest()) == 1
        await talk.answer(True)
        assert talk.session.plan.dataset_name == "support_bot" and "One question at a time" in talk.told()


async def test_a_question_is_answered_once(make_config: Configs) -> None:
    async with talking(make_config(), [calls("propose_plan", SUPPORT, call_id="p1")], [says("Fine.")]) as talk:
        await talk.say("12 cases")
        waiting = await talk.conversation.waiting()
        assert waiting is not None
        await talk.answer(True)
        again = [part async for part in talk.conversation.answer(waiting, yes=True)]
        assert "not open any more" in troubles(again) and talk.session.plans.revision == 1
