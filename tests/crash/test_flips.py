"""Single bits that are others, anywhere in what a closed session has left: each is named, and none changes a dataset."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import threading
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.session import files
from dsbuilder_tui.store import database
from dsbuilder_tui.store.commit_mark import MARK_FILE, CommitMark, Mark
from dsbuilder_tui.store.soundness import TableDamage
from tests.crash.damage import DATABASE, NAME, Made, Outcome, flip_bit, outcome_of_export, put_back, told

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def test_doctor_names_every_flip(tmp_path: Path, made: Made) -> None:
    pristine, rng = made(False), random.Random(12)
    for _ in range(40):
        folder = put_back(pristine, tmp_path)
        what = flip_bit(folder, rng)
        end = told("doctor", NAME, "--checkpoint-dir", str(tmp_path))
        assert end.code == 1 and "✗" in end.out and "unexpected" not in end.err, (what, end)


def _free_byte(path: Path) -> int:
    """A byte of no page's content: between the cell pointers and the cells of the first page."""
    data = path.read_bytes()
    return data.index(bytes(64), 100) + 32


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def test_a_flip_that_changes_nothing_is_told_and_the_dataset_is_whole(tmp_path: Path, made: Made) -> None:
    pristine = made(False)
    folder = put_back(pristine, tmp_path)
    _flip(folder / DATABASE, _free_byte(folder / DATABASE))
    for command in ("show", "doctor"):
        end = told(command, NAME, "--checkpoint-dir", str(tmp_path))
        assert "not byte for byte what was closed" in end.err + end.out, end
    outcome, end = outcome_of_export(tmp_path, pristine.with_name("reference.jsonl"))
    assert outcome is Outcome.RECOVERED and "not byte for byte what was closed" in end.err, end
    end = told("doctor", NAME, "--repair", "--checkpoint-dir", str(tmp_path))
    assert end.code == 0 and f"as {NAME}-2" in end.out, end
    assert told("doctor", f"{NAME}-2", "--checkpoint-dir", str(tmp_path)).code == 0


