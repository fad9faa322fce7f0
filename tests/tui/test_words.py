"""What the app shows, on every screen and panel of sessions that have everything: no word that only the code knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from tests.support.fake_judge import verdict, verdicts
from tests.support.fake_openai import FakeOpenAI
from tests.support.shown_words import OTHER_SIZES, Reader, slips
from tests.support.studio import built, studio


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Writes expected_facts for each case.", "a name of the code"), ("Say revise_plan to change it.", "a name of the code"),
        ("It was <Stage.NEAR: 'near'>.", "a value of the code"), ("turned away at Stage.NEAR", "a value of the code"),
        ("no threshold: None", "a value of the code"), ("('tone', 'angry')", "a list of the code"),
        ("Tell the person what failed.", "a word to a model"), ("1 cases are there", "a wrong number"),
        ("PlanError: too many", "a class of the code"),
    ],
)  # fmt: skip
def test_a_slip_is_found(text: str, what: str) -> None:
    assert [slip.partition(":")[0] for slip in slips(text)][:1] == [what]


def test_what_is_no_slip_is_passed_over() -> None:
    assert (
        slips("max_workers is 4; order_status 1 case; 11 cases, 1,001 cases; ~/my_cases/out_1.csv", ["order_status"])
        == []
    )


AtSize = Callable[[int, int], tuple[int, int]]


@pytest.fixture(
    params=[None, *(pytest.param(size, marks=pytest.mark.slow, id="x".join(map(str, size))) for size in OTHER_SIZES)]
)
def at_size(request: pytest.FixtureRequest) -> AtSize:
    """The size of a test, or another one in place of it."""
    return lambda width, height: request.param or (width, height)


# What the planner names in the plan: the dataset, a category, keys of its own.
_OWN = ["order_status", "customer_support_bot", "contains_order_id", "gives_delivery_information"]


def _shop(**more: Any) -> DatasetPlanInput:
    categories = [
        DatasetCategory(
            name=name, description=f"Customers ask about {name}", count=count,
            example_inputs=["Where is my refund for order #123?"], attributes={"tone": ["angry", "calm"]},
        )
        for name, count in (("refunds", 8), ("order_status", 4))
    ]  # fmt: skip
    return DatasetPlanInput(dataset_name="shop", categories=categories, **more)


async def test_of_a_talk_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_size: AtSize) -> None:
    """From the request to the end: cards, tool lines in full, questions, every command, dialogs, settings, help."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faq.md").write_text("# Refunds\n\nA refund takes 5 days.\n\n# Orders\n\nAn order can be cancelled.\n")
    async with studio(size=at_size(150, 50), flags={"plan_samples": 3, "checkpoint_interval": 5}) as user:
        read = Reader(user, _OWN)
        read.look("home")
        await user.press("n")
        await user.to_work()
        read.look("a new session")
        await user.command("40 cases for a customer support bot: half order status, the rest refunds")
        await user.at("StudioScreen", "PlanCard")
        await user.sees("order_status")
        await user.pilot.pause()
        read.look("the plan's card")
        await user.answer("ctrl+y")
        await user.state("finished")
        await user.until(lambda: not user.one("#conversation").answering)
        read.look("the end of the run")
        for said in (
            "status", "how many failed", "show me the workers", "what happened in batch 1", "why so many rejected",
            "what did it cost", "how much time is left", "how many are angry", "show case 3", "try the exhausted ones again",
            "save a checkpoint called golden", "list the branches", "fork here as angrier", "use 3 workers",
            "set the near threshold to 0.8", "with expected answers", "undo that", "redo", "show me 2 refunds", "preview 3 refunds",
            "find \"order\"", "export to csv", "what did it look like before I changed refunds", "frobnicate", "load the last checkpoint",
            "the bot is described in ./faq.md", "remove unicorns", "add 3 refunds",
        ):  # fmt: skip
            before = len(await user.session.chat.messages())
            await user.command(said)

            async def answered(before: int = before) -> bool:
                return len(await user.session.chat.messages()) > before + 1

            await user.until_async(answered)
            await user.until(lambda: not user.one("#conversation").answering)
            await user.pilot.pause()
            read.look(f"after “{said}”")
            await user.press("ctrl+n")  # a card that waits, if there is one
            await user.until(lambda: not user.one("#conversation").answering)
            read.look(f"after no to “{said}”")
        await user.press("ctrl+o")
        await user.pilot.pause()
        for _ in range(30):
            read.look("tool lines in full")
            user.one("ChatLog").scroll_page_up(animate=False)
            await user.pilot.pause()
        await user.press("ctrl+o")
        for command in ("/status", "/plan", "/budget", "/undo", "/doctor", "/mlflow", "/model", "/branches", "/help"):
            await user.command(command)
            await user.pilot.pause()
            await user.pilot.pause()
            read.look(command)
            while user.place != "StudioScreen":
                await user.press("escape")
                await user.pilot.pause()
        await read.screens()
        for command in ("/settings", "/home"):
            await user.command(command)
            await user.until(lambda: user.place != "StudioScreen")
            for _ in range(6):
                read.look(command)
                await user.press("pagedown")
                await user.pilot.pause()
            if command == "/settings":
                await user.press("escape")
                await user.at("StudioScreen")
    read.check()


async def test_of_a_session_with_a_judge_rejections_and_branches(fake: FakeOpenAI, at_size: AtSize) -> None:
    """Screens of what a judge and the comparing turned away, of a plan with expectations of each type, and of branches."""
    bad: list[str] = []

    def say(cases: list[dict[str, Any]], call: int) -> str:
        each = []
        for number, case in enumerate(cases, 1):
            text = case["inputs"]["query"]
            if len(bad) < 3:
                bad.append(text)
            each.append(verdict(number, "natural", reason="no user writes so") if text in bad else verdict(number))
        return verdicts(*each)

    fake.judge.say = say
    plan = _shop()
    await built(plan, base_url=fake.url, api_key="k", judge="all", max_workers=2, batch_size=4, checkpoint_interval=4)
    async with studio(size=at_size(170, 50), open_first="shop") as user:
        await user.to_work()
        read = Reader(user, ["refunds", "order_status", "category_1"])
        read.look("the studio")
        assert (await user.session.rejections.by_stage())[Stage.JUDGE]
        await user.session.cases.edit("refunds", 2, {"query": "Changed by hand?"}, {"polite": True})
        await user.session.cases.withdraw("refunds", 3, "too dull")
        await user.session.branches.fork_here("aside")
        await read.screens()
        read.look("the studio again")
    read.check()
