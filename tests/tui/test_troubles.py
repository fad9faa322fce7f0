"""Endpoints that refuse, fail or slow down; settings; what a person does to cases while a run goes on; many cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.settings.screen import SettingsScreen
from tests.support.fake_agent import says
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import NARROW, Scripted, User, begin, built, studio

Plans = Callable[..., DatasetPlanInput]
SECRET = "sk-verysecretkey0123456789"


def at(fake: FakeOpenAI, **more: Any) -> dict[str, Any]:
    return {"base_url": fake.url, "api_key": SECRET, "max_workers": 2, "batch_size": 5, **more}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthorized", "does not accept the API key"),
        ("no_model", "The model gpt-4o-mini does not exist at"),
        ("no_quota", "has no quota left"),
    ],
)
async def test_a_refusal_is_said_in_words_and_the_run_can_go_on(
    fault: str, words: str, fake: FakeOpenAI, make_plan: Plans
) -> None:
    fake.rates = {fault: 1.0}
    async with studio(flags=at(fake)) as user:
        await begin(user, make_plan(12))
        await user.answer("ctrl+y")
        message = await user.said(words)
        assert message.kind == "error" and message.text.startswith("✗ ")
        await user.state("paused")
        await user.sees("✗ ", "‖ paused", "^P resume")
        await user.until(lambda: "The run stopped and needs you" in user.told)
        assert SECRET not in user.text and all(SECRET not in m.text for m in await user.session.chat.messages())
        fake.rates = {}
        await user.press("ctrl+p")
        await user.state("finished")
        await user.sees("12/12 · 100 %")


async def test_an_endpoint_that_is_gone_is_said_in_words(fake: FakeOpenAI, make_plan: Plans) -> None:
    flags = at(fake, max_retries=0)
    await fake.stop()
    async with studio(flags=flags) as user:
        await begin(user, make_plan(12))
        await user.answer("ctrl+y")
        await user.until(lambda: not user.live.running and user.live.view.state is RunState.PAUSED)
        message = await user.said("✗ ")
        assert str(fake.port) in message.text and "Traceback" not in message.text
        assert "failed: Connection refused" in message.text


async def test_waits_are_shown_and_end(fake: FakeOpenAI, make_plan: Plans) -> None:
    fake.script, fake.retry_after = ["rate_limit"] * 2, "600"
    async with studio(flags=at(fake)) as user:
        await begin(user, make_plan(30))
        await user.answer("ctrl+y")
        await user.sees("rate limit ·")
        await user.until(lambda: user.live.view.waiting)
        for batch in list(user.live.view.waiting):
            user.session.calls.retry_now(batch)
        await user.state("finished")
        await user.sees("30/30 · 100 %")
        await user.press("f6")
        await user.at("WorkersScreen", "calls")
        await user.sees("1 retry")


# Settings


async def change(user: User, name: str) -> None:
    screen = user.app.screen
    assert isinstance(screen, SettingsScreen)
    user.one("#settings").move_to(screen._names.index(name))
    await user.press("enter")
    await user.at("Ask", "line")


async def test_settings_are_checked_as_they_are_typed_and_name_their_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCH_SIZE", "7")
    async with studio(flags={"max_workers": 5}) as user:
        await user.press("c")
        await user.at("SettingsScreen", "settings")
        rows = {
            row.split()[1]: row
            for row in user.text.replace("❯", " ").splitlines()
            if row.startswith("│") and len(row.split()) > 2
        }
        assert "environment (DSBUILDER_BATCH_SIZE)" in rows["batch_size"] and " 7 " in rows["batch_size"]
        assert "flag" in rows["max_workers"] and "default" in rows["provider"]
        await change(user, "max_workers")
        for wrong in ("0", "many", "9999"):
            await user.press("ctrl+u")
            await user.write(wrong)
            await user.sees(f"setting max_workers: '{wrong}'")
            await user.press("enter")
            assert user.place == "Ask"
        await user.press("ctrl+u")
        await user.write("12\n")
        await user.at("SettingsScreen")
        await user.sees("changed here")
        assert user.app.config.max_workers == 12
        await user.press("escape", "c")
        await user.at("SettingsScreen", "settings")
        await user.sees("changed here")


@pytest.mark.parametrize("size", [(120, 36), NARROW])
async def test_a_key_is_never_shown(size: tuple[int, int], make_plan: Plans) -> None:
    async with studio(size=size) as user:
        await user.press("c")
        await user.at("SettingsScreen", "settings")
        await change(user, "api_key")
        assert user.one("#line", Input).value == ""
        await user.paste(SECRET)
        await user.until(lambda: user.one("#line", Input).value == SECRET)
        assert SECRET not in user.text and SECRET[3:] not in user.text
        await user.press("enter")
        await user.at("SettingsScreen")
        await user.until(lambda: user.app.config.resolved_provider == "openai")
        await user.until(lambda: any("api_key" in row and " set " in row for row in user.text.splitlines()))
        assert SECRET not in user.text
        await change(user, "api_key")
        assert user.one("#line", Input).value == ""
        await user.write("bad\u00e9key")
        await user.sees("(hidden)")
        assert "bad\u00e9key" not in user.text
        await user.press("escape", "s")
        await user.pilot.pause()
        from dsbuilder_tui.settings.locations import user_config_file

        assert not user_config_file().exists()


async def test_changed_settings_reach_the_open_session(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.command("/settings")
        await user.at("SettingsScreen", "settings")
        await change(user, "batch_size")
        await user.press("ctrl+u")
        await user.write("3\n")
        await user.until(lambda: user.session.config.batch_size == 3)
        await user.until(lambda: int(user.session.settings.kept.get("batch_size", 0)) == 3)


# Acts while a run goes on


async def test_a_case_turned_away_while_it_runs_is_written_again(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as user:
        await begin(user, make_plan(30))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: user.one("#cases").chosen is not None)
        case = user.one("#cases").chosen
        await user.press("d")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.until(lambda: "It is written again now." in user.told)
        model.gate.set()
        await user.state("finished")
        again = await user.session.cases.get(case.category, case.ordinal)
        assert again is not None and again.inputs != case.inputs and user.live.view.accepted == 30
        await user.said(f"↺ {case.case_id} turned away by you; its slot is open again")
        await user.sees("30 cases")
        rejections = await user.session.rejections.newest()
        assert [r.stage for r in rejections] == ["person"] and user.live.view.rejected == 1


async def test_acts_are_there_after_reopening(make_plan: Plans) -> None:
    await built(make_plan(5))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        session = user.session
        await session.cases.annotate("category_1", 1, pinned=True, note="the \x1b[31mbest")
        await session.cases.edit("category_1", 2, {"query": "Edited \x1b text"}, {"polite": False})
        await session.cases.withdraw("category_1", 3, "dull")
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.sees("4/5", "turned away by you", "Rejected 1")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.sees("4 cases", "★", "✉", "✎", "the ␛[31mbest", "pinned or noted by you", "Edited ␛ text")
        assert "\x1b" not in user.text
        await user.press("f")
        await user.at("QuestionDialog", "answers")
        await user.sees("only pinned", "only noted", "only edited")
        await user.press("down", "down", "down", "enter")
        await user.sees("1 case · all categories · pinned")
        await user.press("escape", "f5")
        await user.until(lambda: user.place in ("StudioScreen", "RejectedScreen"))
        await user.press("f5")
        await user.at("RejectedScreen", "rejections")
        await user.sees("Dull", "1 rejected")


# Many cases


async def test_a_search_over_thousands_of_cases(make_plan: Plans) -> None:
    await built(make_plan(3000, 1000))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        rows = user.one("#cases")
        await user.until(lambda: rows.count == 4000)
        await user.press("slash")
        await user.write("category_2-00777")
        await user.until(lambda: rows.count == 1 and rows.chosen is not None)
        assert rows.chosen.case_id == "category_2-00777"
        await user.press("ctrl+u")
        await user.write("category_1-01")
        await user.until(lambda: rows.count == 1000)
        await user.press("enter", "end")
        await user.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_1-01999")
        assert len(rows._pages) <= 12
        await user.press("escape")
        await user.until(lambda: rows.count == 4000)
        await user.press("end")
        await user.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_2-01000")


async def test_the_pace_is_changed_while_it_runs(make_plan: Plans) -> None:
    async with studio(flags={"offline_pace": 1}) as user:
        await begin(user, make_plan(60))
        await user.answer("ctrl+y")
        await user.state("running")
        await user.sees("paced at 1 case/s · /pace off")
        await user.command("/pace off")
        await user.said("The built-in writer's pace: as fast as it goes")
        await user.state("finished")
        await user.misses("paced at")


async def test_the_app_stays_awake_for_keys_while_thousands_come_in(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(1500))
        await user.answer("ctrl+y")
        for key, place in (("f2", "CasesScreen"), ("escape", "StudioScreen"), ("f6", "WorkersScreen")):
            await user.press(key)
            await user.at(place)
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        await user.write("typed meanwhile")
        await user.until(lambda: user.one("#prompt").text == "typed meanwhile")
        await user.state("finished")
        await user.sees("1,500/1,500")


async def test_thoughts_are_folded_into_a_line_and_never_an_answer(fake: FakeOpenAI, make_plan: Plans) -> None:
    """Also those of which the end alone is seen; they can be opened, also when the session is opened again."""
    await built(make_plan(4))
    unopened = "The person greets me, {so} I greet.\n</think>\n\nHello there."
    fake.agent_script[:] = [says(unopened, chunk=5), says("<think>Shall I ask?</think>And now?", chunk=5)]
    async with studio(open_first="support", flags=at(fake)) as user:
        await user.at("StudioScreen", "prompt")
        for words in ("Hello there.", "And now?"):
            await user.write("hello\n")
            await user.said(words)
            await user.until(lambda: not user.one("#conversation").answering)
        await user.sees("Hello there.", "· thought", "And now?")
        assert "I greet." not in user.text and "think>" not in user.text
        await user.press("ctrl+o")
        await user.sees("The person greets me, {so} I greet.", "Shall I ask?")
    async with studio(open_first="support", flags=at(fake)) as user:
        await user.sees("Hello there.", "· thought", "And now?")
        assert "I greet." not in user.text
