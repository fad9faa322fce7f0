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
from tests.support.studio import Desk, Scripted, begin, built, limited, studio
from tests.tui.test_keys_rejected import REPEATS

Plans = Callable[..., DatasetPlanInput]
Check = Callable[[Desk], Awaitable[None]]


async def at_prompt(desk: Desk) -> None:
    await desk.at("StudioScreen")
    await desk.until(lambda: desk.focus in ("prompt", "PlanCard"))


async def _plan(desk: Desk) -> None:
    await desk.command("/plan")
    await desk.sees("plan · rev 1 · 6 cases", "✓ approved")
    await desk.command("/plan edit")
    await desk.at("PlanEditor", "plan-text")
    await desk.press("escape")
    await desk.command("/plan nonsense")
    await desk.said("/plan nonsense is not known")


async def _run(desk: Desk) -> None:
    await desk.command("/run")
    await desk.said("All slots are settled already.")


async def _pause(desk: Desk) -> None:
    await desk.command("/pause")
    await desk.said("Nothing is running.")


async def _retry(desk: Desk) -> None:
    await desk.command("/retry")
    await desk.said("No slot is exhausted.")


async def _status(desk: Desk) -> None:
    await desk.command("/status")
    message = await desk.said("6 of 6 cases (100.0 %), finished")
    assert "| category_1 | 6 | 6 | 0 | 0 |" in message.text and str(desk.session.folder) in message.text


async def _doctor(desk: Desk) -> None:
    await desk.command("/doctor")
    message = await desk.said("**support** is whole:")
    assert "- ✓ sums: all" in message.text and "are whole" in message.text


async def _checkpoint(desk: Desk) -> None:
    await desk.command("/checkpoint before lunch")
    await desk.said("✓ Checkpoint 2 at 6 cases")
    assert (await desk.session.checkpoints.all())[-1].name == "before lunch"
    await desk.until(lambda: len(desk.live.view.points) == 2)


async def _cases(desk: Desk) -> None:
    await desk.command("/cases category_1-00003")
    await desk.at("CasesScreen", "cases")
    await desk.sees("1 case · all categories")


def _screen(command: str, place: str) -> Check:
    async def check(desk: Desk) -> None:
        await desk.command(f"/{command}")
        await desk.at(place)

    return check


async def _export(desk: Desk) -> None:
    await desk.command("/export")
    await desk.said("✓ Wrote 6 cases to")
    assert (desk.session.folder / "support.jsonl").is_file()
    for name in ("out.csv", "out.json", "two words.jsonl", "out_checkpoint.json"):
        await desk.command(f"/export {name}")
        await desk.said(name)
        assert Path(name).stat().st_size > 100
    await desk.command("/export out.docx")
    assert (await desk.said("out.docx")).kind == "error"
    assert not Path("out.docx").exists()


async def _model(desk: Desk) -> None:
    await desk.command("/model")
    await desk.said("Main agent: built-in planner. Workers: built-in writer.")
    await desk.command("/model tiny-1")
    await desk.said("✓ Workers: tiny-1")
    assert desk.session.config.worker_model == "tiny-1" and desk.session.settings.kept["worker_model"] == "tiny-1"


async def _budget(desk: Desk) -> None:
    await desk.command("/budget")
    await desk.said("Spent so far: $0.00; there is no budget.")
    await desk.command("/budget $2.50")
    await desk.said("✓ Spent so far: $0.00; the budget is $2.50.")
    assert desk.session.config.budget == 2.5 and desk.session.settings.kept["budget"] == "2.50"
    for wrong in ("much", "-1", "0", "nan", "inf"):
        await desk.command(f"/budget {wrong}")
        await desk.said(f"/budget {wrong} is not a sum.")
    assert desk.session.config.budget == 2.5
    await desk.command("/budget off")
    await desk.said("✓ Spent so far: $0.00; there is no budget.")
    assert desk.session.config.budget is None


async def _pace(desk: Desk) -> None:
    for argument, pace, words in (
        ("20", 20, "20 cases a second"),
        ("1", 1, "1 case a second"),
        ("off", 0, "as fast as it goes"),
    ):
        await desk.command(f"/pace {argument}")
        await desk.said(f"pace: {words}")
        assert desk.live.pace == pace
    for wrong in ("fast", "-1", "nan", "1e99"):
        await desk.command(f"/pace {wrong}")
        await desk.said(f"/pace {wrong} is not a number")
        assert desk.live.pace == 0


async def _theme(desk: Desk) -> None:
    await desk.command("/theme high-contrast")
    await desk.until(lambda: desk.app.palette.name == "high-contrast")
    await desk.until(lambda: user_config_file().is_file())
    assert 'theme = "high-contrast"' in user_config_file().read_text(encoding="utf-8")
    await desk.command("/theme pink")
    await desk.said("There is no theme 'pink'.")


