"""Sessions in the app that are damaged, lie where nothing can be written, or still owe their dataset."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.store import examination
from dsbuilder_tui.store.examination import Finding
from tests.support.read_only import read_only
from tests.support.studio import Scripted, built, studio

Plans = Callable[..., DatasetPlanInput]


async def test_a_session_that_cannot_be_written_is_shown_and_exported(tmp_path: Path, make_plan: Plans) -> None:
    await built(make_plan(6))
    root = load_config().checkpoint_root
    with read_only(root):
        async with studio() as user:
            await user.sees("support", "6/6")
            await user.press("enter")
            await user.at("StudioScreen", "prompt")
            await user.sees("lies where nothing can be written")
            await user.write("/coverage")
            await user.press("enter")
            await user.at("CoverageScreen")
            await user.press("escape")
            await user.at("StudioScreen")
            out = tmp_path / "elsewhere.jsonl"
            await user.command(f"/export {out}")
            await user.until(out.is_file)
            await user.command("/doctor")
            await user.sees("is whole")
            await user.command("/run")
            await user.command("/home")
            await user.at("HomeScreen")
    assert len(out.read_text().splitlines()) == 6


async def test_a_dataset_that_is_owed_is_written_when_the_session_is_opened(tmp_path: Path, make_plan: Plans) -> None:
    """As after a kill between the last case and the file."""
    out = tmp_path / "wanted.jsonl"
    async with await Session.create(make_plan(6), load_config(), out=out) as session:
        await session.run()
    assert not out.exists()
    async with studio(open_first="support") as user:
        await user.said(f"✓ Wrote 6 cases to {out}")
        assert len(out.read_text().splitlines()) == 6
    out.unlink()
    async with studio(open_first="support") as user:  # it was done: whoever took the file away wanted that
        await user.command("/status")
        await user.said("6 of 6 cases")
        assert not out.exists()


@pytest.mark.parametrize("place", ["own", "other"])
async def test_what_a_headless_run_has_promised_is_kept(tmp_path: Path, make_plan: Plans, place: str) -> None:
    async with await Session.create(make_plan(6), load_config()) as session:
        target = session.dataset.path if place == "own" else tmp_path / "other.jsonl"
        await session.dataset.promise(target)
        assert session.dataset.owed is None  # nothing is finished
        await session.run()
    async with studio(open_first="support") as user:
        await user.said(f"✓ Wrote 6 cases to {target}")
        assert target.is_file() and user.session.dataset.owed is None


async def test_nobody_has_asked_for_a_file(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(open_first="support") as user:
        await user.command("/status")
        await user.said("6 of 6 cases")
        assert user.session.dataset.owed is None and not user.session.dataset.path.exists()


async def test_a_place_that_came_with_the_folder_is_not_written_to(tmp_path: Path, make_plan: Plans) -> None:
    async with await Session.create(make_plan(6), load_config()) as session:
        await session.dataset.promise(tmp_path / "other.jsonl")
        await session.run()
        await session._files.remember(promised=str(tmp_path / "planted.jsonl"))  # without the seal of this person
    async with studio(open_first="support") as user:
        await user.command("/status")
        await user.said("6 of 6 cases")
        assert user.session.dataset.owed is None and not list(tmp_path.glob("*.jsonl"))


async def test_a_run_in_the_app_writes_what_was_promised(tmp_path: Path, make_plan: Plans) -> None:
    out = tmp_path / "wanted.jsonl"
    async with await Session.create(make_plan(6), load_config(), out=out):
        pass
    async with studio(open_first="support") as user:
        await user.command("/run")
        await user.state("finished")
        await user.said(f"✓ Wrote 6 cases to {out}")
    assert len(out.read_text().splitlines()) == 6


async def test_doctor_while_it_runs(make_plan: Plans) -> None:
    model = Scripted(hold=2)
    await built(make_plan(40), model=Scripted(hold=1), until=1)
    async with studio(open_first="support", model=model) as user:
        await user.command("/run")
        await user.until(lambda: user.live.view.accepted > 1)
        await user.command("/doctor")
        await user.said("**support** is whole:")
        model.gate.set()
        await user.state("finished")
        await user.command("/doctor")
        await user.said("40 cases, each with its checksum")


async def test_doctor_keeps_nobody_waiting(make_plan: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> Finding:
        begun.set()
        assert go_on.wait(30)
        return Finding("cases", "", "one of them")

    await built(make_plan(6))
    monkeypatch.setattr(examination, "_cases", slow)
    async with studio(open_first="support") as user:
        await user.command("/doctor")
        await user.until(begun.is_set)
        await user.command("/status")
        await user.said("6 of 6 cases")
        go_on.set()
        message = await user.said("**support** is damaged:")
        assert "- ✗ cases: one of them" in message.text and "--repair" in message.text


async def test_damage_beside_the_cases_is_told(make_plan: Plans) -> None:
    name = await built(make_plan(6))
    path = load_config().checkpoint_root / name / "session.db"
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("VACUUM")
    async with studio(open_first="support") as user:
        await user.sees("not byte for byte")
