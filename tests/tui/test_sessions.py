"""Home, and a session from its plan to its end: run, pause, leave, come back."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.home.screen import HomeScreen
from tests.support.process import read_until, start
from tests.support.studio import NARROW, WIDE, Desk, Scripted, begin, built, screen_text, studio

Plans = Callable[..., DatasetPlanInput]


def listed(desk: Desk) -> list[str]:
    assert isinstance(desk.app.screen, HomeScreen)
    return sorted(listing.id for listing in desk.app.screen._shown)


# Home


async def test_the_first_start_says_who_writes_and_how_to_begin() -> None:
    async with studio() as desk:
        await desk.sees(
            "Writing with the built-in offline writer (no key, no endpoint configured)", "connect a model or change",
            "There is no session yet.", "try an example: 500 cases", "say in your own words", "Sessions are kept in",
        )  # fmt: skip
        assert "rename" not in desk.text and "delete" not in desk.text


async def test_the_list_shows_state_and_progress_and_opens(make_plan: Plans) -> None:
    await built(make_plan(4, name="done"))
    await built(make_plan(40, name="halfway"), model=Scripted(hold=1), until=1)
    async with studio() as desk:
        await desk.until(lambda: listed(desk) == ["done", "halfway"])
        await desk.sees("4/4", "finished", "/40", "paused", "just now", "built-in")
        await desk.press("slash")
        await desk.write("paused")
        await desk.until(lambda: listed(desk) == ["halfway"])
        await desk.sees("1 of 2")
        await desk.write("zzz")
        await desk.sees("No session matches.")
        await desk.press("escape")
        await desk.until(lambda: listed(desk) == ["done", "halfway"])
        place = [listing.id for listing in desk.app.screen._shown].index("halfway")  # type: ignore[attr-defined]
        desk.one("#session-list").move_to(place)
        await desk.press("enter")
        await desk.at("StudioScreen", "prompt")
        assert desk.session.id == "halfway"
        await desk.press("ctrl+p")
        await desk.state("finished")


async def test_a_name_that_cannot_be_is_said_so(make_plan: Plans) -> None:
    for name in ("one", "two"):
        await built(make_plan(2, name=name))
    async with studio() as desk:
        await desk.until(lambda: listed(desk) == ["one", "two"])
        chosen = desk.app.screen.chosen.id  # type: ignore[attr-defined]
        other = "two" if chosen == "one" else "one"
        for name, words in ((other, f"The name '{other}' is taken."), ("../up", "cannot be the name"), ("a b", "a_b")):
            await desk.press("r")
            await desk.at("Ask", "line")
            desk.one("#line", Input).value = name
            await desk.press("enter")
            await desk.until(lambda words=words: words in desk.told)
            await desk.at("HomeScreen")
        assert listed(desk) == ["one", "two"]


async def test_delete_asks_and_keeps_when_told_so(make_plan: Plans) -> None:
    await built(make_plan(2))
    async with studio() as desk:
        await desk.until(lambda: listed(desk) == ["support"])
        for keys in (("escape",), ("down", "enter")):
            await desk.press("delete")
            await desk.at("QuestionDialog", "answers")
            await desk.sees("Delete support?", "2 cases go to the trash folder")
            await desk.press(*keys)
            await desk.at("HomeScreen", "session-list")
            assert listed(desk) == ["support"]


async def test_an_example_begins_a_session_and_a_large_one_asks() -> None:
    async with studio(flags={"max_dataset_size": 100}) as desk:
        await desk.press("e")
        await desk.at("Examples", "examples")
        await desk.sees("customer_service", "500 cases")
        for keys, place in ((("down", "enter"), "HomeScreen"), (("enter",), "StudioScreen")):
            if desk.place != "Examples":
                await desk.press("e")
                await desk.at("Examples", "examples")
            await desk.press("enter")
            await desk.at("QuestionDialog", "answers")
            await desk.sees("the limit is 100", "The built-in writer costs nothing.")
            await desk.press(*keys)
            await desk.at(place)
        assert desk.session.plan.total_instances > 100
        await desk.sees("^Y approve")


async def test_the_form_says_what_is_wrong_as_it_is_typed() -> None:
    async with studio() as desk:
        await desk.press("f")
        await desk.at("NewSession", "name")
        await desk.sees("Give the dataset a name.")
        await desk.press("ctrl+s")
        assert desk.place == "NewSession"
        await desk.write("bot/1")
        await desk.sees("is not a safe name")
        await desk.press("ctrl+u")
        await desk.write("bot_1")
        await desk.sees("bot_1: 100 cases, 2 categories. ^S begins.")
        box = desk.one("#categories", TextArea)
        box.text = "orders ten: Where?"
        await desk.sees("write a name, a count and an example")
        box.text = "orders 0: Where?"
        await desk.misses("^S begins.")
        box.text = "orders 1_0: Where is it?\n\nrefunds 5"
        await desk.sees("bot_1: 15 cases, 2 categories. ^S begins.")
        desk.one("#file", Input).value = "nowhere.yaml"
        await desk.sees("nowhere.yaml")
        await desk.misses("^S begins.")
        desk.one("#file", Input).value = ""
        await desk.press("ctrl+s")
        await desk.at("StudioScreen", "PlanCard")
        assert [(c.name, c.count) for c in desk.session.plan.categories] == [("orders", 10), ("refunds", 5)]


async def test_a_plan_file_begins_a_session() -> None:
    Path("plan.yaml").write_text("dataset_name: filed\ncategories: [{name: a, count: 3, example_inputs: [Hi there]}]\n")
    async with studio() as desk:
        await desk.press("f")
        await desk.at("NewSession", "name")
        desk.one("#file", Input).value = "plan.yaml"
        await desk.sees("filed: 3 cases, 1 category. ^S begins.")
        await desk.press("ctrl+s")
        await desk.at("StudioScreen", "PlanCard")
        assert desk.session.id == "filed"


# A run


async def test_run_pause_leave_resume_finish(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    async with studio(model=model, flags={"drain_timeout": 0}) as desk:
        await begin(desk, make_plan(60, 20))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted >= 8)
        await desk.press("ctrl+p")
        await desk.state("paused")
        await desk.sees("‖ paused", "At rest. ^P resumes", "safe to close")
        accepted = desk.live.view.accepted
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
        assert desk.app.farewell == [
            f"support: {accepted} of 80 cases are saved.",
            "To go on:  dsbuilder resume support",
        ]
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.sees(f"{accepted}/80", "‖ paused")
        await desk.press("ctrl+p")
        await desk.state("finished")
        await desk.sees("80/80 · 100 %", "✓ finished")
        await desk.said(f"✓ Going on · {80 - accepted} cases to write")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
        assert desk.app.farewell == ["support: 80 of 80 cases are saved."]


async def test_leaving_while_it_runs_asks(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as desk:
        await begin(desk, make_plan(60))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        for keys in (("escape",), ("down", "enter")):
            await desk.press("ctrl+q")
            await desk.at("QuestionDialog", "answers")
            await desk.sees("Pause and quit?", "of 60 cases saved")
            await desk.press(*keys)
            await desk.at("StudioScreen")
            assert desk.live.running and not desk.app._exit
        await desk.press("ctrl+q")
        await desk.at("QuestionDialog", "answers")
        await desk.press("ctrl+q")
        assert desk.place == "QuestionDialog", "asking twice changes nothing"
        await desk.press("enter")
        await desk.until(lambda: desk.app._exit)
        assert desk.app.return_value == 0 and desk.app.farewell[1] == "To go on:  dsbuilder resume support"
    async with await Session.open("support", load_config()) as session:
        summary = await session.summary()
        assert summary.state == "paused" and f"{summary.instances_created} of 60" in desk.app.farewell[0]
        assert not session.was_interrupted


async def test_going_home_while_it_runs_asks(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as desk:
        await begin(desk, make_plan(60))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.command("/home")
        await desk.at("QuestionDialog", "answers")
        await desk.press("escape")
        await desk.at("StudioScreen")
        assert desk.live.running
        await desk.command("/home")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.at("HomeScreen", "session-list")
        await desk.sees("support", "/60", "paused")
        assert desk.app.live is None


async def test_a_hang_up_saves_everything(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as desk:
        await begin(desk, make_plan(60))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        desk.app.hang_up(Pause("the terminal was closed", PauseCause.TERMINAL_CLOSED))
        await desk.until(lambda: desk.app._exit)
        assert desk.app.return_value == 4
    async with await Session.open("support", load_config()) as session:
        assert (await session.summary()).state == "paused"


async def test_a_killed_run_is_told_of_and_goes_on(make_plan: Plans, tmp_path: Path) -> None:
    Path("plan.yaml").write_text(
        "dataset_name: killed\ncategories: [{name: a, count: 80, example_inputs: Where is my order}]\n"
    )
    process = start("run", "plan.yaml", "--json", cwd=Path.cwd(), env={"DSBUILDER_OFFLINE_PACE": "50"})
    try:
        read_until(process, "case_accepted")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    async with studio() as desk:
        await desk.sees("killed", "interrupted ·", " safe")
        await desk.press("enter")
        await desk.at("StudioScreen", "prompt")
        message = await desk.said("The last run was cut off. All ")
        assert f"All {desk.live.view.accepted} accepted case" in message.text
        await desk.sees("The last run was cut off.", "^P resume")
        await desk.press("ctrl+p")
        await desk.state("finished")
        await desk.sees("80/80")


@pytest.mark.parametrize("name", ["support", "sup", "nothing_like_it"])
async def test_opening_by_name(name: str, make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first=name) as desk:
        if name == "nothing_like_it":
            await desk.until(lambda: "There is no session called 'nothing_like_it'" in desk.told)
            assert desk.place == "HomeScreen"
        else:
            await desk.at("StudioScreen", "prompt")


async def test_the_theme_is_remembered(make_plan: Plans) -> None:
    async with studio() as desk:
        await desk.press("ctrl+k")
        await desk.write("theme: light")
        await desk.sees("theme: light")
        await desk.press("enter")
        await desk.until(lambda: user_config_file().is_file())
    async with studio() as desk:
        assert desk.app.palette.name == "light" and desk.app.config.theme == "light"


async def test_resizing_while_it_runs(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as desk:
        await begin(desk, make_plan(60, 20))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        for size in (NARROW, WIDE, (100, 16), (40, 10), (200, 60), WIDE):
            await desk.pilot.resize_terminal(*size)
            await desk.until(lambda size=size: desk.app.screen.size == size)
            await desk.until(lambda: "❯" in desk.text)
            lines = screen_text(desk.app).splitlines()
            assert len(lines) == size[1]
            assert desk.one("#prompt").region.bottom <= size[1] and desk.focus == "prompt"
            assert desk.one("Tabs").display == (size[0] < 100)
        model.gate.set()
        await desk.state("finished")
        await desk.sees("80/80 · 100 %")