async def _help(desk: Desk) -> None:
    await desk.command("/help")
    message = await desk.said("F1** shows the keys")
    assert all(f"`/{command.name}`" in message.text for command in slash_commands())


async def _home(desk: Desk) -> None:
    await desk.command("/home")
    await desk.at("HomeScreen", "session-list")
    assert desk.app.live is None
    await desk.sees("support", "6/6")


async def _quit(desk: Desk) -> None:
    await desk.command("/quit")
    await desk.until(lambda: desk.app._exit)


async def _mlflow(desk: Desk) -> None:
    await desk.command("/mlflow")
    await desk.said("This session is not logged to MLflow.")
    await desk.command("/mlflow ftp://there")
    await desk.said("must be a server or a database")
    await desk.command("/mlflow http://127.0.0.1:9")  # where nobody listens: said, and nothing waits for it
    await desk.said("MLflow: 0 of 6 synced")
    assert desk.session.config.mlflow_tracking_uri == "http://127.0.0.1:9"
    await desk.command("/mlflow off")
    await desk.said("This session is not logged to MLflow.")
    assert await desk.session.tracking.state() is None


async def _rewind(desk: Desk) -> None:
    await desk.session.checkpoints.save("early")
    await desk.session.cases.withdraw("category_1", 2)
    await desk.command("/rewind nowhere")
    await desk.said("There is no checkpoint 'nowhere'")
    await desk.command("/rewind early")
    await desk.said("what was here before stays as main-1: /branches main-1 returns to it")
    await desk.until(lambda: desk.live.view.accepted == 6 and desk.live.view.branch == "main")
    await desk.command("/rewind")
    await desk.at("CheckpointsScreen", "rail")


async def _fork(desk: Desk) -> None:
    await desk.command("/fork")
    await desk.until(lambda: desk.one("#prompt").text == "/fork ")
    await desk.command("/fork angrier people")
    await desk.said("Now on angrier people at checkpoint")
    await desk.until(lambda: desk.live.view.branch == "angrier people")
    await desk.command("/fork angrier people")
    await desk.said("There is a branch 'angrier people' already.")


async def _branches(desk: Desk) -> None:
    await desk.session.branches.fork_here("other")
    await desk.command("/branches")
    message = await desk.said("- other (here): 6 of 6 cases, forked at checkpoint")
    assert "- main: 6 of 6 cases" in message.text
    await desk.command("/branches main")
    await desk.said("Now on main at checkpoint")
    await desk.command("/branches nobody")
    await desk.said("There is no branch 'nobody'")


async def _undo(desk: Desk) -> None:
    await desk.command("/undo list")
    await desk.said("Nothing was done here yet that can be undone.")
    await desk.command("/undo")
    await desk.said("There is nothing to undo.")
    await desk.session.cases.annotate("category_1", 2, pinned=True)
    await desk.command("/budget 3")
    await desk.said("the budget is $3.00.")
    await desk.command("/undo list")
    message = await desk.said("What can be undone, the last first:")
    assert [line.partition(" ")[2] for line in message.text.splitlines()[1:]] == [
        "you: set budget = 3", "you: pinned category_1-00002",
    ]  # fmt: skip
    await desk.command("/undo 2")
    await desk.said("↶ Undid: set budget = 3")
    await desk.said("↶ Undid: pinned category_1-00002")
    assert desk.session.config.budget is None
    await desk.command("/undo much")
    await desk.said("/undo much is not a number of acts.")


async def _redo(desk: Desk) -> None:
    await desk.session.cases.annotate("category_1", 2, pinned=True)
    await desk.command("/undo")
    await desk.said("↶ Undid: pinned category_1-00002")
    await desk.command("/redo")
    await desk.said("↷ Redid: pinned category_1-00002")
    # Where something is typed ^Z is about that; in an empty prompt, when no key was pressed for a moment, about acts.
    await desk.press("x", "ctrl+z")
    assert desk.one("#prompt", TextArea).text == ""
    prompt = desk.one("#prompt", Prompt)
    await desk.until(lambda: time.monotonic() - prompt._changed > 1.1)
    await desk.press("ctrl+z")
    await desk.until_async(lambda: _pins(desk, 0))
    await desk.press("alt+z")  # what was typed, and taken back, comes first
    assert prompt.text == "x"


async def _pins(desk: Desk, wanted: int) -> bool:
    found = [seq async for step in desk.session.cases.search(pinned=True) for seq in step.seqs]
    return len(found) == wanted


async def _goto(desk: Desk) -> None:
    await desk.command("/goto max_dataset")
    await desk.at("GotoScreen", "goto-line")
    await desk.press("enter")
    await desk.at("SettingsScreen", "settings")
    await desk.until(lambda: desk.app.screen.chosen == "max_dataset_size")  # type: ignore[attr-defined]


