"""Names, locks and listings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import SessionInUse, SessionNotFound, StorageError
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.lock import SessionLock

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def finished(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> str:
    async with await Session.create(plan, config) as session:
        await session.run()
        return session.id


@pytest.mark.parametrize(
    ("name", "folder"), [("Kunden Größe", "Kunden_Große"), ("a.b-c_1", "a.b-c_1"), ("日本", "dataset")]
)
def test_folder_names(name: str, folder: str) -> None:
    assert catalog.folder_name(name).isascii()
    if name != "Kunden Größe":
        assert catalog.folder_name(name) == folder


async def test_a_second_session_of_a_dataset_gets_a_number(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    assert [await finished(make_plan(2), config) for _ in range(3)] == ["support", "support-2", "support-3"]


async def test_a_checkpoint_that_somebody_put_there_is_never_overwritten(
    make_plan: Plans, make_config: Configs
) -> None:
    config = make_config()
    config.checkpoint_root.mkdir()
    foreign = config.checkpoint_root / "support_checkpoint.json"
    foreign.write_text("precious")
    assert await finished(make_plan(2), config) == "support-2"
    assert foreign.read_text() == "precious"


async def test_finding_sessions(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    root = config.checkpoint_root
    with pytest.raises(SessionNotFound, match="There is no session in"):
        catalog.find_session(root, None)
    for name in ("alpha", "alpine", "beta"):
        await finished(make_plan(1, name=name), config)
        os.utime(root / name / "status.json", (0, {"alpha": 3e9, "alpine": 1e9, "beta": 2e9}[name]))
    assert catalog.find_session(root, None).name == "alpha"
    assert catalog.find_session(root, "beta").name == "beta"
    assert catalog.find_session(root, "b").name == "beta"
    assert catalog.find_session(root, root / "alpine") == root / "alpine"
    assert catalog.find_session(root, root / "alpine" / "session.db") == root / "alpine"
    with pytest.raises(SessionNotFound, match="any of alpha, alpine"):
        catalog.find_session(root, "al")
    with pytest.raises(SessionNotFound, match="Did you mean 'beta'"):
        catalog.find_session(root, "betta")


async def test_a_session_is_open_once(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(2), config) as session:
        with pytest.raises(SessionInUse, match=rf"process {os.getpid()}\b"):
            await Session.open(session.id, config)
        code = (
            "import asyncio,sys;from dsbuilder_tui import *;"
            f"asyncio.run(Session.open('support', DatasetBuilderConfig(checkpoint_dir={str(config.checkpoint_dir)!r})))"
        )
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert f"in use by process {os.getpid()}" in other.stderr
        (listing,) = await catalog.list_sessions(config.checkpoint_root, SystemClock())
        assert (listing.state, listing.pid) == ("running", os.getpid())
    await (await Session.open("support", config)).aclose()


async def test_who_comes_while_a_listing_looks_waits_for_it(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    name = await finished(make_plan(2), config)
    glance = SessionLock(config.checkpoint_root / name)
    glance.acquire(patience=0, noted=False)
    assert glance.owner_pid() is None
    asyncio.get_running_loop().run_in_executor(None, lambda: (time.sleep(0.1), glance.release()))
    newcomer = SessionLock(config.checkpoint_root / name)
    await asyncio.to_thread(newcomer.acquire, 60)
    assert newcomer.owner_pid() == os.getpid()
    # Who has said that it is theirs is not waited for.
    with pytest.raises(SessionInUse, match=rf"process {os.getpid()}\b"):
        await asyncio.to_thread(SessionLock(config.checkpoint_root / name).acquire, 10**6)
    newcomer.release()


async def test_listings_say_what_they_cannot_read(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    await finished(make_plan(2), config)
    broken = config.checkpoint_root / "broken"
    shutil.copytree(config.checkpoint_root / "support", broken)
    (broken / "session.db").write_bytes(b"rubbish" * 900)
    listings = {s.id: s for s in await catalog.list_sessions(config.checkpoint_root, SystemClock())}
    assert (listings["support"].state, listings["support"].accepted, listings["support"].planned) == ("complete", 2, 2)
    assert listings["broken"].state == "damaged" and "damaged" in listings["broken"].problem


async def test_a_folder_that_cannot_be_used(tmp_path: Path, make_plan: Plans, make_config: Configs) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--checkpoint-dir"):
        await Session.create(make_plan(2), make_config(checkpoint_dir=tmp_path / "file" / "below"))


@contextlib.contextmanager
def as_another_user() -> Iterator[None]:
    """Without the rights of root, where root runs the tests."""
    if os.name == "nt" or os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_folders_of_other_people_are_passed_over_and_a_closed_place_is_told() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:  # pytest's own folders let nobody else in
        root = Path(place)
        root.chmod(0o755)
        for name, mode in (("mine", 0o755), ("theirs", 0o000)):
            (root / name).mkdir()
            (root / name / "session.db").touch()
            (root / name).chmod(mode)
        with as_another_user():
            assert catalog.session_folders(root) == [root / "mine"]
            with pytest.raises(SessionNotFound, match="no session called 'theirs'"):
                catalog.find_session(root, "theirs")
            with pytest.raises(SessionNotFound, match="no session called"):
                catalog.find_session(root, root / "theirs")
        root.chmod(0o000)
        with as_another_user(), pytest.raises(StorageError, match="cannot be read: Permission denied"):
            catalog.session_folders(root)
        root.chmod(0o755)
        (root / "theirs").chmod(0o755)
