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
from tests.support.studio import NARROW, Desk, Scripted, begin, built, studio

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
    async with studio(flags=at(fake)) as desk:
        await begin(desk, make_plan(12))
        await desk.answer("ctrl+y")
        message = await desk.said(words)
        assert message.kind == "error" and message.text.startswith("✗ ")
        await desk.state("paused")
        await desk.sees("✗ ", "‖ paused", "^P resume")
        await desk.until(lambda: "The run stopped and needs you" in desk.told)
        assert SECRET not in desk.text and all(SECRET not in m.text for m in await desk.session.chat.messages())
        fake.rates = {}
        await desk.press("ctrl+p")
        await desk.state("finished")
        await desk.sees("12/12 · 100 %")


async def test_an_endpoint_that_is_gone_is_said_in_words(fake: FakeOpenAI, make_plan: Plans) -> None:
    flags = at(fake, max_retries=0)
    await fake.stop()
    async with studio(flags=flags) as desk:
        await begin(desk, make_plan(12))
        await desk.answer("ctrl+y")
        await desk.until(lambda: not desk.live.running and desk.live.view.state is RunState.PAUSED)
        message = await desk.said("✗ ")
        assert str(fake.port) in message.text and "Traceback" not in message.text
        assert "failed: Connection refused" in message.text


async def test_waits_are_shown_and_end(fake: FakeOpenAI, make_plan: Plans) -> None:
    fake.script, fake.retry_after = ["rate_limit"] * 2, "600"
    async with studio(flags=at(fake)) as desk:
        await begin(desk, make_plan(30))
        await desk.answer("ctrl+y")
        await desk.sees("rate limit ·")
        await desk.until(lambda: desk.live.view.waiting)
        for batch in list(desk.live.view.waiting):
            desk.session.calls.retry_now(batch)
        await desk.state("finished")
        await desk.sees("30/30 · 100 %")
        await desk.press("f6")
        await desk.at("WorkersScreen", "calls")
        await desk.sees("1 retry")


# Settings


async def change(desk: Desk, name: str) -> None:
    screen = desk.app.screen
    assert isinstance(screen, SettingsScreen)
    desk.one("#settings").move_to(screen._names.index(name))
    await desk.press("enter")
    await desk.at("Ask", "line")


async def test_settings_are_checked_as_they_are_typed_and_name_their_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCH_SIZE", "7")
    async with studio(flags={"max_workers": 5}) as desk:
        await desk.press("c")
        await desk.at("SettingsScreen", "settings")
        rows = {
            row.split()[1]: row
            for row in desk.text.replace("❯", " ").splitlines()
            if row.startswith("│") and len(row.split()) > 2
        }
        assert "environment (DSBUILDER_BATCH_SIZE)" in rows["batch_size"] and " 7 " in rows["batch_size"]
        assert "flag" in rows["max_workers"] and "default" in rows["provider"]
        await change(desk, "max_workers")
        for wrong in ("0", "many", "9999"):
            await desk.press("ctrl+u")
            await desk.write(wrong)
            await desk.sees(f"setting max_workers: '{wrong}'")
            await desk.press("enter")
            assert desk.place == "Ask"
        await desk.press("ctrl+u")
        await desk.write("12\n")
        await desk.at("SettingsScreen")
        await desk.sees("changed here")
        assert desk.app.config.max_workers == 12
        await desk.press("escape", "c")
        await desk.at("SettingsScreen", "settings")
        await desk.sees("changed here")


@pytest.mark.parametrize("size", [(120, 36), NARROW])
async def test_a_key_is_never_shown(size: tuple[int, int], make_plan: Plans) -> None:
    async with studio(size=size) as desk:
        await desk.press("c")
        await desk.at("SettingsScreen", "settings")
        await change(desk, "api_key")
        assert desk.one("#line", Input).value == ""
        await desk.paste(SECRET)
        await desk.until(lambda: desk.one("#line", Input).value == SECRET)
        assert SECRET not in desk.text and SECRET[3:] not in desk.text
        await desk.press("enter")
        await desk.at("SettingsScreen")
        await desk.until(lambda: desk.app.config.resolved_provider == "openai")
        await desk.until(lambda: any("api_key" in row and " set " in row for row in desk.text.splitlines()))
        assert SECRET not in desk.text
        await change(desk, "api_key")
        assert desk.one("#line", Input).value == ""
        await desk.write("bad\u00e9key")
        await desk.sees("(hidden)")
        assert "bad\u00e9key" not in desk.text
        await desk.press("escape", "s")
        await desk.pilot.pause()
        from dsbuilder_tui.settings.locations import user_config_file

        assert not user_config_file().exists()


