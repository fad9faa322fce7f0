"""A session's files examined from end to end, and what can be read of damaged ones saved into a new session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.examination import Finding, examine
from dsbuilder_tui.store.lock import SessionLock
from dsbuilder_tui.store.salvage import salvage


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The session that was made of a damaged one, and what is not in it or was mended, in sentences."""

    folder: Path
    accepted: int
    planned: int
    losses: list[str]


async def examine_session(
    reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock | None = None
) -> tuple[Path, list[Finding]]:
    """The session's folder, and everything that is found in it. Changes nothing.

    Raises ``SessionNotFound``, ``SessionInUse`` or ``StorageError``.
    """
    folder = catalog.find_session(config.checkpoint_root, reference)
    lock = SessionLock(folder)
    lock.acquire()
    try:
        findings = await asyncio.to_thread(examine, folder / catalog.SESSION_FILE)
    finally:
        lock.release()
    if not any(finding.problem for finding in findings):
        try:
            async with await Session.open(folder, config, clock=clock) as session:
                findings += await _files_beside(session)
        except DsbuilderError as error:
            findings.append(Finding("opening", "", error.problem))
    return folder, findings


async def examine_open_session(session: Session) -> list[Finding]:
    """The same for a session that is open here, beside whatever goes on in it. Raises ``StorageError``."""
    file = session.folder / catalog.SESSION_FILE
    findings = await asyncio.to_thread(examine, file, is_open=True)
    return [*findings, *await _files_beside(session)]


async def _files_beside(session: Session) -> list[Finding]:
    from dsbuilder_tui.diversity.fingerprint_reader import count_whole  # with numpy

    findings = [Finding("dataset", "what was exported is as it was", await session.dataset.difference())]
    found = await asyncio.to_thread(count_whole, session.folder)
    if found is not None:
        whole, rows = found
        lost = "" if whole == rows else f"; the other {rows - whole} are made again from the cases when they are needed"
        findings.append(Finding("fingerprints", f"{whole} of {rows} are whole{lost}"))
    return findings


async def salvage_session(folder: Path, clock: Clock | None = None) -> Salvaged:
    """Make a new session beside a damaged one, of everything in it that can be read. The damaged one stays as it is.

    Raises ``SessionInUse``, ``StorageError``, or ``SessionDamaged`` when nothing can be saved.
    """
    clock, root = clock or SystemClock(), folder.parent
    lock = SessionLock(folder)
    lock.acquire()
    try:
        target = catalog.unborn_folder(root)
        own = SessionLock(target)
        own.acquire()
        try:
            source = folder / catalog.SESSION_FILE
            plan, losses = await asyncio.to_thread(salvage, source, target / catalog.SESSION_FILE, clock.now())
            named = catalog.name_held(target, plan.dataset_name, own)
        finally:
            own.release()
            catalog.sweep(root)
    finally:
        lock.release()
    async with await Session.open(named, clock=clock) as session:
        await session._files.store.history.remember("repaired", source=folder.name, losses=losses)
        summary = await session.summary()
    return Salvaged(named, summary.instances_created, summary.total_instances_planned, losses)
