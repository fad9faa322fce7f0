"""``DatasetBuilderAgent``: the documented entrance to dataset building from Python."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from dsbuilder_tui.config import DatasetBuilderConfig
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import InputError, SessionNotFound
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.summary import BuilderState, RunResult
from dsbuilder_tui.session import Session
from dsbuilder_tui.store.catalog import (
    SESSION_FILE,
    find_session,
    folder_name,
    notes_of,
    seed_file,
    session_folders,
)
from dsbuilder_tui.store.seed_format import read_seed_checkpoint

# The agent that the documented bare functions speak to: the one last created in this context.
_current: ContextVar[DatasetBuilderAgent | None] = ContextVar("current_agent", default=None)


class DatasetBuilderAgent:
    """Builds datasets: ``await agent.generate(plan)`` runs a plan to its end, saving as it goes.

    ``model`` names the main agent's model; workers use ``config.worker_model``. Without a key or an endpoint the
    built-in offline writer is used. Close with ``await agent.aclose()`` or use it as an async context manager.
    """

    def __init__(self, model: str | None = None, config: DatasetBuilderConfig | None = None) -> None:
        self._given = config is not None
        self.config = config or DatasetBuilderConfig()
        if model is not None and model != self.config.model:
            self.config = self.config.model_copy(update={"model": model})
        self._session: Session | None = None
        self._dataset: str | None = None
        self._listeners: list[Callable[[Event], None]] = []
        _current.set(self)

    @property
    def session(self) -> Session:
        """The open session. Raises ``InputError`` when there is none yet."""
        if self._session is None:
            raise InputError("The agent has no session yet.", "Call generate(plan) or load_from_checkpoint() first.")
        return self._session

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every event of every session this agent opens."""
        self._listeners.append(listener)
        if self._session:
            self._session.subscribe(listener)

    async def generate(self, plan: DatasetPlanInput) -> RunResult:
        """Build a dataset in a session of its own. Raises ``PlanError``, ``EndpointRefused`` or ``StorageError``."""
        await self._adopt(await Session.create(plan, self.config))
        return await self.session.run()

    async def resume(self) -> RunResult:
        """Fill the open slots of the session that is open."""
        return await self.session.run()

    async def load_from_checkpoint(
        self, path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
    ) -> BuilderState:
        """Open what was saved: a session folder, a session file, a session's name, or a seed-format JSON.

        Without a path: the newest session of the current dataset (of all, when there is none yet). A seed-format JSON
        that this directory's sessions wrote opens that session, which is never behind its JSON. Call ``resume()`` to
        go on. Raises ``SessionNotFound``, ``SessionInUse``, ``InputError`` and what else opening can raise.
        """
        path = path if path is not None else checkpoint_path
        await self.aclose()  # it may be the very session that is asked for, and a session is open only once
        reference = path if path is not None else self._newest()
        session = await open_saved(reference, self.config)
        if not self._given:
            session.config = DatasetBuilderConfig(**session.settings)
        await self._adopt(session)
        return await session.summary()

    async def get_builder_state_summary(self) -> BuilderState:
        """Progress, checkpoints, rejections and categories of the open session."""
        return await self.session.summary()

    async def cases(self) -> AsyncIterator[AcceptedCase]:
        """The accepted cases so far, in slot order."""
        async for case in self.session.cases():
            yield case

    async def export(self, path: str | Path, kind: str | None = None) -> int:
        """Write the cases to a file; see ``Session.export``."""
        return await self.session.export(path, kind)

    async def aclose(self) -> None:
        if self._session:
            await self._session.aclose()
            self._session = None

    async def __aenter__(self) -> DatasetBuilderAgent:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()

    async def _adopt(self, session: Session) -> None:
        await self.aclose()
        self._session, self._dataset = session, session.plan.dataset_name
        for listener in self._listeners:
            session.subscribe(listener)

    def _newest(self) -> str | None:
        if self._dataset is None:
            return None
        name = folder_name(self._dataset)
        root = self.config.checkpoint_root
        noted = {note.id for note in notes_of(root, self._dataset)}  # also those that have another name by now
        for folder in session_folders(root):
            if folder.name in noted or re.fullmatch(re.escape(name) + r"(-\d+)?", folder.name):
                return folder.name
        raise SessionNotFound(f"There is no session of the dataset {name!r}.", "Name one by its path.")


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


def _agent() -> DatasetBuilderAgent:
    return _current.get() or DatasetBuilderAgent()


async def load_from_checkpoint(
    path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
) -> BuilderState:
    """``DatasetBuilderAgent.load_from_checkpoint`` of the current agent (a new one when there is none)."""
    return await _agent().load_from_checkpoint(path, checkpoint_path=checkpoint_path)


async def get_builder_state_summary() -> BuilderState:
    """``DatasetBuilderAgent.get_builder_state_summary`` of the current agent."""
    return await _agent().get_builder_state_summary()