async def _switch(desk: Desk) -> None:
    await built(DatasetPlanInput(dataset_name="other", categories=desk.session.plan.categories))
    await desk.command("/switch nobody")
    await desk.said("There is no session 'nobody'.")
    await desk.command("/switch")
    await desk.at("GotoScreen")
    await desk.press("escape")
    await desk.command("/switch other")
    await desk.until(lambda: desk.app.live is not None and desk.app.live.session.id == "other")
    await at_prompt(desk)


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
    async with studio(open_first="support") as desk:
        await at_prompt(desk)
        await CHECKS[name](desk)


async def test_run_pause_resume_by_command(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as desk:
        await begin(desk, make_plan(30))
        await desk.command("/run")
        await desk.state("running")
        await desk.said("✓ Started generating · 30 cases to write")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.command("/run")
        await desk.said("The session is running already.")
        await desk.command("/retry")
        await desk.said("is running already.")
        await desk.command("/plan edit")
        await desk.said("The plan cannot be changed while the run is going on.")
        await desk.command("/pause")
        await desk.state("paused")
        await desk.said("‖ Paused at")
        model.gate.set()
        await desk.command("/resume")
        await desk.state("finished")
        await desk.said("✓ Finished: 30 cases")


async def test_exhausted_slots_are_tried_again() -> None:
    async with studio() as desk:
        await begin(desk, REPEATS, max_attempts=1)
        await desk.answer("ctrl+y")
        await desk.state("finished")
        lost = desk.live.view.exhausted
        assert lost and desk.live.view.accepted + lost == 40
        await desk.sees("! finished short", f"{lost} slots exhausted")
        await desk.said("! Finished short:")
        await desk.command("/retry")
        await desk.said(f"✓ {lost} slots open again")
        await desk.state("finished")
        assert desk.live.view.accepted > 40 - lost


# Plan cards


async def test_an_edited_plan_is_checked_as_it_is_typed_and_shown_as_a_change(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4, 5))
        await desk.answer("right", "enter")
        await desk.at("PlanEditor", "plan-text")
        box = desk.one("#plan-text", TextArea)
        good = box.text
        box.text = good.replace("count: 5", "count: five")
        await desk.sees("'five'")
        await desk.press("ctrl+s")
        assert desk.place == "PlanEditor"
        box.text = good.replace("count: 5", "count: 9")
        await desk.sees("13 cases, 2 categories")
        await desk.press("ctrl+s")
        await desk.sees("plan · rev 2 · 13 cases", "5 → 9", "replaced by a later revision")
        assert desk.session.plan.total_instances == 13 and desk.session.plans.revision == 2
        states = [card.state for card in desk.app.screen.query(PlanCard)]
        assert states == ["older", "open"]
        desk.app.screen.query(PlanCard).last().focus()
        await desk.answer("ctrl+y")
        await desk.state("finished")
        await desk.sees("✓ approved", "13/13")


async def test_cards_say_what_has_become_of_them_after_resume(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await desk.answer("ctrl+y")
        await desk.state("finished")
    async with studio(open_first="support") as desk:
        await at_prompt(desk)
        await desk.sees("✓ approved")
        assert desk.focus == "prompt" and [c.state for c in desk.app.screen.query(PlanCard)] == ["approved"]
        await desk.session.plans.revise(make_plan(6))
        await desk.until(lambda: [c.state for c in desk.app.screen.query(PlanCard)] == ["older"])


async def test_a_rate_limit_is_said_in_words(make_plan: Plans) -> None:
    model = Scripted(faults=[limited(30) for _ in range(4)])
    async with studio(model=model, flags={"max_workers": 4}) as desk:
        await begin(desk, make_plan(400))
        await desk.command("/run")
        await desk.sees("Rate-limited by the endpoint:", "rate limit · ")
        assert desk.live.view.waiting
        await desk.command("/status")
        await desk.said("0 of 400 cases (0.0 %), running")


async def test_a_budget_that_is_used_up_is_said_and_can_be_raised(fake: FakeOpenAI, make_plan: Plans) -> None:
    prices = {"gpt-4o-mini": {"input": 10_000, "output": 0}}  # a dollar a call
    flags = {"base_url": fake.url, "prices": prices, "batch_size": 1, "max_workers": 1, "budget": 2}
    async with studio(flags=flags) as desk:
        await begin(desk, make_plan(8))
        await desk.command("/run")
        await desk.state("paused")
        await desk.said("the budget of $2.00 is used up")
        await desk.sees(" of $2.00")
        await desk.command("/run")
        assert (await desk.said("✗ The budget of $2.00 is used up")).kind == "error"
        await desk.command("/status")
        await desk.said("Cost: $")
        await desk.command("/budget 50")
        await desk.said("the budget is $50.00.")
        assert desk.session.config.budget == 50 == desk.app.config.budget
        await desk.command("/model gpt-4o-mini")  # another change does not bring the flag's back
        await desk.said("✓ Workers: gpt-4o-mini")
        assert desk.session.config.budget == 50
        await desk.command("/run")
        await desk.state("finished")
