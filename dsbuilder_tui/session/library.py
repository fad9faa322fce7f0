"""Opening what was saved: a session by name or folder, or a seed-format JSON."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.catalog import SESSION_FILE, find_session, seed_file, session_folders
from dsbuilder_tui.store.seed_format import read_seed_checkpoint


async def open_saved(reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock | None = None) -> Session:
    """Open what was saved: a session's name, folder or file, or a seed-format JSON; ``None`` is the newest session.

    A JSON that one of this directory's sessions wrote opens that session, which is never behind its JSON; another one
    is imported. Raises ``SessionNotFound``, ``SessionInUse``, ``InputError`` and what else opening can raise.
    """
    target = Path(reference).expanduser() if reference is not None else None
    if target is None or not target.is_file() or target.name == SESSION_FILE:
        return await Session.open(target, config, clock=clock)
    seed = read_seed_checkpoint(target)
    folders = session_folders(config.checkpoint_root)
    # A file that lies beside a session belongs to that one, even if it was written under an earlier name.
    beside = [folder.name for folder in folders if seed_file(folder) == target.absolute()]
    for name in beside or [folder.name for folder in folders if folder.name == seed.session_id]:
        session = await Session.open(name, config, clock=clock)
        if session.plan.dataset_name == seed.plan.dataset_name:
            return session
        await session.aclose()
    return await Session.import_seed(target, config, clock=clock)


def saved_as(reference: str, config: DatasetBuilderConfig) -> str:
    """What is saved there, by name. Raises what ``open_saved`` would for something that is not there or unreadable."""
    target = Path(reference).expanduser()
    if target.is_file() and target.name != SESSION_FILE:
        return read_seed_checkpoint(target).plan.dataset_name
    return find_session(config.checkpoint_root, target).name
