"""Every slash command does what it says, with no model at all; plan cards say what has become of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import TextArea

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.tui.commands import slash_commands
from dsbuilder_tui.tui.studio.cards import PlanCard
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import Scripted, User, begin, built, limited, studio
from tests.tui.test_keys_rejected import REPEATS

Plans = Callable[..., DatasetPlanInput]
Check = Callable[[User], Awaitable[None]]


async def at_prompt(user: User) -> None:
    await user.at("StudioScreen")
    await user.until(lambda: user.focus in ("prompt", "PlanCard"))


async def _plan(user: User) -> None:
    await user.command("/plan")
    await user.sees("plan · rev 1 · 6 cases", "✓ approved")
    await user.command("/plan edit")
    await user.at("PlanEditor", "plan-text")
    await user.press("escape")
    await user.command("/plan nonsense")
    await user.said("/plan nonsense is not known")


async def _run(user: User) -> None:
    await user.command("/run")
    await user.said("All slots are settled already.")


async def _pause(user: User) -> None:
    await user.command("/pause")
    await user.said("Nothing is running.")


async def _retry(user: User) -> None:
    await user.command("/retry")
    await user.said("No slot is exhausted.")


async def _status(user: User) -> None:
    await user.command("/status")
    message = await user.said("6 of 6 cases (100.0 %), finished")
    assert "| category_1 | 6 | 6 | 0 | 0 |" in message.text and str(user.session.folder) in message.text


async def _doctor(user: User) -> None:
    await user.command("/doctor")
    message = await user.said("**support** is whole:")
    assert "- ✓ sums: all" in message.text and "are whole" in message.text


async def _checkpoint(user: User) -> None:
    await user.command("/checkpoint before lunch")
    await user.said("✓ Checkpoint 2 at 6 cases")
    assert (await user.session.checkpoints.all())[-1].name == "before lunch"
    await user.until(lambda: len(user.live.view.points) == 2)


async def _cases(user: User) -> None:
    await user.command("/cases category_1-00003")
    await user.at("CasesScreen", "cases")
    await user.sees("1 case · all categories")


def _screen(command: str, place: str) -> Check:
    async def check(user: User) -> None:
        await user.command(f"/{command}")
        await user.at(place)

    return check


async def _export(user: User) -> None:
    await user.command("/export")
    await user.said("✓ Wrote 6 cases to")
    assert (user.session.folder / "support.jsonl").is_file()
    for name in ("out.csv", "out.json", "two words.jsonl", "out_checkpoint.json"):
        await user.command(f"/export {name}")
        await user.said(name)
        assert Path(name).stat().st_size > 100
    await user.command("/export out.docx")
    assert (await user.said("out.docx")).kind == "error"
    assert not Path("out.docx").exists()


async def _model(user: User) -> None:
    await user.command("/model")
    await user.said("Main agent: built-in planner. Workers: built-in writer.")
    await user.command("/model tiny-1")
    await user.said("✓ Workers: tiny-1")
    assert user.session.config.worker_model == "tiny-1" and user.session.settings.kept["worker_model"] == "tiny-1"


async def _budget(user: User) -> None:
    await user.command("/budget")
    await user.said("Spent so far: $0.00; there is no budget.")
    await user.command("/budget $2.50")
    await user.said("✓ Spent so far: $0.00; the budget is $2.50.")
    assert user.session.config.budget == 2.5 and user.session.settings.kept["budget"] == "2.50"
    for wrong in ("much", "-1", "0", "nan", "inf"):
        await user.command(f"/budget {wrong}")
        await user.said(f"/budget {wrong} is not a sum.")
    assert user.session.config.budget == 2.5
    await user.command("/budget off")
    await user.said("✓ Spent so far: $0.00; there is no budget.")
    assert user.session.config.budget is None


async def _pace(user: User) -> None:
    for argument, pace, words in (
        ("20", 20, "20 cases a second"),
        ("1", 1, "1 case a second"),
        ("off", 0, "as fast as it goes"),
    ):
        await user.command(f"/pace {argument}")
        await user.said(f"pace: {words}")
        assert user.live.pace == pace
    for wrong in ("fast", "-1", "nan", "1e99"):
        await user.command(f"/pace {wrong}")
        await user.said(f"/pace {wrong} is not a number")
        assert user.live.pace == 0


async def _theme(user: User) -> None:
    await user.command("/theme high-contrast")
    await user.until(lambda: user.app.palette.name == "high-contrast")
    await user.until(lambda: user_config_file().is_file())
    assert 'theme = "high-contrast"' in user_config_file().read_text(encoding="utf-8")
    await user.command("/theme pink")
    await user.said("There is no theme 'pink'.")


async def _help(user: User) -> None:
    await user.command("/help")
    message = await user.said("F1** shows the keys")
    assert all(f"`/{command.name}`" in message.text for command in slash_commands())


async def _home(user: User) -> None:
    await user.command("/home")
    await user.at("HomeScreen", "session-list")
    assert user.app.live is None
    await user.sees("support", "6/6")


async def _quit(user: User) -> None:
    await user.command("/quit")
    await user.until(lambda: user.app._exit)


async def _mlflow(user: User) -> None:
    await user.command("/mlflow")
    await user.said("This session is not logged to MLflow.")
    await user.command("/mlflow ftp://there")
    await user.said("must be a server or a database")
    await user.command("/mlflow http://127.0.0.1:9")  # where nobody listens: said, and nothing waits for it
    await user.said("MLflow: 0 of 6 synced")
    assert user.session.config.mlflow_tracking_uri == "http://127.0.0.1:9"
    await user.command("/mlflow off")
    await user.said("This session is not logged to MLflow.")
    assert await user.session.tracking.state() is None


async def _rewind(user: User) -> None:
    await user.session.checkpoints.save("early")
    await user.session.cases.withdraw("category_1", 2)
    await user.command("/rewind nowhere")
    await user.said("There is no checkpoint 'nowhere'")
    await user.command("/rewind early")
    await user.said("what was here before stays as main-1: /branches main-1 returns to it")
    await user.until(lambda: user.live.view.accepted == 6 and user.live.view.branch == "main")
    await user.command("/rewind")
    await user.at("CheckpointsScreen", "rail")


async def _fork(user: User) -> None:
    await user.command("/fork")
    await user.until(lambda: user.one("#prompt").text == "/fork ")
    await user.command("/fork angrier people")
    await user.said("Now on angrier people at checkpoint")
    await user.until(lambda: user.live.view.branch == "angrier people")
    await user.command("/fork angrier people")
    await user.said("There is a branch 'angrier people' already.")


async def _branches(user: User) -> None:
    await user.session.branches.fork_here("other")
    await user.command("/branches")
    message = await user.said("- other (here): 6 of 6 cases, forked at checkpoint")
    assert "- main: 6 of 6 cases" in message.text
    await user.command("/branches main")
    await user.said("Now on main at checkpoint")
    await user.command("/branches nobody")
    await user.said("There is no branch 'nobody'")


async def _undo(user: User) -> None:
    await user.command("/undo list")
    await user.said("Nothing was done here yet that can be undone.")
    await user.command("/undo")
    await user.said("There is nothing to undo.")
    await user.session.cases.annotate("category_1", 2, pinned=True)
    await user.command("/budget 3")
    await user.said("the budget is $3.00.")
    await user.command("/undo list")
    message = await user.said("What can be undone, the last first:")
    assert [line.partition(" ")[2] for line in message.text.splitlines()[1:]] == [
        "you: set budget = 3", "you: pinned category_1-00002",
    ]  # fmt: skip
    await user.command("/undo 2")
    await user.said("↶ Undid: set budget = 3")
    await user.said("↶ Undid: pinned category_1-00002")
    assert user.session.config.budget is None
    await user.command("/undo much")
    await user.said("/undo much is not a number of acts.")


async def _redo(user: User) -> None:
    await user.session.cases.annotate("category_1", 2, pinned=True)
    await user.command("/undo")
    await user.said("↶ Undid: pinned category_1-00002")
    await user.command("/redo")
    await user.said("↷ Redid: pinned category_1-00002")
    # Where something is typed ^Z is about that; in an empty prompt, when no key was pressed for a moment, about acts.
    await user.press("x", "ctrl+z")
    assert user.one("#prompt", TextArea).text == ""
    prompt = user.one("#prompt", Prompt)
    await user.until(lambda: time.monotonic() - prompt._changed > 1.1)
    await user.press("ctrl+z")
    await user.until_async(lambda: _pins(user, 0))
    await user.press("alt+z")  # what was typed, and taken back, comes first
    assert prompt.text == "x"


async def _pins(user: User, wanted: int) -> bool:
    found = [seq async for step in user.session.cases.search(pinned=True) for seq in step.seqs]
    return len(found) == wanted


async def _goto(user: User) -> None:
    await user.command("/goto max_dataset")
    await user.at("GotoScreen", "goto-line")
    await user.press("enter")
    await user.at("SettingsScreen", "settings")
    await user.until(lambda: user.app.screen.chosen == "max_dataset_size")  # type: ignore[attr-defined]


async def _switch(user: User) -> None:
    await built(DatasetPlanInput(dataset_name="other", categories=user.session.plan.categories))
    await user.command("/switch nobody")
    await user.said("There is no session 'nobody'.")
    await user.command("/switch")
    await user.at("GotoScreen")
    await user.press("escape")
    await user.command("/switch other")
    await user.until(lambda: user.app.live is not None and user.app.live.session.id == "other")
    await at_prompt(user)


CHECKS: dict[str, Check] = {
    "undo": _undo, "redo": _redo,
    "rewind": _rewind, "fork": _fork, "branches": _branches,
    "plan": _plan, "run": _run, "resume": _run, "pause": _pause, "retry": _retry, "status": _status, "doctor": _doctor,
    "checkpoint": _checkpoint, "cases": _cases, "checkpoints": _screen("checkpoints", "CheckpointsScreen"),
    "coverage": _screen("coverage", "CoverageScreen"), "rejected": _screen("rejected", "RejectedScreen"), "map": _screen("map", "MapScreen"), "review": _screen("review", "ReviewScreen"), "workers": _screen("workers", "WorkersScreen"), "export": _export,
    "model": _model, "budget": _budget, "pace": _pace, "theme": _theme, "settings": _screen("settings", "SettingsScreen"), "home": _home,
    "goto": _goto, "switch": _switch, "help": _help, "quit": _quit, "mlflow": _mlflow,
}  # fmt: skip


def test_every_command_has_a_test() -> None:
    assert {command.name for command in slash_commands()} == set(CHECKS)


@pytest.mark.parametrize("name", [command.name for command in slash_commands()])
async def test_command(name: str, make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(open_first="support") as user:
        await at_prompt(user)
        await CHECKS[name](user)


async def test_run_pause_resume_by_command(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as user:
        await begin(user, make_plan(30))
        await user.command("/run")
        await user.state("running")
        await user.said("✓ Started generating · 30 cases to write")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.command("/run")
        await user.said("The session is running already.")
        await user.command("/retry")
        await user.said("is running already.")
        await user.command("/plan edit")
        await user.said("The plan cannot be changed while the run is going on.")
        await user.command("/pause")
        await user.state("paused")
        await user.said("‖ Paused at")
        model.gate.set()
        await user.command("/resume")
        await user.state("finished")
        await user.said("✓ Finished: 30 cases")


async def test_exhausted_slots_are_tried_again() -> None:
    async with studio() as user:
        await begin(user, REPEATS, max_attempts=1)
        await user.answer("ctrl+y")
        await user.state("finished")
        lost = user.live.view.exhausted
        assert lost and user.live.view.accepted + lost == 40
        await user.sees("! finished short", f"{lost} slots exhausted")
        await user.said("! Finished short:")
        await user.command("/retry")
        await user.said(f"✓ {lost} slots open again")
        await user.state("finished")
        assert user.live.view.accepted > 40 - lost


# Plan cards


async def test_an_edited_plan_is_checked_as_it_is_typed_and_shown_as_a_change(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4, 5))
        await user.answer("right", "enter")
        await user.at("PlanEditor", "plan-text")
        box = user.one("#plan-text", TextArea)
        good = box.text
        box.text = good.replace("count: 5", "count: five")
        await user.sees("'five'")
        await user.press("ctrl+s")
        assert user.place == "PlanEditor"
        box.text = good.replace("count: 5", "count: 9")
        await user.sees("13 cases, 2 categories")
        await user.press("ctrl+s")
        await user.sees("plan · rev 2 · 13 cases", "5 → 9", "replaced by a later revision")
        assert user.session.plan.total_instances == 13 and user.session.plans.revision == 2
        states = [card.state for card in user.app.screen.query(PlanCard)]
        assert states == ["older", "open"]
        user.app.screen.query(PlanCard).last().focus()
        await user.answer("ctrl+y")
        await user.state("finished")
        await user.sees("✓ approved", "13/13")


async def test_cards_say_what_has_become_of_them_after_resume(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await user.answer("ctrl+y")
        await user.state("finished")
    async with studio(open_first="support") as user:
        await at_prompt(user)
        await user.sees("✓ approved")
        assert user.focus == "prompt" and [c.state for c in user.app.screen.query(PlanCard)] == ["approved"]
        await user.session.plans.revise(make_plan(6))
        await user.until(lambda: [c.state for c in user.app.screen.query(PlanCard)] == ["older"])


async def test_a_rate_limit_is_said_in_words(make_plan: Plans) -> None:
    model = Scripted(faults=[limited(30) for _ in range(4)])
    async with studio(model=model, flags={"max_workers": 4}) as user:
        await begin(user, make_plan(400))
        await user.command("/run")
        await user.sees("Rate-limited by the endpoint:", "rate limit · ")
        assert user.live.view.waiting
        await user.command("/status")
        await user.said("0 of 400 cases (0.0 %), running")


async def test_a_budget_that_is_used_up_is_said_and_can_be_raised(fake: FakeOpenAI, make_plan: Plans) -> None:
    prices = {"gpt-4o-mini": {"input": 10_000, "output": 0}}  # a dollar a call
    flags = {"base_url": fake.url, "prices": prices, "batch_size": 1, "max_workers": 1, "budget": 2}
    async with studio(flags=flags) as user:
        await begin(user, make_plan(8))
        await user.command("/run")
        await user.state("paused")
        await user.said("the budget of $2.00 is used up")
        await user.sees(" of $2.00")
        await user.command("/run")
        assert (await user.said("✗ The budget of $2.00 is used up")).kind == "error"
        await user.command("/status")
        await user.said("Cost: $")
        await user.command("/budget 50")
        await user.said("the budget is $50.00.")
        assert user.session.config.budget == 50 == user.app.config.budget
        await user.command("/model gpt-4o-mini")  # another change does not bring the flag's back
        await user.said("✓ Workers: gpt-4o-mini")
        assert user.session.config.budget == 50
        await user.command("/run")
        await user.state("finished")