async def test_changed_settings_reach_the_open_session(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.command("/settings")
        await desk.at("SettingsScreen", "settings")
        await change(desk, "batch_size")
        await desk.press("ctrl+u")
        await desk.write("3\n")
        await desk.until(lambda: desk.session.config.batch_size == 3)
        await desk.until(lambda: int(desk.session.settings.kept.get("batch_size", 0)) == 3)


# Acts while a run goes on


async def test_a_case_turned_away_while_it_runs_is_written_again(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model) as desk:
        await begin(desk, make_plan(30))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: desk.one("#cases").chosen is not None)
        case = desk.one("#cases").chosen
        await desk.press("d")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.until(lambda: "It is written again now." in desk.told)
        model.gate.set()
        await desk.state("finished")
        again = await desk.session.cases.get(case.category, case.ordinal)
        assert again is not None and again.inputs != case.inputs and desk.live.view.accepted == 30
        await desk.said(f"↺ {case.case_id} turned away by you; its slot is open again")
        await desk.sees("30 cases")
        rejections = await desk.session.rejections.newest()
        assert [r.stage for r in rejections] == ["person"] and desk.live.view.rejected == 1


async def test_acts_are_there_after_reopening(make_plan: Plans) -> None:
    await built(make_plan(5))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        session = desk.session
        await session.cases.annotate("category_1", 1, pinned=True, note="the \x1b[31mbest")
        await session.cases.edit("category_1", 2, {"query": "Edited \x1b text"}, {"polite": False})
        await session.cases.withdraw("category_1", 3, "dull")
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.sees("4/5", "turned away by you", "Rejected 1")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.sees("4 cases", "★", "✉", "✎", "the ␛[31mbest", "pinned or noted by you", "Edited ␛ text")
        assert "\x1b" not in desk.text
        await desk.press("f")
        await desk.at("QuestionDialog", "answers")
        await desk.sees("only pinned", "only noted", "only edited")
        await desk.press("down", "down", "down", "enter")
        await desk.sees("1 case · all categories · pinned")
        await desk.press("escape", "f5")
        await desk.until(lambda: desk.place in ("StudioScreen", "RejectedScreen"))
        await desk.press("f5")
        await desk.at("RejectedScreen", "rejections")
        await desk.sees("Dull", "1 rejected")


# Many cases


async def test_a_search_over_thousands_of_cases(make_plan: Plans) -> None:
    await built(make_plan(3000, 1000))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        rows = desk.one("#cases")
        await desk.until(lambda: rows.count == 4000)
        await desk.press("slash")
        await desk.write("category_2-00777")
        await desk.until(lambda: rows.count == 1 and rows.chosen is not None)
        assert rows.chosen.case_id == "category_2-00777"
        await desk.press("ctrl+u")
        await desk.write("category_1-01")
        await desk.until(lambda: rows.count == 1000)
        await desk.press("enter", "end")
        await desk.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_1-01999")
        assert len(rows._pages) <= 12
        await desk.press("escape")
        await desk.until(lambda: rows.count == 4000)
        await desk.press("end")
        await desk.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_2-01000")


async def test_the_pace_is_changed_while_it_runs(make_plan: Plans) -> None:
    async with studio(flags={"offline_pace": 1}) as desk:
        await begin(desk, make_plan(60))
        await desk.answer("ctrl+y")
        await desk.state("running")
        await desk.sees("paced at 1 case/s · /pace off")
        await desk.command("/pace off")
        await desk.said("The built-in writer's pace: as fast as it goes")
        await desk.state("finished")
        await desk.misses("paced at")


async def test_the_app_stays_awake_for_keys_while_thousands_come_in(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(1500))
        await desk.answer("ctrl+y")
        for key, place in (("f2", "CasesScreen"), ("escape", "StudioScreen"), ("f6", "WorkersScreen")):
            await desk.press(key)
            await desk.at(place)
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
        await desk.write("typed meanwhile")
        await desk.until(lambda: desk.one("#prompt").text == "typed meanwhile")
        await desk.state("finished")
        await desk.sees("1,500/1,500")


async def test_thoughts_are_folded_into_a_line_and_never_an_answer(fake: FakeOpenAI, make_plan: Plans) -> None:
    """Also those of which the end alone is seen; they can be opened, also when the session is opened again."""
    await built(make_plan(4))
    unopened = "The person greets me, {so} I greet.\n</think>\n\nHello there."
    fake.agent_script[:] = [says(unopened, chunk=5), says("<think>Shall I ask?</think>And now?", chunk=5)]
    async with studio(open_first="support", flags=at(fake)) as desk:
        await desk.at("StudioScreen", "prompt")
        for words in ("Hello there.", "And now?"):
            await desk.write("hello\n")
            await desk.said(words)
            await desk.until(lambda: not desk.one("#conversation").answering)
        await desk.sees("Hello there.", "· thought", "And now?")
        assert "I greet." not in desk.text and "think>" not in desk.text
        await desk.press("ctrl+o")
        await desk.sees("The person greets me, {so} I greet.", "Shall I ask?")
    async with studio(open_first="support", flags=at(fake)) as desk:
        await desk.sees("Hello there.", "· thought", "And now?")
        assert "I greet." not in desk.text
