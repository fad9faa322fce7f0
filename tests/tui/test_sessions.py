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
from tests.support.studio import NARROW, WIDE, Scripted, User, begin, built, screen_text, studio

Plans = Callable[..., DatasetPlanInput]


def listed(user: User) -> list[str]:
    assert isinstance(user.app.screen, HomeScreen)
    return sorted(listing.id for listing in user.app.screen._shown)


# Home


async def test_the_first_start_says_who_writes_and_how_to_begin() -> None:
    async with studio() as user:
        await user.sees(
            "Writing with the built-in offline writer (no key, no endpoint configured)", "connect a model or change",
            "There is no session yet.", "try an example: 500 cases", "say in your own words", "Sessions are kept in",
        )  # fmt: skip
        assert "rename" not in user.text and "delete" not in user.text


async def test_the_list_shows_state_and_progress_and_opens(make_plan: Plans) -> None:
    await built(make_plan(4, name="done"))
    await built(make_plan(40, name="halfway"), model=Scripted(hold=1), until=1)
    async with studio() as user:
        await user.until(lambda: listed(user) == ["done", "halfway"])
        await user.sees("4/4", "finished", "/40", "paused", "just now", "built-in")
        await user.press("slash")
        await user.write("paused")
        await user.until(lambda: listed(user) == ["halfway"])
        await user.sees("1 of 2")
        await user.write("zzz")
        await user.sees("No session matches.")
        await user.press("escape")
        await user.until(lambda: listed(user) == ["done", "halfway"])
        place = [listing.id for listing in user.app.screen._shown].index("halfway")  # type: ignore[attr-defined]
        user.one("#session-list").move_to(place)
        await user.press("enter")
        await user.at("StudioScreen", "prompt")
        assert user.session.id == "halfway"
        await user.press("ctrl+p")
        await user.state("finished")


async def test_a_name_that_cannot_be_is_said_so(make_plan: Plans) -> None:
    for name in ("one", "two"):
        await built(make_plan(2, name=name))
    async with studio() as user:
        await user.until(lambda: listed(user) == ["one", "two"])
        chosen = user.app.screen.chosen.id  # type: ignore[attr-defined]
        other = "two" if chosen == "one" else "one"
        for name, words in ((other, f"The name '{other}' is taken."), ("../up", "cannot be the name"), ("a b", "a_b")):
            await user.press("r")
            await user.at("Ask", "line")
            user.one("#line", Input).value = name
            await user.press("enter")
            await user.until(lambda words=words: words in user.told)
            await user.at("HomeScreen")
        assert listed(user) == ["one", "two"]


async def test_delete_asks_and_keeps_when_told_so(make_plan: Plans) -> None:
    await built(make_plan(2))
    async with studio() as user:
        await user.until(lambda: listed(user) == ["support"])
        for keys in (("escape",), ("down", "enter")):
            await user.press("delete")
            await user.at("QuestionDialog", "answers")
            await user.sees("Delete support?", "2 cases go to the trash folder")
            await user.press(*keys)
            await user.at("HomeScreen", "session-list")
            assert listed(user) == ["support"]


async def test_an_example_begins_a_session_and_a_large_one_asks() -> None:
    async with studio(flags={"max_dataset_size": 100}) as user:
        await user.press("e")
        await user.at("Examples", "examples")
        await user.sees("customer_service", "500 cases")
        for keys, place in ((("down", "enter"), "HomeScreen"), (("enter",), "StudioScreen")):
            if user.place != "Examples":
                await user.press("e")
                await user.at("Examples", "examples")
            await user.press("enter")
            await user.at("QuestionDialog", "answers")
            await user.sees("the limit is 100", "The built-in writer costs nothing.")
            await user.press(*keys)
            await user.at(place)
        assert user.session.plan.total_instances > 100
        await user.sees("^Y approve")


async def test_the_form_says_what_is_wrong_as_it_is_typed() -> None:
    async with studio() as user:
        await user.press("f")
        await user.at("NewSession", "name")
        await user.sees("Give the dataset a name.")
        await user.press("ctrl+s")
        assert user.place == "NewSession"
        await user.write("bot/1")
        await user.sees("is not a safe name")
        await user.press("ctrl+u")
        await user.write("bot_1")
        await user.sees("bot_1: 100 cases, 2 categories. ^S begins.")
        box = user.one("#categories", TextArea)
        box.text = "orders ten: Where?"
        await user.sees("write a name, a count and an example")
        box.text = "orders 0: Where?"
        await user.misses("^S begins.")
        box.text = "orders 1_0: Where is it?\n\nrefunds 5"
        await user.sees("bot_1: 15 cases, 2 categories. ^S begins.")
        user.one("#file", Input).value = "nowhere.yaml"
        await user.sees("nowhere.yaml")
        await user.misses("^S begins.")
        user.one("#file", Input).value = ""
        await user.press("ctrl+s")
        await user.at("StudioScreen", "PlanCard")
        assert [(c.name, c.count) for c in user.session.plan.categories] == [("orders", 10), ("refunds", 5)]


