"""The sessions of a checkpoint directory: naming, finding, listing, renaming, throwing away and fetching back."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.clock import Clock, iso
from dsbuilder_tui.domain.errors import DsbuilderError, InputError, SessionInUse, SessionNotFound, StorageError
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.files import (
    atomic_write,
    is_alive,
    is_taken,
    move_together,
    private_folder,
    read_small,
    sweep_temporaries,
)
from dsbuilder_tui.store.lock import SessionLock
from dsbuilder_tui.store.session_store import SessionStore

SESSION_FILE = "session.db"
STATUS_FILE = "status.json"
_UNBORN = ".new-"  # what a folder is called while its session is being made: .new-PID-TOKEN
TRASH = ".trash"  # beside the sessions; no session is called so, because no folder_name begins with a dot
_OTHER_PLACE = "Choose another one with --checkpoint-dir."
_LONGEST_NAME = 200  # leaves room for what is appended to a session's name


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
    batch_jobs: int = 0  # that a provider has
    batch_jobs_since: float = 0.0

    @property
    def undecided(self) -> bool:
        """Whether it is a session that has no plan yet."""
        return not self.planned and not self.problem

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def folder_name(dataset_name: str) -> str:
    """A dataset name as a folder name that every file system takes."""
    plain = unicodedata.normalize("NFKD", dataset_name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-") or "dataset"


def new_session_folder(root: Path, dataset_name: str, own: Path | None = None) -> Path:
    """A folder not used yet: the dataset's name, with a number from the second on.

    A ``<name>_checkpoint.json`` that lies in the directory counts as a use of the name: our own export under the same
    name must never replace a file that somebody put there. ``own`` is a session's folder that may stay what it is.
    """
    base, number = folder_name(dataset_name), 1
    while True:
        folder = root / (base if number == 1 else f"{base}-{number}")
        if folder == own or not (is_taken(folder) or is_taken(seed_file(folder))):
            return folder
        number += 1


def unborn_folder(root: Path) -> Path:
    """A folder for a session that is being made; ``name_held`` names it. Raises ``StorageError``."""
    folder = root / f"{_UNBORN}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(
            f"No folder can be created in {root}: {error.strerror or error}.",
            "Make the checkpoint directory writable or choose another one with --checkpoint-dir.",
        ) from None
    return folder


def name_held(folder: Path, dataset_name: str, lock: SessionLock) -> Path:
    """Give a session that is whole the name of its dataset, or the next free one. Raises ``StorageError``.

    Its lock is held here, and its file is closed for the moment.
    """
    while True:
        target = new_session_folder(folder.parent, dataset_name)
        try:
            _move(folder, target, lock)
        except StorageError:
            if is_taken(target):
                continue  # another process was faster; the next number is ours
            raise
        return target


def sweep(root: Path) -> None:
    """Remove what dead processes have left of sessions that they were making."""
    with contextlib.suppress(OSError):
        for folder in root.iterdir():
            pid = folder.name.removeprefix(_UNBORN).partition("-")[0] if folder.name.startswith(_UNBORN) else ""
            if not pid.isdecimal() or folder.is_symlink() or (int(pid) != os.getpid() and is_alive(int(pid))):
                continue
            lock = SessionLock(folder)
            try:
                lock.acquire(patience=0)
            except DsbuilderError:
                continue
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)


def sweep_session(folder: Path) -> None:
    """Remove what dead processes have left beside a session's files. The session's lock is held."""
    sweep_temporaries(folder)
    sweep_temporaries(folder.parent, f".{seed_file(folder).name}.")


def seed_file(folder: Path) -> Path:
    """Where a session's seed-format JSON lies: beside its folder, as the original design has it."""
    return folder.with_name(f"{folder.name}{SEED_SUFFIX}")


def last_active(folder: Path) -> float:
    """When a session was last worked on, in seconds. Looking at one does not count, though it touches its files."""
    note = folder / STATUS_FILE
    return (note if note.is_file() else folder / SESSION_FILE).stat().st_mtime


def _is_file(path: Path) -> bool:
    """Whether there is a file, as far as one may know: the folders of other people are closed."""
    try:
        return path.is_file()
    except OSError:
        return False