def test_an_index_that_is_another_is_refused(tmp_path: Path, made: Made) -> None:
    """No sum of rows covers it, and the file was closed properly."""
    folder = put_back(made(False), tmp_path)
    with closing(sqlite3.connect(folder / DATABASE)) as plain:
        (page,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name='accepted_slot'").fetchone()
        (size,) = plain.execute("PRAGMA page_size").fetchone()
    _flip(folder / DATABASE, page * size - 3)  # in the last entry of the index
    for command in ("show", "export", "resume"):
        more = ["--out", str(tmp_path / "x.jsonl")] if command == "export" else []
        end = told(command, NAME, *more, "--checkpoint-dir", str(tmp_path))
        assert end.code == 1 and "is damaged" in end.err, (command, end)


def test_a_mark_that_cannot_be_read_is_named(tmp_path: Path, made: Made) -> None:
    folder = put_back(made(False), tmp_path)
    for at in random.Random(3).sample(range(len((folder / "session.mark").read_bytes().rstrip())), 12):
        folder = put_back(made(False), tmp_path)
        _flip(folder / "session.mark", at)
        end = told("doctor", NAME, "--checkpoint-dir", str(tmp_path))
        assert end.code == 1 and "session.mark" in end.out, (at, end)
        outcome, end = outcome_of_export(tmp_path, made(False).with_name("reference.jsonl"))
        assert outcome is Outcome.RECOVERED, (at, end)


def test_what_another_program_has_added_is_told(tmp_path: Path, made: Made) -> None:
    folder = put_back(made(False), tmp_path)
    with closing(sqlite3.connect(folder / DATABASE)) as plain:
        plain.execute("VACUUM")
    end = told("show", NAME, "--checkpoint-dir", str(tmp_path))
    assert end.code == 0 and "not byte for byte what was closed" in end.err, end


async def test_working_on_makes_it_the_file_that_was_closed(make_plan: Plans, make_config: Configs) -> None:
    """Each way in which a session is left writes down what its file is then; nothing is said of it later."""
    async with await Session.create(make_plan(6), make_config()) as session:
        folder = session.folder
        await session.run()
    for act in (_nothing, _revise, _rename, _nothing):
        async with await Session.open(folder) as session:
            told: list[Event] = []
            session.subscribe(told.append)
            await session.cases.require_sound()
            assert not [event for event in told if isinstance(event, Notice)]
            await act(session)
            folder = session.folder
        assert (folder / "session.mark").read_bytes().count(b" ") >= 3


async def _nothing(session: Session) -> None:
    pass


async def _revise(session: Session) -> None:
    await session.warn("Something happened.")


async def _rename(session: Session) -> None:
    await session.rename("another")


async def test_a_large_file_is_compared_in_the_background(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHECKED_AT_ONCE", 0)
    async with await Session.create(make_plan(6), make_config()) as session:
        await session.run()
        folder = session.folder
    _flip(folder / DATABASE, _free_byte(folder / DATABASE))
    async with await Session.open(folder) as session:
        told: list[Event] = []
        session.subscribe(told.append)
        await session.export(folder / "out.jsonl")
        assert "byte for byte" in next(event.text for event in told if isinstance(event, Notice))
    async with await Session.open(folder) as session:  # cut short, which harms nothing
        pass


async def test_a_long_check_leaves_the_session_responsive(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*given: object) -> list[TableDamage]:
        begun.set()
        assert go_on.wait(30)
        return [TableDamage("accepted_case", 5, 6)]

    async with await Session.create(make_plan(6), make_config()) as session:
        await session.run()
        monkeypatch.setattr(database, "table_damages", slow)
        check = asyncio.create_task(session.cases.require_sound())
        await asyncio.to_thread(begun.wait, 30)
        await session.warn("This is written while the check goes on.")
        assert len(await session.cases.page(0, 10)) == 6 and (await session.summary()).instances_created == 6
        assert not check.done()
        go_on.set()
        with pytest.raises(SessionDamaged, match="5 of 6 are there"):
            await check


def test_a_case_that_is_another_is_named_and_can_be_written_again(tmp_path: Path, made: Made) -> None:
    folder = put_back(made(False), tmp_path)
    with closing(sqlite3.connect(folder / DATABASE)) as plain:
        plain.execute("UPDATE accepted_case SET inputs=replace(inputs, 'e', 'E') WHERE ordinal=3 AND category_id=1")
        plain.commit()
    place = ("--checkpoint-dir", str(tmp_path))
    end = told("show", NAME, *place)
    assert end.code == 0 and "cases: orders-00003" in end.err and "all the same" not in end.err, end
    assert told("export", NAME, "--out", str(tmp_path / "x.jsonl"), *place).code == 1
    end = told("resume", NAME, "--repair", "--plain", "--provider", "offline", *place)
    assert end.code == 0 and "Set aside 1 damaged case" in end.out, end
    assert told("doctor", NAME, *place).code == 0


def test_no_flip_of_a_mark_is_taken_for_another_mark(tmp_path: Path) -> None:
    mark = CommitMark(tmp_path / DATABASE)
    for noted in (Mark(12, 60), Mark(12, 60, "b5fb3c07a18f8603c40782e7185cd9a8"), Mark(10**12, 10**9, "f" * 32)):
        mark.write(noted)
        assert mark.read() == noted
        whole = (tmp_path / MARK_FILE).read_bytes()
        for place in range(8 * 66):
            data = bytearray(whole)
            data[place // 8] ^= 1 << place % 8
            (tmp_path / MARK_FILE).write_bytes(data)
            found = mark.read()
            assert found is None or (found == noted and whole[place // 8 :].isspace()), (place, data)
    mark.close()


def test_a_mark_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It has no digest, and a line of 64 bytes."""
    (tmp_path / MARK_FILE).write_bytes(b"12 60 %08x".ljust(66) % zlib.crc32(b"12 60"))
    assert CommitMark(tmp_path / DATABASE).read() == Mark(12, 60)


def test_a_schema_that_is_no_utf_8_is_damage(tmp_path: Path, made: Made) -> None:
    """SQLite quotes the name that it cannot read in its error, which then cannot be read either."""
    data = (made(False) / DATABASE).read_bytes()
    places = [found.end() + 1 for found in re.finditer(rb"CREATE TABLE |CREATE INDEX ", data)]
    for at in places[:: max(1, len(places) // 6)]:
        folder = put_back(made(False), tmp_path)
        changed = bytearray(data)
        changed[at] |= 0x80
        (folder / DATABASE).write_bytes(changed)
        for command in ("doctor", "show", "export", "replay"):
            more = ("--out", str(tmp_path / "x.jsonl")) if command == "export" else ()
            end = told(command, NAME, *more, "--checkpoint-dir", str(tmp_path))
            assert end.code == 1 and "unexpected" not in end.err, (at, command, end)
