"""Sessions renamed, thrown away and fetched back: all their files, or none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError, InputError, SessionInUse, SessionNotFound, StorageError
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.files import move_together


class Noon:
    """2026-11-22, noon, for ever."""

    def now(self) -> float:
        return 1795348800.0

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def config(make_config: Callable[..., DatasetBuilderConfig]) -> DatasetBuilderConfig:
    return make_config()


@pytest.fixture
async def folder(make_plan: Callable[..., DatasetPlanInput], config: DatasetBuilderConfig) -> Path:
    """A finished session called support, with everything that can belong to one."""
    async with await Session.create(make_plan(3), config) as session:
        await session.run()
        await session.export(session.folder / "support.jsonl")
    os.utime(session.folder / "status.json", (1e9, 1e9))
    return session.folder


def tree(root: Path) -> dict[str, bytes]:
    """All files below a folder; the lock file and SQLite's own are no concern of anybody."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


async def test_a_new_name_for_all_that_belongs_to_a_session(folder: Path, config: DatasetBuilderConfig) -> None:
    root = folder.parent
    renamed = catalog.rename_session(folder, "june")
    assert renamed == root / "june"
    assert names(root) == {"june", "june_checkpoint.json"}
    assert {"session.db", "status.json", "june.jsonl"} <= names(renamed)
    assert not {"support.jsonl", "session.owner"} & names(renamed)
    note = json.loads((renamed / "status.json").read_bytes())
    assert (note["id"], note["path"], note["accepted"]) == ("june", str(renamed), 3)
    assert catalog.last_active(renamed) == 1e9  # a new name is no activity
    async with await Session.open("june", config) as session:
        assert len([case async for case in session.cases.all()]) == 3
    (listing,) = await catalog.list_sessions(root, SystemClock())
    assert (listing.id, listing.dataset_name, listing.path) == ("june", "support", str(renamed))


async def test_the_same_name_changes_nothing(folder: Path) -> None:
    before = tree(folder.parent)
    assert catalog.rename_session(folder, "support") == folder
    assert tree(folder.parent) == before


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("", ["is empty", "Give the session a name"]),
        ("  ", ["is empty"]),
        ("a/b", ["'a/b'", "'a_b'"]),
        ("../x", ["'../x'", "'x'"]),
        (".trash", ["'.trash'", "'trash'"]),
        ("Größe 2", ["'Größe 2'", "Use letters, digits"]),
        ("x\x1b[2J", ["\\x1b"]),
        ("x" * 201, ["at most 200"]),
        ("other", ["'other' is taken", "'other-2' is free"]),
        ("foreign", ["'foreign' is taken", "'foreign-2' is free"]),
    ],
)
async def test_names_that_cannot_be_given(folder: Path, name: str, parts: list[str]) -> None:
    (folder.parent / "other").mkdir()
    (folder.parent / "foreign_checkpoint.json").write_text("precious")
    before = tree(folder.parent)
    with pytest.raises(InputError) as caught:
        catalog.rename_session(folder, name)
    for part in parts:
        assert part in str(caught.value)
    assert tree(folder.parent) == before


async def test_an_export_that_is_in_the_way(folder: Path) -> None:
    (folder / "june.jsonl").write_text("mine")
    before = tree(folder.parent)
    with pytest.raises(InputError, match=r"june\.jsonl"):
        catalog.rename_session(folder, "june")
    assert tree(folder.parent) == before


async def test_an_open_session_stays_where_it_is(folder: Path, config: DatasetBuilderConfig) -> None:
    async with await Session.open("support", config):
        for act in (lambda: catalog.rename_session(folder, "june"), lambda: catalog.trash_session(folder, Noon())):
            with pytest.raises(SessionInUse, match=str(os.getpid())):
                act()
    assert catalog.session_folders(folder.parent) == [folder]
    assert names(folder.parent) == {"support", "support_checkpoint.json"}
    assert catalog.rename_session(folder, "june").name == "june"


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    for act in (
        lambda: catalog.rename_session(tmp_path / "x", "y"),
        lambda: catalog.trash_session(tmp_path / "x", Noon()),
        lambda: catalog.restore_session(tmp_path / ".trash" / "x-20261122-120000", tmp_path),
    ):
        with pytest.raises(SessionNotFound, match="There is no session in"):
            act()
    assert names(tmp_path) <= {"work", "home"}


