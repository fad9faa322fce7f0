"""The library of sessions: all that lie in a checkpoint directory, to list, find, rename, trash, fetch back and open."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.catalog import (
    SESSION_FILE,
    SessionListing,
    find_session,
    folder_name,
    last_active,
    list_session,
    list_sessions,
    notes_of,
    seed_file,
    session_folders,
)
from dsbuilder_tui.store.imports.import_format import ImportedDataset
from dsbuilder_tui.store.imports.import_formats import read_dataset
from dsbuilder_tui.tracking.dataset_lookup import stored_name

__all__ = [
    "SESSION_FILE",
    "ImportedDataset",
    "SessionListing",
    "find_session",
    "folder_name",
    "last_active",
    "list_session",
    "list_sessions",
    "notes_of",
    "open_saved",
    "open_with_notes",
    "read_dataset",
    "rename_session",
    "restore_session",
    "saved_as",
    "seed_file",
    "session_folders",
    "trash_session",
]


async def rename_session(folder: Path, name: str) -> Path:
    """Give a session another name: its folder, its seed JSON beside it, its ``<name>.jsonl`` inside, its note.

    Returns the new folder. Raises ``InputError`` for a name that cannot be used or is taken, ``SessionNotFound``,
    ``SessionInUse`` when the session is open anywhere, or ``StorageError``; everything then has its old name.
    """
    return await _to_its_end(asyncio.to_thread(catalog.rename_session, folder, name))


async def trash_session(folder: Path, clock: Clock) -> Path:
    """Move a session and its seed JSON to the trash folder of its directory. Returns where its folder is now.

    Raises ``SessionNotFound``, ``SessionInUse`` when the session is open anywhere, or ``StorageError``; everything is
    then where it was.
    """
    return await _to_its_end(asyncio.to_thread(catalog.trash_session, folder, clock))


async def restore_session(trashed: Path, root: Path) -> Path:
    """Fetch a session back from the trash into ``root``: under its old name, or the next free one. Returns its folder.

    Raises ``InputError`` when it is no folder that ``trash_session`` made, ``SessionNotFound`` when it is gone,
    ``SessionInUse``, or ``StorageError``; everything is then where it was.
    """
    return await _to_its_end(asyncio.to_thread(catalog.restore_session, trashed, root))


async def _to_its_end(act: Coroutine[Any, Any, Path]) -> Path:
    """Files are moved to the end even when whoever asked for it goes away; it is waited for then, too."""
    task = asyncio.ensure_future(act)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def open_saved(reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock | None = None) -> Session:
    """``open_with_notes`` for whoever has nobody to tell."""
    return (await open_with_notes(reference, config, clock))[0]


async def open_with_notes(
    reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock | None = None
) -> tuple[Session, tuple[str, ...]]:
    """Open what was saved: a session's name, folder or file, or a file that can be imported; ``None`` is the newest session.
    Returns what a person should know of how that went, too.

    A JSON that one of this directory's sessions wrote opens that session, which is never behind its JSON; any other file
    is imported. ``mlflow:NAME`` is a dataset in MLflow: the session that writes it, rebuilt from there when it is lost.
    Raises ``SessionNotFound``, ``SessionInUse``, ``InputError`` and what else opening can raise.
    """
    if (stored := stored_name(reference)) is not None:
        from dsbuilder_tui.session.rebuilding import open_stored  # with numpy, which comparing texts needs

        rebuilt = await open_stored(stored, config, clock)
        return rebuilt.session, rebuilt.told
    target = Path(reference).expanduser() if reference is not None else None
    if target is None or not target.is_file() or target.name == SESSION_FILE:
        return await Session.open(target, config, clock=clock), ()
    dataset = await asyncio.to_thread(read_dataset, target)
    folders = session_folders(config.checkpoint_root)
    # A file that lies beside a session belongs to that one, even if it was written under an earlier name.
    beside = [folder.name for folder in folders if seed_file(folder) == target.absolute()]
    for name in beside or [folder.name for folder in folders if folder.name == dataset.session_id]:
        session = await Session.open(name, config, clock=clock)
        if session.plan.dataset_name == dataset.plan.dataset_name:
            return session, ()
        await session.aclose()
    return await Session.create(dataset.plan, config, clock=clock, imported=dataset), tuple(dataset.notes)


def saved_as(reference: str, config: DatasetBuilderConfig) -> str:
    """What is saved there, by name. Raises what ``open_saved`` would for something that is not there or unreadable."""
    if (stored := stored_name(reference)) is not None:
        from dsbuilder_tui.session.rebuilding import find_stored  # as in `open_saved`

        return find_stored(stored, config).name
    target = Path(reference).expanduser()
    if target.is_file() and target.name != SESSION_FILE:
        return read_dataset(target).plan.dataset_name
    return find_session(config.checkpoint_root, target).name
