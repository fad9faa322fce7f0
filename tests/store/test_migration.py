"""A session of an older version goes on as if it had always been one of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.store.schema import MIGRATIONS
from tests.session.test_determinism import NARROW, build
from tests.support.old_session import downgrade

Configs = Callable[..., DatasetBuilderConfig]


async def test_a_session_of_the_first_format_resumes_exactly(tmp_path: Path, make_config: Configs) -> None:
    whole, _ = await build(make_config(checkpoint_dir=tmp_path / "whole"), tmp_path / "whole.jsonl")
    config = make_config(checkpoint_dir=tmp_path / "old")

    async with await Session.create(NARROW, config) as session:

        def interrupt(event: Event) -> None:
            if event.type == "case_rejected":
                session.request_pause(Pause("a test"))
                session.drop_in_flight()

        session.subscribe(interrupt)
        assert (await session.run()).state == "paused"
        before = await session.summary()
        path = session.folder / "session.db"
    downgrade(path, 1)
    plain = sqlite3.connect(path)
    assert plain.execute("PRAGMA user_version").fetchone() == (1,)
    assert "batch" not in {row[1] for row in plain.execute("PRAGMA table_info(accepted_case)")}
    rows = plain.execute("SELECT * FROM accepted_case").fetchall()
    plain.close()
    assert len(rows) == before.instances_created and before.rejections

    async with await Session.open("narrow", config) as session:
        assert await session.summary() == before
        copy = sqlite3.connect(path.with_name("session.db.v1.bak"))
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT * FROM accepted_case").fetchall() == rows
        copy.close()
        assert [case.batch for case in await session.cases.page(0, 3)] == [0, 0, 0]
        assert all(rejection.candidate is None for rejection in await session.rejections.page(0, 10))
        assert (await session.run()).state == "complete"
        await session.export(tmp_path / "old.jsonl")
    assert (tmp_path / "old.jsonl").read_bytes() == whole


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_session_of_each_older_format_opens_and_goes_on(version: int, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(NARROW, config) as session:
        session.subscribe(
            lambda event: session.request_pause(Pause("a test")) if event.type == "case_accepted" else None
        )
        assert (await session.run()).state == "paused"
        written = [(case.case_id, case.inputs) async for case in session.cases.all()]
        path = session.folder / "session.db"
    assert 0 < len(written) < 120
    downgrade(path, version)
    async with await Session.open(None, config) as session:
        assert [(case.case_id, case.inputs) async for case in session.cases.all()] == written
        assert path.with_name(f"session.db.v{version}.bak").exists()
        result = await session.run()
        assert result.state == "complete" and result.accepted + result.exhausted == 120
    plain = sqlite3.connect(path)
    assert plain.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    plain.close()


async def test_exhausted_slots_are_remembered_by_their_rejection(make_config: Configs) -> None:
    config = make_config(max_attempts=1)
    async with await Session.create(NARROW, config) as session:
        result = await session.run()
        assert result.exhausted > 0
        path = session.folder / "session.db"
    downgrade(path, 1)
    async with await Session.open(None, config) as session:
        assert (await session.summary()).exhausted_slots == result.exhausted
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT count(*) FROM rejection WHERE gave_up = 1").fetchone() == (result.exhausted,)
    plain.close()


async def test_a_new_session_has_no_copy_of_anything_older(make_config: Configs) -> None:
    async with await Session.create(NARROW, make_config()) as session:
        assert not list(session.folder.glob("*.bak"))