async def test_a_plan_file_begins_a_session() -> None:
    Path("plan.yaml").write_text("dataset_name: filed\ncategories: [{name: a, count: 3, example_inputs: [Hi there]}]\n")
    async with studio() as user:
        await user.press("f")
        await user.at("NewSession", "name")
        user.one("#file", Input).value = "plan.yaml"
        await user.sees("filed: 3 cases, 1 category. ^S begins.")
        await user.press("ctrl+s")
        await user.at("StudioScreen", "PlanCard")
        assert user.session.id == "filed"


# A run


async def test_run_pause_leave_resume_finish(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    async with studio(model=model, flags={"drain_timeout": 0}) as user:
        await begin(user, make_plan(60, 20))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted >= 8)
        await user.press("ctrl+p")
        await user.state("paused")
        await user.sees("‖ paused", "At rest. ^P resumes", "safe to close")
        accepted = user.live.view.accepted
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
        assert user.app.farewell == [
            f"support: {accepted} of 80 cases are saved.",
            "To go on:  dsbuilder resume support",
        ]
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.sees(f"{accepted}/80", "‖ paused")
        await user.press("ctrl+p")
        await user.state("finished")
        await user.sees("80/80 · 100 %", "✓ finished")
        await user.said(f"✓ Going on · {80 - accepted} cases to write")
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
        assert user.app.farewell == ["support: 80 of 80 cases are saved."]


async def test_leaving_while_it_runs_asks(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as user:
        await begin(user, make_plan(60))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        for keys in (("escape",), ("down", "enter")):
            await user.press("ctrl+q")
            await user.at("QuestionDialog", "answers")
            await user.sees("Pause and quit?", "of 60 cases saved")
            await user.press(*keys)
            await user.at("StudioScreen")
            assert user.live.running and not user.app._exit
        await user.press("ctrl+q")
        await user.at("QuestionDialog", "answers")
        await user.press("ctrl+q")
        assert user.place == "QuestionDialog", "asking twice changes nothing"
        await user.press("enter")
        await user.until(lambda: user.app._exit)
        assert user.app.return_value == 0 and user.app.farewell[1] == "To go on:  dsbuilder resume support"
    async with await Session.open("support", load_config()) as session:
        summary = await session.summary()
        assert summary.state == "paused" and f"{summary.instances_created} of 60" in user.app.farewell[0]
        assert not session.was_interrupted


async def test_going_home_while_it_runs_asks(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 0}) as user:
        await begin(user, make_plan(60))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.command("/home")
        await user.at("QuestionDialog", "answers")
        await user.press("escape")
        await user.at("StudioScreen")
        assert user.live.running
        await user.command("/home")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.at("HomeScreen", "session-list")
        await user.sees("support", "/60", "paused")
        assert user.app.live is None


async def test_a_hang_up_saves_everything(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as user:
        await begin(user, make_plan(60))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        user.app.hang_up(Pause("the terminal was closed", PauseCause.TERMINAL_CLOSED))
        await user.until(lambda: user.app._exit)
        assert user.app.return_value == 4
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
    async with studio() as user:
        await user.sees("killed", "interrupted ·", " safe")
        await user.press("enter")
        await user.at("StudioScreen", "prompt")
        message = await user.said("The last run was cut off. All ")
        assert f"All {user.live.view.accepted} accepted case" in message.text
        await user.sees("The last run was cut off.", "^P resume")
        await user.press("ctrl+p")
        await user.state("finished")
        await user.sees("80/80")


@pytest.mark.parametrize("name", ["support", "sup", "nothing_like_it"])
async def test_opening_by_name(name: str, make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first=name) as user:
        if name == "nothing_like_it":
            await user.until(lambda: "There is no session called 'nothing_like_it'" in user.told)
            assert user.place == "HomeScreen"
        else:
            await user.at("StudioScreen", "prompt")


async def test_the_theme_is_remembered(make_plan: Plans) -> None:
    async with studio() as user:
        await user.press("ctrl+k")
        await user.write("theme: light")
        await user.sees("theme: light")
        await user.press("enter")
        await user.until(lambda: user_config_file().is_file())
    async with studio() as user:
        assert user.app.palette.name == "light" and user.app.config.theme == "light"


async def test_resizing_while_it_runs(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as user:
        await begin(user, make_plan(60, 20))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        for size in (NARROW, WIDE, (100, 16), (40, 10), (200, 60), WIDE):
            await user.pilot.resize_terminal(*size)
            await user.until(lambda size=size: user.app.screen.size == size)
            await user.until(lambda: "❯" in user.text)
            lines = screen_text(user.app).splitlines()
            assert len(lines) == size[1]
            assert user.one("#prompt").region.bottom <= size[1] and user.focus == "prompt"
            assert user.one("Tabs").display == (size[0] < 100)
        model.gate.set()
        await user.state("finished")
        await user.sees("80/80 · 100 %")
