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
from tests.support.studio import Scripted, User, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
C = "category_1"


async def cases(user: User, count: int) -> None:
    await user.at("StudioScreen", "prompt")
    await user.press("f2")
    await user.at("CasesScreen", "cases")
    await user.until(lambda: user.one("#cases").count == count and user.one("#cases").chosen is not None)


def chosen(user: User) -> str:
    case = user.one("#cases").chosen
    return case.case_id if case is not None else ""


def copied(user: User) -> str:
    return user.app.clipboard


async def test_a_screen_in_front_is_not_opened_again(make_plan: Plans) -> None:
    """Every screen of the registry, those about a session too."""
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await cases(user, 3)
        for name, place in (("cases", "CasesScreen"), ("help", "HelpScreen"), ("settings", "SettingsScreen")):
            if user.place != place:
                user.app.show_screen(name)
                await user.until(lambda place=place: user.place == place)
            before = list(user.app.screen_stack)
            user.app.show_screen(name, *([user.live] if name == "cases" else []))
            await user.pilot.pause()
            assert user.app.screen_stack == before


async def test_each_screen_about_the_session_opens_the_others(make_plan: Plans) -> None:
    """Their keys do so everywhere, and Esc leads back to where one was."""
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await cases(user, 3)
        for row in (*session_screens()[1:], session_screens()[0]):
            await user.press(row.key)
            await user.until(lambda row=row: user.app.screen.screen_name == row.name)
            await user.until(lambda: user.app.screen.query("KeyBar"))
        assert [screen.screen_name for screen in user.app.full_screens()] == ["home", "studio", "cases"]
        await user.press("f3")
        await user.at("CoverageScreen")
        await user.press("escape")
        await user.at("CasesScreen", "cases")


# Cases


@covers("Cases", "slash", "f", "s", "escape")
async def test_cases_are_searched_filtered_and_turned_around(make_plan: Plans) -> None:
    await built(make_plan(4, 3))
    async with studio(open_first="support") as user:
        await cases(user, 7)
        await user.sees("7 cases · all categories", "accepted")
        await user.press("slash")
        await user.write("nowhere")
        await user.sees("Nothing found.")
        await user.until(lambda: user.one("#case-detail").border_title == "")
        assert "category_1-00001" not in user.text and "expectations" not in user.text
        await user.press("escape")
        await user.sees("7 cases · all categories")
        assert chosen(user) == "category_1-00001"
        await user.press("s")
        await user.sees("newest first")
        await user.until(lambda: user.one("#cases").cursor > 0 and chosen(user) == "category_1-00001")
        await user.press("s")
        await user.until(lambda: user.one("#cases").cursor == 0)
        await user.press("f")
        await user.at("QuestionDialog", "answers")
        await user.press("down", "down", "enter")
        await user.sees("3 cases · category_2")
        await user.until(lambda: user.one("#cases").count == 3 and chosen(user) == "category_2-00001")
        await user.press("slash")
        await user.at("CasesScreen", "search")
        await user.write("category_2-00002")
        await user.sees("1 case · category_2")
        await user.until(lambda: chosen(user) == "category_2-00002")
        await user.press("enter")
        await user.at("CasesScreen", "cases")
        await user.press("escape")
        await user.until(lambda: user.one("#cases").count == 3 and not user.one("#search").display)
        await user.press("escape")
        await user.at("StudioScreen")


