"""The keys of cases, workers, settings, and of every list."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.run_state import RunState, WorkerState
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.tui.registry import session_screens
from dsbuilder_tui.tui.settings.screen import SettingsScreen
from tests.support.fake_batches import FakeBatches
from tests.support.fake_openai import FakeOpenAI
from tests.support.shown_words import Reader
from tests.support.studio import Desk, Scripted, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
C = "category_1"


async def cases(desk: Desk, count: int) -> None:
    await desk.at("StudioScreen", "prompt")
    await desk.press("f2")
    await desk.at("CasesScreen", "cases")
    await desk.until(lambda: desk.one("#cases").count == count and desk.one("#cases").chosen is not None)


def chosen(desk: Desk) -> str:
    case = desk.one("#cases").chosen
    return case.case_id if case is not None else ""


def copied(desk: Desk) -> str:
    return desk.app.clipboard


async def test_a_screen_in_front_is_not_opened_again(make_plan: Plans) -> None:
    """Every screen of the registry, those about a session too."""
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await cases(desk, 3)
        for name, place in (("cases", "CasesScreen"), ("help", "HelpScreen"), ("settings", "SettingsScreen")):
            if desk.place != place:
                desk.app.show_screen(name)
                await desk.until(lambda place=place: desk.place == place)
            before = list(desk.app.screen_stack)
            desk.app.show_screen(name, *([desk.live] if name == "cases" else []))
            await desk.pilot.pause()
            assert desk.app.screen_stack == before


async def test_each_screen_about_the_session_opens_the_others(make_plan: Plans) -> None:
    """Their keys do so everywhere, and Esc leads back to where one was."""
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await cases(desk, 3)
        for row in (*session_screens()[1:], session_screens()[0]):
            await desk.press(row.key)
            await desk.until(lambda row=row: desk.app.screen.screen_name == row.name)
            await desk.until(lambda: desk.app.screen.query("KeyBar"))
        assert [screen.screen_name for screen in desk.app.full_screens()] == ["home", "studio", "cases"]
        await desk.press("f3")
        await desk.at("CoverageScreen")
        await desk.press("escape")
        await desk.at("CasesScreen", "cases")


# Cases


@covers("Cases", "slash", "f", "s", "escape")
async def test_cases_are_searched_filtered_and_turned_around(make_plan: Plans) -> None:
    await built(make_plan(4, 3))
    async with studio(open_first="support") as desk:
        await cases(desk, 7)
        await desk.sees("7 cases · all categories", "accepted")
        await desk.press("slash")
        await desk.write("nowhere")
        await desk.sees("Nothing found.")
        await desk.until(lambda: desk.one("#case-detail").border_title == "")
        assert "category_1-00001" not in desk.text and "expectations" not in desk.text
        await desk.press("escape")
        await desk.sees("7 cases · all categories")
        assert chosen(desk) == "category_1-00001"
        await desk.press("s")
        await desk.sees("newest first")
        await desk.until(lambda: desk.one("#cases").cursor > 0 and chosen(desk) == "category_1-00001")
        await desk.press("s")
        await desk.until(lambda: desk.one("#cases").cursor == 0)
        await desk.press("f")
        await desk.at("QuestionDialog", "answers")
        await desk.press("down", "down", "enter")
        await desk.sees("3 cases · category_2")
        await desk.until(lambda: desk.one("#cases").count == 3 and chosen(desk) == "category_2-00001")
        await desk.press("slash")
        await desk.at("CasesScreen", "search")
        await desk.write("category_2-00002")
        await desk.sees("1 case · category_2")
        await desk.until(lambda: chosen(desk) == "category_2-00002")
        await desk.press("enter")
        await desk.at("CasesScreen", "cases")
        await desk.press("escape")
        await desk.until(lambda: desk.one("#cases").count == 3 and not desk.one("#search").display)
        await desk.press("escape")
        await desk.at("StudioScreen")


@covers("Cases", "p", "n", "d")
async def test_a_case_is_pinned_noted_and_turned_away(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await cases(desk, 3)
        await desk.press("p")
        await desk.sees("★")
        await desk.press("n")
        await desk.at("Ask", "line")
        await desk.write("look again\n")
        await desk.sees("look again", "✉", "pinned or noted by you")
        await desk.press("d")
        await desk.at("QuestionDialog")
        await desk.press("enter")
        await desk.until(lambda: "is pinned. Unpin it first." in desk.told)
        await desk.press("p")
        await desk.misses("★")
        await desk.press("d", "enter")
        await desk.until(lambda: "category_1-00001 is turned away." in desk.told)
        await desk.until(lambda: desk.one("#cases").count == 2)
        kinds = [entry.kind for entry in await desk.session.cases.history(C, 1)]
        assert kinds == ["case_annotated", "case_annotated", "case_annotated", "case_withdrawn"]
        assert desk.live.view.accepted == 2 and desk.live.view.state is RunState.PAUSED


@covers("Cases", "y", "tab")
async def test_a_case_is_copied_and_its_detail_reached(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await cases(desk, 3)
        await desk.press("y")
        await desk.until(lambda: "category_1-00001 is copied as JSON." in desk.told)
        assert json.loads(copied(desk))["tags"]["case_id"] == "category_1-00001"
        await desk.press("tab")
        await desk.at("CasesScreen", "detail")
        await desk.press("tab")
        await desk.at("CasesScreen", "cases")


@covers("Cases", "o")
async def test_a_case_is_edited_in_the_editor(
    make_plan: Plans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await cases(desk, 3)
        monkeypatch.setenv("EDITOR", "/nowhere/editor")
        await desk.press("o")
        await desk.until(lambda: "This terminal cannot be lent to an editor." in desk.told)
        # The test's terminal cannot be lent; from here on the app only believes that it was.
        monkeypatch.setattr(desk.app, "suspend", contextlib.nullcontext)
        await desk.press("o")
        await desk.until(lambda: "The editor /nowhere/editor could not be started" in desk.told)
        script = tmp_path / "editor.py"
        script.write_text(
            "import sys; f = sys.argv[1]; s = open(f).read(); open(f, 'w').write(s.replace('true', 'false'))"
        )
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
        await desk.press("o")
        await desk.until_async(lambda: desk.session.cases.history(C, 1))
        case = await desk.session.cases.get(C, 1)
        assert case is not None and case.expectations == {"polite": False}
        await desk.until(lambda: not desk.app.away and not desk.app.screen.has_class("-editing"))
        script.write_text("raise SystemExit(3)")
        await desk.press("o")
        await desk.until(lambda: "ended with code 3; nothing was changed." in desk.told)


# Workers


@covers("Workers", "c", "r", "y", "tab", "escape")
async def test_calls_are_cancelled_retried_and_copied(make_plan: Plans) -> None:
    model = Scripted(hold=1, faults=[TransientError(FailureKind.SERVER, "500 it broke", 3600)])
    async with studio(model=model, flags={"max_workers": 2}) as desk:
        await begin(desk, make_plan(40))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.press("f6")
        await desk.at("WorkersScreen", "calls")
        rows = desk.one("#calls")
        await desk.until(lambda: rows.count == 2 and rows.chosen is not None)
        waiting = next(w.batch for w in desk.live.view.workers.values() if w.state is WorkerState.WAITING)
        if rows.chosen.batch != waiting:
            await desk.press("down")
        await desk.until(lambda: rows.chosen.batch == waiting)
        await desk.sees("r retry now", "server error, waited", "none came so", "tried 1 time more")
        await desk.press("r")
        await desk.until(lambda: f"Batch {waiting} is tried again now." in desk.told)
        await desk.until(lambda: not desk.live.view.waiting)
        await desk.until(lambda: "cases" in next(t for t in desk.session.calls.live() if t.batch == waiting).answer)
        await desk.press("y")
        await desk.until(lambda: "The answer is copied." in desk.told)
        assert copied(desk).startswith('{"cases": [')
        await desk.press("tab")
        await desk.at("WorkersScreen", "call")
        await desk.press("tab")
        await desk.at("WorkersScreen", "calls")
        batch = rows.chosen.batch
        await desk.press("c")
        await desk.until(lambda: f"Batch {batch} is cut off" in desk.told)
        await desk.until(lambda: batch not in {t.batch for t in desk.session.calls.live() if t.ended is None})
        model.gate.set()
        await desk.press("escape")
        await desk.at("StudioScreen")
        await desk.state("finished")


@covers("Workers", "l", "x")
async def test_batch_jobs_are_shown_looked_at_and_cancelled(make_plan: Plans) -> None:
    async with FakeOpenAI(batches=FakeBatches(held=True)) as fake:
        flags = {"base_url": fake.url, "api_key": "k", "runner": "batch-api", "batch_size": 10, "batch_poll": 3600}
        async with studio(model=None, flags={**flags, "provider": "openai"}) as desk:
            await begin(desk, make_plan(40))
            await desk.answer("ctrl+y")
            assert fake.batches is not None
            await desk.until(lambda: any(job.is_waiting for job in desk.live.view.batch_jobs.values()))
            await desk.sees("batch job 1 ·", "0 of 4 done")
            await desk.press("f6")
            await desk.at("WorkersScreen", "calls")
            await desk.sees("1 batch job waiting since", "next look", "batch_1", "0 calls in flight")
            read = Reader(desk, ["batch_1", "category_1", "category_2"])  # the provider's name of the job
            read.look("workers, with batch jobs", without="#call")
            await read.at_other_sizes("workers, with batch jobs", without="#call")
            fake.batches.held = False
            await desk.press("l")
            await desk.sees("in progress", "2 of 4 done")
            await desk.press("escape")
            await desk.at("StudioScreen")
            await desk.press("ctrl+p")
            await desk.state("paused")
            await desk.sees("F6 x cancels them")
            read.look("the studio, with batch jobs")
            await read.at_other_sizes("the studio, with batch jobs")
            read.check()
            await desk.press("f6")
            await desk.at("WorkersScreen", "calls")
            await desk.press("x")
            await desk.until(lambda: "1 batch job will be cancelled with the next run" in desk.told)
            await desk.press("escape", "ctrl+p")
            await desk.until(lambda: desk.live.view.accepted == 20 and not desk.live.running)
            assert fake.batches.batches["batch_1"].status == "cancelled"


async def test_who_leaves_is_asked_whether_batch_jobs_are_kept(make_plan: Plans) -> None:
    """Esc and “stay” change nothing; kept, a job is collected by the next run; cancelled, the provider knows it at once."""
    async with FakeOpenAI(batches=FakeBatches(held=True)) as fake:
        flags = {"base_url": fake.url, "api_key": "k", "runner": "batch-api", "batch_size": 10, "batch_poll": 3600}
        assert fake.batches is not None
        async with studio(model=None, flags={**flags, "provider": "openai"}) as desk:
            await begin(desk, make_plan(40))
            await desk.answer("ctrl+y")
            await desk.until(
                lambda: (
                    "batch_1" in fake.batches.batches
                    and any(job.is_waiting and job.remote_id for job in desk.live.view.batch_jobs.values())
                )
            )
            await desk.command("/home")
            await desk.at("QuestionDialog", "answers")
            await desk.sees(
                "Pause and go home?", "1 batch job waiting since", "leave, and keep it", "cancel it at the provider"
            )
            await desk.press("escape")
            await desk.at("StudioScreen")
            assert desk.live.running and fake.batches.batches["batch_1"].status == "validating"
            await desk.press("ctrl+q")
            await desk.at("QuestionDialog", "answers")
            await desk.sees("Pause and quit?", "0 of 40 cases saved")
            await desk.press("enter")
            await desk.until(lambda: desk.app._exit)
        assert fake.batches.batches["batch_1"].status == "validating", "it is kept"
        async with studio(open_first="support", model=None, flags={**flags, "provider": "openai"}) as desk:
            await desk.at("StudioScreen", "prompt")
            await desk.press("ctrl+p")
            await desk.until(lambda: desk.live.running and desk.live.session.batch_jobs.look_now())
            await desk.press("ctrl+q")
            await desk.at("QuestionDialog", "answers")
            await desk.press("down", "enter")
            await desk.until(lambda: desk.app._exit)
        assert fake.batches.seen["cancel"] >= 1 and fake.batches.batches["batch_1"].status == "cancelling"
        assert len(fake.batches.batches) == 1


# Settings


@covers("Settings", "s", "delete", "backspace", "f1", "escape")
async def test_settings_are_kept_and_taken_back() -> None:
    async with studio() as desk:
        await desk.press("c")
        await desk.at("SettingsScreen", "settings")
        screen = desk.app.screen
        assert isinstance(screen, SettingsScreen)
        rows = desk.one("#settings")
        rows.move_to(screen._names.index("max_workers"))
        for key in ("delete", "backspace"):
            await desk.press("enter")
            await desk.at("Ask", "line")
            assert desk.one("#line", Input).value == "8"
            await desk.press("ctrl+u")
            await desk.write("3\n")
            await desk.until(lambda: desk.app.config.max_workers == 3)
            await desk.sees("changed here")
            await desk.press(key)
            await desk.until(lambda: desk.app.config.max_workers == 8)
            await desk.misses("changed here")
        await desk.press("enter")
        await desk.at("Ask", "line")
        await desk.press("ctrl+u")
        await desk.write("5\n")
        await desk.until(lambda: desk.app.config.max_workers == 5)
        await desk.press("s")
        await desk.until(lambda: "max_workers is written to" in desk.told)
        assert "max_workers = 5" in user_config_file().read_text(encoding="utf-8")
        await desk.press("f1")
        await desk.at("HelpScreen")
        await desk.press("escape")
        await desk.at("SettingsScreen")
        await desk.press("escape")
        await desk.at("HomeScreen")


# Lists


@covers("Lists", "up", "k", "down", "j", "pageup", "pagedown", "home", "end", "enter")
async def test_lists_are_walked(make_plan: Plans) -> None:
    await built(make_plan(250))
    async with studio(open_first="support") as desk:
        await cases(desk, 250)
        rows = desk.one("#cases")
        page = rows.size.height - 1
        for key, place in (
            ("down", 1), ("j", 2), ("up", 1), ("k", 0), ("k", 0), ("pagedown", page), ("pagedown", 2 * page),
            ("pageup", page), ("end", 249), ("down", 249), ("home", 0), ("end", 249),
        ):  # fmt: skip
            await desk.press(key)
            assert rows.cursor == place, key
        await desk.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_1-00250")
        await desk.sees("#250")
        await desk.press("enter")
        await desk.at("CasesScreen", "detail")