def session_folders(root: Path) -> list[Path]:
    """All session folders that may be looked into, the most recently active first. Raises ``StorageError`` or ``InputError``."""
    try:
        inside = list(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # no folder can have it: nothing is wrong with the disk
            raise InputError(f"{str(root)[:_LONGEST_NAME]!r} … is too long for a folder.", _OTHER_PLACE) from None
        raise StorageError(
            f"The folder {root} cannot be read: {error.strerror or error}.",
            f"Make it readable. {_OTHER_PLACE}",
        ) from None
    found = [folder for folder in inside if not folder.name.startswith(_UNBORN) and _is_file(folder / SESSION_FILE)]
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
    if path.name == SESSION_FILE and _is_file(path):
        return path.parent.absolute()
    if _is_file(path / SESSION_FILE) and len(path.parts) > 1:
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
    meta, plan, totals = await store.meta.all(), await store.plans.newest(), await store.progress.totals()
    state = SessionState(meta.get("state", SessionState.NEW))
    if state is SessionState.RUNNING and not running:
        state = SessionState.INTERRUPTED
    jobs = [job for job in await store.batch_jobs.open(everywhere=True) if job.is_waiting]
    return SessionListing(
        id=folder.name,
        dataset_name=plan.dataset_name,
        batch_jobs=len(jobs),
        batch_jobs_since=min((job.created_at for job in jobs), default=0.0),
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
    """Leave a note for other processes, which must not open the session file while we hold it.

    Raises ``StorageError`` when the folder is gone: it is not made again for a note.
    """
    if not folder.is_dir():
        raise StorageError(f"The session folder {folder} is gone.", "Put it back, then resume.")
    with atomic_write(folder / STATUS_FILE, private=True, durable=False) as handle:
        handle.write(orjson.dumps(listing.as_dict()))


async def list_sessions(root: Path, clock: Clock) -> list[SessionListing]:
    """Every session of a directory, the most recently active first. One that cannot be read says why."""
    return [await list_session(folder, clock) for folder in session_folders(root)]


async def list_session(folder: Path, clock: Clock) -> SessionListing:
    """The listing of one session, whoever has it open."""
    lock = SessionLock(folder)
    try:
        lock.acquire(patience=0, noted=False)
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


def rename_session(folder: Path, name: str) -> Path:
    """Give a session another name: its folder, its seed JSON beside it, its ``<name>.jsonl`` inside, its note.

    Returns the new folder. Raises ``InputError`` for a name that cannot be used or is taken, ``SessionNotFound``,
    ``SessionInUse`` when the session is open anywhere, or ``StorageError``; everything then has its old name.
    """
    target = _renamed(folder, name)
    with _held(folder) as lock:
        rename_held(folder, target.name, lock)
    return target


def rename_held(folder: Path, name: str, lock: SessionLock) -> Path:
    """As ``rename_session``, for a session whose lock is held here and whose file is closed for the moment."""
    target = _renamed(folder, name)
    if target == folder:
        return folder
    if is_taken(target, by_other_than=folder) or is_taken(seed_file(target), by_other_than=seed_file(folder)):
        instead = new_session_folder(folder.parent, name).name
        raise InputError(f"The name {name!r} is taken.", f"Choose another one; {instead!r} is free.")
    _move(folder, target, lock, named=folder.name)
    return target


def _renamed(folder: Path, name: str) -> Path:
    """The folder under another name. Raises ``InputError`` for a name that no session can have."""
    free = folder_name(name)[:_LONGEST_NAME]
    if not name.strip():
        raise InputError("The new name is empty.", "Give the session a name, such as support-2.")
    if len(name) > _LONGEST_NAME or folder_name(name) != name:
        rules = f"Use letters, digits, '.', '_' and '-', at most {_LONGEST_NAME}; for example {free!r}."
        raise InputError(f"{name[:_LONGEST_NAME]!r} cannot be the name of a session.", rules)
    return folder.with_name(name)


def trash_session(folder: Path, clock: Clock) -> Path:
    """Move a session and its seed JSON to ``.trash`` of its directory, as ``<name>-YYYYMMDD-HHMMSS`` (UTC).

    Returns where its folder is now; ``restore_session`` brings it back. Raises ``SessionNotFound``, ``SessionInUse``
    when the session is open anywhere, or ``StorageError``; everything is then where it was.
    """
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%d-%H%M%S")
    with _held(folder) as lock:
        trash = private_folder(folder.parent / TRASH)
        target, number = trash / f"{folder.name}-{stamp}", 1
        while is_taken(target) or is_taken(seed_file(target)):
            number += 1
            target = trash / f"{folder.name}-{stamp}-{number}"
        _move(folder, target, lock)
    return target


def restore_session(trashed: Path, root: Path) -> Path:
    """Fetch a session back from the trash into ``root``: under its old name, or the next free one.

    Returns its folder. Raises ``InputError`` when it is no folder that ``trash_session`` made, ``SessionNotFound`` when
    it is gone, ``SessionInUse``, or ``StorageError``; everything is then where it was.
    """
    stamped = re.fullmatch(r"(.+)-\d{8}-\d{6}(?:-\d+)?", trashed.name)
    if stamped is None:
        raise InputError(f"{trashed} is not a session from the trash.", f"Name a folder of {root / TRASH}.")
    name = stamped[1]
    with _held(trashed) as lock:
        target = private_folder(root) / name
        if is_taken(target) or is_taken(seed_file(target)):
            target = new_session_folder(root, name)
        _move(trashed, target, lock, named=name)
    return target


def remove_session(folder: Path, lock: SessionLock) -> None:
    """Remove a session for good, and let go of its lock. Its file must be closed. Raises ``StorageError``."""
    try:
        try:
            for ending in ("", "-wal", "-shm"):  # first what makes it a session, while nobody else can open it
                (folder / f"{SESSION_FILE}{ending}").unlink(missing_ok=True)
        finally:
            lock.release()
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be removed: {error.strerror or error}.", "Nothing was said in it; remove it by hand."
        ) from None


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[SessionLock]:
    """A session's folder that nobody else has open until the block ends."""
    if not (folder / SESSION_FILE).is_file():
        raise SessionNotFound(f"There is no session in {folder}.", "`dsbuilder sessions` lists what there is.")
    lock = SessionLock(folder)
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()


def _move(folder: Path, target: Path, lock: SessionLock, *, named: str | None = None) -> None:
    """Move a session's files, all or none. With ``named``, its name so far, what is inside follows the new one."""
    moves = [(folder, target)]
    if is_taken(seed_file(folder)):
        moves.append((seed_file(folder), seed_file(target)))
    if named not in (None, target.name) and is_taken(folder / f"{named}.jsonl"):
        if is_taken(folder / f"{target.name}.jsonl", by_other_than=folder / f"{named}.jsonl"):
            raise InputError(f"{folder} holds a {target.name}.jsonl already.", "Move it away or choose another name.")
        moves.append((target / f"{named}.jsonl", target / f"{target.name}.jsonl"))
    if os.name == "nt":
        lock.release()  # Windows moves no folder in which a file is open, ours or of whoever opens the session now
    move_together(moves)
    lock.moved_to(target)
    if named is not None:
        try:
            _readdress(target)
        except StorageError:
            move_together([(new, old) for old, new in reversed(moves)])
            lock.moved_to(folder)
            raise


def _readdress(folder: Path) -> None:
    """Let the note for other processes say where the session is now; that is no activity, so its time stays."""
    path = folder / STATUS_FILE
    try:
        before, note = path.stat(), orjson.loads(read_small(path))
    except (OSError, ValueError):
        return  # there is no note that could mislead
    if isinstance(note, dict):
        with atomic_write(path, private=True, durable=False) as handle:
            handle.write(orjson.dumps({**note, "id": folder.name, "path": str(folder)}))
        with contextlib.suppress(OSError):
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _note(folder: Path) -> SessionListing | None:
    try:
        note = orjson.loads(read_small(folder / STATUS_FILE))
        known = {f.name for f in fields(SessionListing)}
        values = {name: value for name, value in note.items() if name in known}
        return SessionListing(**{**values, "id": folder.name, "path": str(folder)})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _from_note(folder: Path, pid: int | None) -> SessionListing:
    listing = _note(folder) or _unreadable(folder, "in use by another process")
    return replace(listing, state=SessionState.RUNNING, pid=pid)


def _unreadable(folder: Path, problem: str) -> SessionListing:
    stamp = iso(last_active(folder))
    return SessionListing(
        id=folder.name,
        dataset_name=folder.name,
        state=SessionState.DAMAGED,
        accepted=0,
        planned=0,
        rejected=0,
        exhausted=0,
        provider="",
        worker_model="",
        created_at=stamp,
        updated_at=stamp,
        path=str(folder),
        pid=None,
        problem=problem,
    )