async def test_nothing_is_renamed_by_half(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, rename, refuse_at = tree(folder.parent), Path.rename, [""]

    def refused(self: Path, target: Path) -> Path:
        if target.name == refuse_at[0]:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    for name in ("june", "june_checkpoint.json", "june.jsonl"):
        refuse_at[0] = name
        with pytest.raises(StorageError, match="No space left on device.*everything is where it was"):
            catalog.rename_session(folder, "june")
        assert tree(folder.parent) == before


async def test_a_note_that_cannot_be_written_undoes_the_rename(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(folder.parent)

    def full(*_: object, **__: object) -> None:
        raise StorageError("status.json could not be written.", "Free some space.")

    monkeypatch.setattr(catalog, "atomic_write", full)
    with pytest.raises(StorageError, match="Free some space"):
        catalog.rename_session(folder, "june")
    assert tree(folder.parent) == before


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, rename = tmp_path / "root", Path.rename
    root.mkdir()
    for name in "abc":
        (root / name).write_text(name)

    def refused(self: Path, target: Path) -> Path:
        if self.name in ("c", "B"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(StorageError) as caught:
        move_together([(root / "a", root / "A"), (root / "b", root / "B"), (root / "c", root / "C")])
    assert f"could not be put back: {root / 'B'}. Move them by hand" in str(caught.value)
    assert names(root) == {"a", "B", "c"}


def test_moving_replaces_nothing(tmp_path: Path) -> None:
    for name in ("a", "b", "taken"):
        (tmp_path / name).write_text(name)
    with pytest.raises(StorageError, match="something of that name"):
        move_together([(tmp_path / "a", tmp_path / "A"), (tmp_path / "b", tmp_path / "taken")])
    assert (tmp_path / "a").read_text() == "a" and (tmp_path / "taken").read_text() == "taken"


async def test_to_the_trash_and_back(folder: Path, config: DatasetBuilderConfig) -> None:
    root, before = folder.parent, tree(folder.parent)
    trashed = catalog.trash_session(folder, Noon())
    assert trashed == root / ".trash" / "support-20261122-120000"
    assert names(root) == {".trash"} and (root / ".trash").stat().st_mode & 0o777 == 0o700
    assert names(root / ".trash") == {"support-20261122-120000", "support-20261122-120000_checkpoint.json"}
    assert catalog.session_folders(root) == [] and await catalog.list_sessions(root, SystemClock()) == []
    assert catalog.restore_session(trashed, root) == folder
    assert names(root / ".trash") == set()
    assert {name: text for name, text in tree(root).items() if "status" not in name} == {
        name: text for name, text in before.items() if "status" not in name
    }
    assert json.loads((folder / "status.json").read_bytes())["path"] == str(folder)
    async with await Session.open("support", config) as session:
        assert (await session.summary()).instances_created == 3


async def test_a_name_that_is_taken_meanwhile(
    folder: Path, config: DatasetBuilderConfig, make_plan: Callable[..., DatasetPlanInput]
) -> None:
    trashed = catalog.trash_session(folder, Noon())
    await (await Session.create(make_plan(2), config)).aclose()
    back = catalog.restore_session(trashed, folder.parent)
    assert back == folder.with_name("support-2")
    assert names(folder.parent) == {".trash", "support", "support-2", "support-2_checkpoint.json"}
    assert "support-2.jsonl" in names(back)
    assert json.loads((back / "status.json").read_bytes())["id"] == "support-2"


async def test_twice_in_the_same_second(
    folder: Path, config: DatasetBuilderConfig, make_plan: Callable[..., DatasetPlanInput]
) -> None:
    first = catalog.trash_session(folder, Noon())
    await (await Session.create(make_plan(2), config)).aclose()
    second = catalog.trash_session(folder, Noon())
    assert (first.name, second.name) == ("support-20261122-120000", "support-20261122-120000-2")
    assert catalog.restore_session(second, folder.parent).name == "support"
    assert catalog.restore_session(first, folder.parent).name == "support-2"


async def test_a_name_that_looks_like_one_from_the_trash(folder: Path) -> None:
    renamed = catalog.rename_session(folder, "a-20200101-000000-2")
    trashed = catalog.trash_session(renamed, Noon())
    assert catalog.restore_session(trashed, folder.parent) == renamed
    with pytest.raises(InputError, match="not a session from the trash"):
        catalog.restore_session(folder.with_name("support"), folder.parent)


async def test_a_damaged_session_can_be_thrown_away(folder: Path) -> None:
    (folder / "session.db").write_bytes(b"rubbish")
    (folder / "status.json").write_bytes(b"[1]")
    trashed = catalog.trash_session(catalog.rename_session(folder, "broken"), Noon())
    assert (catalog.restore_session(trashed, folder.parent) / "session.db").read_bytes() == b"rubbish"


async def test_a_trash_that_cannot_be_made(folder: Path) -> None:
    (folder.parent / ".trash").write_text("a file")
    before = tree(folder.parent)
    with pytest.raises(DsbuilderError, match="cannot be used"):
        catalog.trash_session(folder, Noon())
    assert tree(folder.parent) == before
