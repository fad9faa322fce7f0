"""The agent's tools for the history: what they say is kept, when they ask, and that nothing is lost by them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from tests.support.talking import Talking, asked, calls, said, says, talking, tools_used

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def finished(config: DatasetBuilderConfig, plan: DatasetPlanInput) -> str:
    """Checkpoints at 10, 20, 30 and 40 cases, and one at a change of the plan."""
    async with await Session.create(plan, config) as session:
        await session.run()
        await session.plans.revise(
            DatasetPlanInput.model_validate(
                {**plan.model_dump(mode="json"), "total_instances": None, "categories": [
                    {**category.model_dump(mode="json"), "count": category.count + 5} for category in plan.categories
                ]}
            )
        )  # fmt: skip
        return session.id


async def answer(talk: Talking, words: str = "do it") -> dict[str, Any]:
    return dict(json.loads(tools_used(await talk.say(words))[-1].answer))


def steps(*wanted: tuple[str, dict[str, Any]]) -> list[Any]:
    found: list[Any] = []
    for number, (name, arguments) in enumerate(wanted):
        found += [[calls(name, arguments, call_id=f"c{number}")], [says("So.")]]
    return found


async def test_going_back_asks_says_what_stays_and_can_be_undone(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    told = [("rewind", {"cases": 25}), ("switch_branch", {"branch": "main-1"})]
    async with talking(config, *steps(*told), reference=name) as talk:
        parts = await talk.say("go back to the 25th case")
        assert asked(parts) == ["rewind"]
        waiting = (await talk.session.approvals.open())[0]
        assert isinstance(waiting.request, QuestionApproval) and waiting.request.subject is QuestionSubject.HISTORY
        assert "Go back to checkpoint 2, 20 of 40 cases?" in waiting.request.text
        assert "40 of 45 cases, stays as the branch main-1" in waiting.request.text
        assert [branch.name for branch in await talk.session.branches.all()] == ["main"]
        await talk.answer(True)
        assert (await talk.session.summary()).instances_created == 20
        assert [branch.name for branch in await talk.session.branches.all()] == ["main", "main-1"]
        back = await answer(talk)
        assert back["ok"] and back["left"] == "main" and "40 of 45 cases" in back["said"]
        assert (await talk.session.summary()).instances_created == 40


async def test_a_no_leaves_everything_where_it_is(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    async with talking(config, *steps(("rewind", {"before_change": "category_1"})), reference=name) as talk:
        await talk.say("go back to before I changed it")
        parts = await talk.answer(False)
        assert said(parts) == "So."
        assert (await talk.session.summary()).instances_created == 40
        assert [branch.name for branch in await talk.session.branches.all()] == ["main"]


async def test_the_history_is_looked_at_listed_and_compared_without_a_question(
    make_config: Configs, make_plan: Plans
) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    wanted = steps(
        ("list_branches", {}), ("show_checkpoint", {"before_change": "category_1"}), ("show_checkpoint", {"cases": 10}),
        ("compare_branches", {"before": "1"}), ("show_checkpoint", {}), ("show_checkpoint", {"before_change": "nothing"}),
        ("switch_branch", {"branch": "nobody"}), ("rewind", {"checkpoint": 99}),
    )  # fmt: skip
    async with talking(config, *wanted, reference=name) as talk:
        listed = await answer(talk)
        assert listed["branches"] == ["main (here): 40 of 45 cases"]
        assert [point["cases"] for point in listed["checkpoints"]][:4] == [10, 20, 30, 40]
        looked = await answer(talk)
        assert looked["plan_differs"] == ["category_1: 40 cases then, 45 now"] and len(looked["newest_cases"]) == 3
        assert "10 of 40 cases (category_1 10 of 40)" in (await answer(talk))["said"]
        compared = await answer(talk)
        assert (
            compared["counts"]["same"] == 10 and compared["counts"]["added"] == 30 and len(compared["only_after"]) == 5
        )
        for problem in ("No point was named.", "was not changed", "There is no branch", "There is no checkpoint 99"):
            failed = await answer(talk)
            assert not failed["ok"] and problem in failed["error"] and failed["way_out"]


@pytest.mark.parametrize("arguments", [{"branch": "angrier"}, {"branch": "angrier", "checkpoint": 2}, {}])
async def test_a_branch_is_begun_and_worked_on(
    make_config: Configs, make_plan: Plans, arguments: dict[str, Any]
) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    async with talking(config, *steps(("fork_branch", arguments)), reference=name) as talk:
        made = await answer(talk)
        current = await talk.session.branches.current()
        assert current.name == made["branch"] == arguments.get("branch", "fork-1")
        assert current.accepted == (20 if "checkpoint" in arguments else 40)
        assert "main stays as it is: “go to branch main” returns to it" in made["said"]


async def test_another_model_writes_in_a_branch_when_the_person_named_it(
    make_config: Configs, make_plan: Plans
) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    wanted = steps(
        ("fork_branch", {"branch": "tiny", "worker_model": "tiny-2"}),
        ("fork_branch", {"branch": "evil", "worker_model": "evil-1"}), ("switch_branch", {"branch": "main"}),
    )  # fmt: skip
    async with talking(config, *wanted, reference=name) as talk:
        before = talk.session.config.worker_model
        assert "tiny-2 writes its cases." in (await answer(talk, "try this with tiny-2"))["said"]
        assert talk.session.config.worker_model == "tiny-2"
        assert asked(await talk.say("and now?")) == ["fork_branch"]
        await talk.answer(False)
        assert "evil" not in [branch.name for branch in await talk.session.branches.all()]
        await answer(talk)
        assert talk.session.config.worker_model == before


async def test_what_the_agent_did_is_undone_as_one_step_and_done_again(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(checkpoint_interval=10)
    name = await finished(config, make_plan(40))
    told = [
        ("adjust_category", {"max_workers": 3, "near_threshold": 0.8}),
        ("undo", {}),
        ("undo", {"redo": True}),
        ("undo", {"steps": 0}),
    ]
    async with talking(config, *steps(*told), reference=name) as talk:
        await answer(talk)
        (step, *_) = await talk.session.undo_log.listing()
        assert step.actor == "agent" and talk.session.config.max_workers == 3
        back = await answer(talk)
        assert back["ok"] and back["said"] == "Undid: set near_threshold = 0.8, max_workers = 3."
        assert talk.session.config.max_workers != 3
        assert (await answer(talk))["said"].startswith("Redid: set near_threshold = 0.8")
        assert talk.session.config.max_workers == 3
        refused = await answer(talk)
        assert not refused["ok"] and "0 steps cannot be undone" in refused["error"]
