"""The session file: what it keeps, and what it does when it is hurt."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import AcceptedCase, Exhausted, Rejection, Usage
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import SessionDamaged, SessionTooNew, StorageError
from dsbuilder_tui.store.database import Database
from dsbuilder_tui.store.rows import Changes, WorkerCall
from dsbuilder_tui.store.schema import MIGRATIONS
from dsbuilder_tui.store.session_store import SessionStore

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def case(store: SessionStore, ordinal: int, category: str = "category_1") -> AcceptedCase:
    seq = store.next_seq()
    return AcceptedCase(
        seq=seq,
        category=category,
        ordinal=ordinal,
        inputs={"query": f"Text {ordinal}"},
        expectations={"polite": True},
        tags={"model": "m"},
        created_at=5.0,
        structure=ordinal,
    )


async def new_store(tmp_path: Path, plan: DatasetPlanInput) -> SessionStore:
    return await SessionStore.create(tmp_path / "session.db", plan, {"seed": 3}, SystemClock())


async def test_what_is_committed_is_there_after_reopening(tmp_path: Path, make_plan: Plans) -> None:
    plan = make_plan(10, 5)
    store = await new_store(tmp_path, plan)
    rejection = Rejection(
        seq=store.next_seq(),
        category="category_1",
        ordinal=3,
        attempt=1,
        stage="structural",
        reason="same",
        text="Text",
        created_at=6.0,
        score=1.0,
        threshold=1.0,
        nearest_seq=1,
        nearest_case_id="category_1-00002",
    )
    call = WorkerCall(
        seq=store.next_seq(),
        category="category_1",
        batch=7,
        model="m",
        size=3,
        outcome=CallOutcome.OK,
        delivered=3,
        retries=0,
        usage=Usage(10, 20, True),
        seconds=0.5,
        detail="",
        created_at=6.0,
    )
    await store.commit(
        Changes(
            accepted=[case(store, 2), case(store, 9, "category_1"), case(store, 1, "category_2")],
            rejected=[rejection],
            exhausted=[Exhausted(rejection.seq, "category_1", 4, 6, "why")],
            calls=[call],
        )
    )
    await store.close()
    store = await SessionStore.open(tmp_path / "session.db", SystemClock())
    assert (await store.meta.all())["seed"] == 3
    assert await store.plans.newest() == plan
    progress = await store.progress.by_category()
    first = progress["category_1"]
    assert (first.accepted, first.rejected, first.exhausted, progress["category_2"].accepted) == (2, 1, 1, 1)
    assert await store.calls.usage() == Usage(10, 20, True)
    assert await store.calls.last_batch() == 7
    (called,) = await store.calls.page(0, 9)
    assert called.outcome is CallOutcome.OK
    assert await store.rejections.page(0, 10) == [rejection]
    assert await store.rejections.by_stage() == {"structural": 1}
    rows = await store.slots.ledger_rows()
    assert [ordinal for ordinal, _, _ in rows.filled["category_1"]] == [2, 9]
    assert rows.attempts == {("category_1", 3): (1, 1, [1])}
    assert rows.exhausted["category_1"] == [4]
    pages = [page async for page in store.cases.pages(["category_2", "category_1"])]
    assert [c.case_id for page in pages for c in page] == ["category_2-00001", "category_1-00002", "category_1-00009"]
    assert pages[1][0].record() == {
        "inputs": {"query": "Text 2"},
        "expectations": {"polite": True},
        "tags": {"case_id": "category_1-00002", "category": "category_1", "slot": 2, "model": "m"},
    }
    assert store.next_seq() == call.seq + 4
    await store.close()


async def test_a_slot_is_filled_once_or_the_whole_commit_fails(tmp_path: Path, make_plan: Plans) -> None:
    store = await new_store(tmp_path, make_plan(5))
    await store.commit(Changes(accepted=[case(store, 1)]))
    with pytest.raises(SessionDamaged):
        await store.commit(Changes(accepted=[case(store, 2), case(store, 1)]))
    assert (await store.progress.by_category())["category_1"].accepted == 1
    assert len([c async for page in store.cases.pages(["category_1"]) for c in page]) == 1
    await store.close()


async def test_files_are_the_owners_alone(tmp_path: Path, make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()
        assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
        modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in session.folder.iterdir() if f.name != "session.owner"}
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
    assert {"session.db", "session.db-wal", "session.lock", "status.json"} <= set(modes)


async def test_migrations_run_once_and_leave_a_copy(tmp_path: Path, make_plan: Plans) -> None:
    store = await new_store(tmp_path, make_plan(3))
    await store.commit(Changes(accepted=[case(store, 1)]))
    await store.close()
    path = tmp_path / "session.db"
    steps = (*MIGRATIONS, "ALTER TABLE checkpoint ADD COLUMN colour TEXT; CREATE TABLE extra (x);")
    for _ in range(2):
        database = Database(path, steps)
        await database.open()
        names = await database.read(lambda c: {row[1] for row in c.execute("PRAGMA table_info(checkpoint)")})
        assert "colour" in names
        await database.close()
    copy = sqlite3.connect(tmp_path / f"session.db.v{len(MIGRATIONS)}.bak")
    assert copy.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert copy.execute("SELECT count(*) FROM accepted_case").fetchone() == (1,)
    copy.close()


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path, make_plan: Plans) -> None:
    await (await new_store(tmp_path, make_plan(3))).close()
    with pytest.raises(SessionDamaged):
        await Database(tmp_path / "session.db", (*MIGRATIONS, "CREATE TABLE half (x); CREATE TABL oops;")).open()
    store = await SessionStore.open(tmp_path / "session.db", SystemClock())
    await store.close()
    plain = sqlite3.connect(tmp_path / "session.db")
    assert plain.execute("SELECT count(*) FROM sqlite_master WHERE name='half'").fetchone() == (0,)
    plain.close()


async def test_a_newer_session_is_left_alone(tmp_path: Path, make_plan: Plans) -> None:
    await (await new_store(tmp_path, make_plan(3))).close()
    path = tmp_path / "session.db"
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA user_version=99")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(SessionTooNew, match=r"format 99.*Update dsbuilder"):
        await SessionStore.open(path, SystemClock())
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"this is no database at all" * 300, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_file_that_is_no_session_is_said_to_be_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(content)
    if content:
        with pytest.raises(SessionDamaged, match="checkpoint.json"):
            await SessionStore.open(path, SystemClock())
        assert path.read_bytes() == content
    with pytest.raises(SessionDamaged, match="is missing"):
        await SessionStore.open(tmp_path / "nowhere.db", SystemClock())


def damage(path: Path, ordinal: int) -> None:
    plain = sqlite3.connect(path)
    plain.execute("UPDATE accepted_case SET inputs = replace(inputs, 'e', 'E') WHERE ordinal = ?", (ordinal,))
    plain.commit()
    plain.close()


async def test_a_damaged_row_is_named_skipped_or_written_again(
    tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    async with await Session.create(make_plan(6), make_config()) as session:
        await session.run()
        path = session.folder / "session.db"
    damage(path, 4)
    out = tmp_path / "out.jsonl"
    async with await Session.open(None, make_config()) as session:
        with pytest.raises(SessionDamaged, match=r"category_1-00004.*--repair.*--skip-damaged"):
            await session.export(out)
        assert not out.exists()
        skipped: list[str] = []
        assert await session.export(out, damaged=skipped) == 5
        assert skipped == ["category_1-00004"]
        assert await session.cases.repair() == ["category_1-00004"]
        state = await session.summary()
        assert (state.instances_created, state.state) == (5, "paused")
        assert (await session.run()).accepted == 6
        assert await session.export(out) == 6
        assert await session.cases.repair() == []
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT ordinal, inputs LIKE '%E%' FROM damaged_case").fetchall() == [(4, 1)]
    plain.close()


async def test_a_torn_wal_gives_back_the_last_whole_commit(tmp_path: Path, make_plan: Plans) -> None:
    store = await new_store(tmp_path, make_plan(60))
    for start in (1, 21, 41):
        await store.commit(Changes(accepted=[case(store, n) for n in range(start, start + 20)]))
    main, wal = ((tmp_path / name).read_bytes() for name in ("session.db", "session.db-wal"))
    await store.close()
    for cut in (len(wal), len(wal) - 1, len(wal) - 3000, len(wal) // 2, 100, 0):
        copy = tmp_path / f"cut{cut}"
        copy.mkdir()
        (copy / "session.db").write_bytes(main)
        (copy / "session.db-wal").write_bytes(wal[:cut])
        if not cut:  # the file says of itself that it has one
            with pytest.raises(SessionDamaged, match="only 0 cases are there"):
                await SessionStore.open(copy / "session.db", SystemClock())
            continue
        reopened = await SessionStore.open(copy / "session.db", SystemClock())
        count = len([c async for page in reopened.cases.pages(["category_1"]) for c in page])
        assert count % 20 == 0 and count == (await reopened.progress.by_category())["category_1"].accepted
        assert count == 60 or cut < len(wal)
        await reopened.close()


async def test_a_closed_store_says_so(tmp_path: Path, make_plan: Plans) -> None:
    store = await new_store(tmp_path, make_plan(3))
    await store.close()
    with pytest.raises(StorageError, match="is closed"):
        await store.progress.by_category()
    await store.close()