@covers("Cases", "p", "n", "d")
async def test_a_case_is_pinned_noted_and_turned_away(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await cases(user, 3)
        await user.press("p")
        await user.sees("★")
        await user.press("n")
        await user.at("Ask", "line")
        await user.write("look again\n")
        await user.sees("look again", "✉", "pinned or noted by you")
        await user.press("d")
        await user.at("QuestionDialog")
        await user.press("enter")
        await user.until(lambda: "is pinned. Unpin it first." in user.told)
        await user.press("p")
        await user.misses("★")
        await user.press("d", "enter")
        await user.until(lambda: "category_1-00001 is turned away." in user.told)
        await user.until(lambda: user.one("#cases").count == 2)
        kinds = [entry.kind for entry in await user.session.cases.history(C, 1)]
        assert kinds == ["case_annotated", "case_annotated", "case_annotated", "case_withdrawn"]
        assert user.live.view.accepted == 2 and user.live.view.state is RunState.PAUSED


@covers("Cases", "y", "tab")
async def test_a_case_is_copied_and_its_detail_reached(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await cases(user, 3)
        await user.press("y")
        await user.until(lambda: "category_1-00001 is copied as JSON." in user.told)
        assert json.loads(copied(user))["tags"]["case_id"] == "category_1-00001"
        await user.press("tab")
        await user.at("CasesScreen", "detail")
        await user.press("tab")
        await user.at("CasesScreen", "cases")


@covers("Cases", "o")
async def test_a_case_is_edited_in_the_editor(
    make_plan: Plans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await cases(user, 3)
        monkeypatch.setenv("EDITOR", "/nowhere/editor")
        await user.press("o")
        await user.until(lambda: "This terminal cannot be lent to an editor." in user.told)
        # The test's terminal cannot be lent; from here on the app only believes that it was.
        monkeypatch.setattr(user.app, "suspend", contextlib.nullcontext)
        await user.press("o")
        await user.until(lambda: "The editor /nowhere/editor could not be started" in user.told)
        script = tmp_path / "editor.py"
        script.write_text(
            "import sys; f = sys.argv[1]; s = open(f).read(); open(f, 'w').write(s.replace('true', 'false'))"
        )
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
        await user.press("o")
        await user.until_async(lambda: user.session.cases.history(C, 1))
        case = await user.session.cases.get(C, 1)
        assert case is not None and case.expectations == {"polite": False}
        await user.until(lambda: not user.app.away and not user.app.screen.has_class("-editing"))
        script.write_text("raise SystemExit(3)")
        await user.press("o")
        await user.until(lambda: "ended with code 3; nothing was changed." in user.told)


# Workers


@covers("Workers", "c", "r", "y", "tab", "escape")
async def test_calls_are_cancelled_retried_and_copied(make_plan: Plans) -> None:
    model = Scripted(hold=1, faults=[TransientError(FailureKind.SERVER, "500 it broke", 3600)])
    async with studio(model=model, flags={"max_workers": 2}) as user:
        await begin(user, make_plan(40))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.press("f6")
        await user.at("WorkersScreen", "calls")
        rows = user.one("#calls")
        await user.until(lambda: rows.count == 2 and rows.chosen is not None)
        waiting = next(w.batch for w in user.live.view.workers.values() if w.state is WorkerState.WAITING)
        if rows.chosen.batch != waiting:
            await user.press("down")
        await user.until(lambda: rows.chosen.batch == waiting)
        await user.sees("r retry now", "server error, waited", "none came so", "tried 1 time more")
        await user.press("r")
        await user.until(lambda: f"Batch {waiting} is tried again now." in user.told)
        await user.until(lambda: not user.live.view.waiting)
        await user.until(lambda: "cases" in next(t for t in user.session.calls.live() if t.batch == waiting).answer)
        await user.press("y")
        await user.until(lambda: "The answer is copied." in user.told)
        assert copied(user).startswith('{"cases": [')
        await user.press("tab")
        await user.at("WorkersScreen", "call")
        await user.press("tab")
        await user.at("WorkersScreen", "calls")
        batch = rows.chosen.batch
        await user.press("c")
        await user.until(lambda: f"Batch {batch} is cut off" in user.told)
        await user.until(lambda: batch not in {t.batch for t in user.session.calls.live() if t.ended is None})
        model.gate.set()
        await user.press("escape")
        await user.at("StudioScreen")
        await user.state("finished")


@covers("Workers", "l", "x")
async def test_batch_jobs_are_shown_looked_at_and_cancelled(make_plan: Plans) -> None:
    async with FakeOpenAI(batches=FakeBatches(held=True)) as fake:
        flags = {"base_url": fake.url, "api_key": "k", "runner": "batch-api", "batch_size": 10, "batch_poll": 3600}
        async with studio(model=None, flags={**flags, "provider": "openai"}) as user:
            await begin(user, make_plan(40))
            await user.answer("ctrl+y")
            assert fake.batches is not None
            await user.until(lambda: any(job.is_waiting for job in user.live.view.batch_jobs.values()))
            await user.sees("batch job 1 ·", "0 of 4 done")
            await user.press("f6")
            await user.at("WorkersScreen", "calls")
            await user.sees("1 batch job waiting since", "next look", "batch_1", "0 calls in flight")
            read = Reader(user, ["batch_1", "category_1", "category_2"])  # the provider's name of the job
            read.look("workers, with batch jobs", without="#call")
            await read.at_other_sizes("workers, with batch jobs", without="#call")
            fake.batches.held = False
            await user.press("l")
            await user.sees("in progress", "2 of 4 done")
            await user.press("escape")
            await user.at("StudioScreen")
            await user.press("ctrl+p")
            await user.state("paused")
            await user.sees("F6 x cancels them")
            read.look("the studio, with batch jobs")
            await read.at_other_sizes("the studio, with batch jobs")
            read.check()
            await user.press("f6")
            await user.at("WorkersScreen", "calls")
            await user.press("x")
            await user.until(lambda: "1 batch job will be cancelled with the next run" in user.told)
            await user.press("escape", "ctrl+p")
            await user.until(lambda: user.live.view.accepted == 20 and not user.live.running)
            assert fake.batches.batches["batch_1"].status == "cancelled"


async def test_who_leaves_is_asked_whether_batch_jobs_are_kept(make_plan: Plans) -> None:
    """Esc and “stay” change nothing; kept, a job is collected by the next run; cancelled, the provider knows it at once."""
    async with FakeOpenAI(batches=FakeBatches(held=True)) as fake:
        flags = {"base_url": fake.url, "api_key": "k", "runner": "batch-api", "batch_size": 10, "batch_poll": 3600}
        assert fake.batches is not None
        async with studio(model=None, flags={**flags, "provider": "openai"}) as user:
            await begin(user, make_plan(40))
            await user.answer("ctrl+y")
            await user.until(
                lambda: (
                    "batch_1" in fake.batches.batches
                    and any(job.is_waiting and job.remote_id for job in user.live.view.batch_jobs.values())
                )
            )
            await user.command("/home")
            await user.at("QuestionDialog", "answers")
            await user.sees(
                "Pause and go home?", "1 batch job waiting since", "leave, and keep it", "cancel it at the provider"
            )
            await user.press("escape")
            await user.at("StudioScreen")
            assert user.live.running and fake.batches.batches["batch_1"].status == "validating"
            await user.press("ctrl+q")
            await user.at("QuestionDialog", "answers")
            await user.sees("Pause and quit?", "0 of 40 cases saved")
            await user.press("enter")
            await user.until(lambda: user.app._exit)
        assert fake.batches.batches["batch_1"].status == "validating", "it is kept"
        async with studio(open_first="support", model=None, flags={**flags, "provider": "openai"}) as user:
            await user.at("StudioScreen", "prompt")
            await user.press("ctrl+p")
            await user.until(lambda: user.live.running and user.live.session.batch_jobs.look_now())
            await user.press("ctrl+q")
            await user.at("QuestionDialog", "answers")
            await user.press("down", "enter")
            await user.until(lambda: user.app._exit)
        assert fake.batches.seen["cancel"] >= 1 and fake.batches.batches["batch_1"].status == "cancelling"
        assert len(fake.batches.batches) == 1


# Settings


@covers("Settings", "s", "delete", "backspace", "f1", "escape")
async def test_settings_are_kept_and_taken_back() -> None:
    async with studio() as user:
        await user.press("c")
        await user.at("SettingsScreen", "settings")
        screen = user.app.screen
        assert isinstance(screen, SettingsScreen)
        rows = user.one("#settings")
        rows.move_to(screen._names.index("max_workers"))
        for key in ("delete", "backspace"):
            await user.press("enter")
            await user.at("Ask", "line")
            assert user.one("#line", Input).value == "8"
            await user.press("ctrl+u")
            await user.write("3\n")
            await user.until(lambda: user.app.config.max_workers == 3)
            await user.sees("changed here")
            await user.press(key)
            await user.until(lambda: user.app.config.max_workers == 8)
            await user.misses("changed here")
        await user.press("enter")
        await user.at("Ask", "line")
        await user.press("ctrl+u")
        await user.write("5\n")
        await user.until(lambda: user.app.config.max_workers == 5)
        await user.press("s")
        await user.until(lambda: "max_workers is written to" in user.told)
        assert "max_workers = 5" in user_config_file().read_text(encoding="utf-8")
        await user.press("f1")
        await user.at("HelpScreen")
        await user.press("escape")
        await user.at("SettingsScreen")
        await user.press("escape")
        await user.at("HomeScreen")


# Lists


@covers("Lists", "up", "k", "down", "j", "pageup", "pagedown", "home", "end", "enter")
async def test_lists_are_walked(make_plan: Plans) -> None:
    await built(make_plan(250))
    async with studio(open_first="support") as user:
        await cases(user, 250)
        rows = user.one("#cases")
        page = rows.size.height - 1
        for key, place in (
            ("down", 1), ("j", 2), ("up", 1), ("k", 0), ("k", 0), ("pagedown", page), ("pagedown", 2 * page),
            ("pageup", page), ("end", 249), ("down", 249), ("home", 0), ("end", 249),
        ):  # fmt: skip
            await user.press(key)
            assert rows.cursor == place, key
        await user.until(lambda: rows.chosen is not None and rows.chosen.case_id == "category_1-00250")
        await user.sees("#250")
        await user.press("enter")
        await user.at("CasesScreen", "detail")
