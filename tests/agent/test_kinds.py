"""Multi-turn cases on a person's word, from a scripted main agent: a category of their own, or a whole one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.case_kind import CaseKind
from tests.support.talking import calls, outcomes, says, talking

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
MULTI_TURN: dict[str, Any] = {
    "counts": {"category_1": 17},
    "add": [{"name": "multi_turn", "kind": "conversation", "count": 3, "attributes": {"turns": ["3"]},
             "example_inputs": [{"messages": [
                 {"role": "user", "content": "Where is my order?"},
                 {"role": "assistant", "content": "Which order is it?"},
                 {"role": "user", "content": "It's #12345."}]}]}],
}  # fmt: skip


async def test_three_of_a_category_become_conversations_with_a_model(make_config: Configs, make_plan: Plans) -> None:
    async with talking(
        make_config(provider="offline"),
        [calls("revise_plan", MULTI_TURN, call_id="r1")],
        [says("Done.")],
        plan=make_plan(20, name="shop"),
    ) as talk:
        await talk.say("make 3 of category_1 multi-turn")
        parts = await talk.answer(True)
        assert outcomes(parts) == [("revise_plan", True)]
        plan = talk.session.plan
        assert {category.name: (category.kind, category.count) for category in plan.categories} == {
            "category_1": (CaseKind.SINGLE, 17), "multi_turn": (CaseKind.CONVERSATION, 3),
        }  # fmt: skip


async def test_a_model_is_told_what_is_wrong_with_a_kind(make_config: Configs, make_plan: Plans) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"change": [{"category": "category_1", "kind": "dialogue"}]}, "kind"),
        ({"add": [{"name": "x", "count": 1, "kind": "scenario", "example_inputs": [{"persona": "a"}]}]}, "`goal` is missing"),
        ({"add": [{"name": "x", "count": 1, "kind": "conversation", "attributes": {"turns": ["few"]}}]}, "no length of a conversation"),
    ]  # fmt: skip
    for arguments, words in wrong:
        async with talking(
            make_config(provider="offline"),
            [calls("revise_plan", arguments, call_id="r1")],
            [says("Sorry.")],
            plan=make_plan(5, name="shop"),
        ) as talk:
            parts = await talk.say("do it")
            assert outcomes(parts) == [("revise_plan", False)] and words in talk.told(), arguments
