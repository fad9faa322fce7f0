"""The sessions of a checkpoint directory: naming, finding, listing."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.clock import Clock, iso
from dsbuilder_tui.domain.errors import DsbuilderError, SessionInUse, SessionNotFound
from dsbuilder_tui.domain.summary import SessionState
from dsbuilder_tui.store.export import SEED_SUFFIX
from dsbuilder_tui.store.files import atomic_write
from dsbuilder_tui.store.lock import SessionLock
from dsbuilder_tui.store.session_store import SessionStore

SESSION_FILE = "session.db"
STATUS_FILE = "status.json"


@dataclass(frozen=True, slots=True)
class SessionListing:
    """One line of ``dsbuilder sessions``. Times are ISO 8601 in UTC; ``pid`` is set while a process holds it."""

    id: str
    dataset_name: str
    state: SessionState
    accepted: int
    planned: int
    rejected: int
    exhausted: int
    provider: str
    worker_model: str
    created_at: str
    updated_at: str
    path: str
    pid: int | None = None
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def folder_name(dataset_name: str) -> str:
    """A dataset name as a folder name that every file system takes."""
    plain = unicodedata.normalize("NFKD", dataset_name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-") or "dataset"


def new_session_folder(root: Path, dataset_name: str) -> Path:
    """A folder not used yet: the dataset's name, with a number from the second on.

    A ``<name>_checkpoint.json`` that lies in the directory counts as a use of the name: our own export under the same
    name must never replace a file that somebody put there.
    """
    base, number = folder_name(dataset_name), 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if not os.path.lexists(root / name) and not os.path.lexists(root / f"{name}{SEED_SUFFIX}"):
            return root / name
        number += 1


def seed_file(folder: Path) -> Path:
    """Where a session's seed-format JSON lies: beside its folder, as the original design has it."""
    return folder.with_name(f"{folder.name}{SEED_SUFFIX}")


def last_active(folder: Path) -> float:
    """When a session was last worked on, in seconds. Looking at one does not count, though it touches its files."""
    note = folder / STATUS_FILE
    return (note if note.is_file() else folder / SESSION_FILE).stat().st_mtime


def session_folders(root: Path) -> list[Path]:
    """All session folders, the most recently active first."""
    if not root.is_dir():
        return []
    found = [folder for folder in root.iterdir() if (folder / SESSION_FILE).is_file()]
    return sorted(found, key=lambda folder: (-last_active(folder), folder.name))


def find_session(root: Path, reference: str | Path | None) -> Path:
    """The folder of a session, by name, by an unambiguous beginning of it, or by path; ``None`` is the newest.

    Raises ``SessionNotFound`` naming what there is.
    """
    folders = session_folders(root)
    if reference is None:
        if not folders:
            raise SessionNotFound(
                f"There is no session in {root}.", "Start one with `dsbuilder run`, or name the --checkpoint-dir."
            )
        return folders[0]
    path = Path(reference).expanduser()
    if path.name == SESSION_FILE and path.is_file():
        return path.parent.absolute()
    if (path / SESSION_FILE).is_file() and len(path.parts) > 1:
        return path.absolute()
    text = str(reference)
    names = [folder.name for folder in folders]
    if text in names:
        return root / text
    begins = [name for name in names if name.startswith(text)] if text else []
    if len(begins) == 1:
        return root / begins[0]
    if begins:
        raise SessionNotFound(f"{text!r} could be any of {', '.join(sorted(begins))}.", "Name one of them.")
    close = difflib.get_close_matches(text, names, n=1)
    raise SessionNotFound(
        f"There is no session called {text!r} in {root}.",
        f"Did you mean {close[0]!r}?" if close else "`dsbuilder sessions` lists what there is.",
    )


async def describe(folder: Path, store: SessionStore, *, running: bool = False) -> SessionListing:
    """The listing of an open session."""
    meta, plan, totals = await store.meta(), await store.plan(), await store.totals()
    state = SessionState(meta.get("state", SessionState.NEW))
    if state is SessionState.RUNNING and not running:
        state = SessionState.INTERRUPTED
    return SessionListing(
        id=folder.name,
        dataset_name=plan.dataset_name,
        state=state,
        accepted=totals.accepted,
        planned=plan.total_instances,
        rejected=totals.rejected,
        exhausted=totals.exhausted,
        provider=str(meta.get("provider", "")),
        worker_model=str(meta.get("worker_model", "")),
        created_at=iso(float(meta.get("created_at", 0))),
        updated_at=iso(last_active(folder)),
        path=str(folder),
    )


def write_status(folder: Path, listing: SessionListing) -> None:
    """Leave a note for other processes, which must not open the session file while we hold it."""
    with atomic_write(folder / STATUS_FILE, private=True, durable=False) as handle:
        handle.write(orjson.dumps(listing.as_dict()))


async def list_sessions(root: Path, clock: Clock) -> list[SessionListing]:
    """Every session of a directory, the most recently active first. One that cannot be read says why."""
    return [await list_session(folder, clock) for folder in session_folders(root)]


async def list_session(folder: Path, clock: Clock) -> SessionListing:
    """The listing of one session, whoever has it open."""
    lock = SessionLock(folder)
    try:
        lock.acquire(patience=0)
    except SessionInUse:
        return _from_note(folder, lock.owner_pid())
    except DsbuilderError as error:
        return _unreadable(folder, str(error))
    try:
        store = await SessionStore.open(folder / SESSION_FILE, clock)
        try:
            return await describe(folder, store)
        finally:
            await store.close()
    except DsbuilderError as error:
        return _unreadable(folder, str(error))
    finally:
        lock.release()


def notes_of(root: Path, dataset_name: str) -> list[SessionListing]:
    """What the notes of a dataset's sessions say, the most recently active first; opens no session."""
    notes = [note for folder in session_folders(root) if (note := _note(folder)) is not None]
    return [note for note in notes if note.dataset_name == dataset_name]


def _note(folder: Path) -> SessionListing | None:
    try:
        note = orjson.loads((folder / STATUS_FILE).read_bytes())
        known = {f.name for f in fields(SessionListing)}
        return SessionListing(**{name: value for name, value in note.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _from_note(folder: Path, pid: int | None) -> SessionListing:
    listing = _note(folder) or _unreadable(folder, "in use by another process")
    return replace(listing, state=SessionState.RUNNING, pid=pid)


def _unreadable(folder: Path, problem: str) -> SessionListing:
    stamp = iso(last_active(folder))
    return SessionListing(
        folder.name, folder.name, SessionState.DAMAGED, 0, 0, 0, 0, "", "", stamp, stamp, str(folder), None, problem
    )
