"""An open session as all its parts share it: its files, the run that is going on if one is, and who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.event_stream import EventStream
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import BuilderState, SessionState
from dsbuilder_tui.generation.call_log import CallLog
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.session.run import Run
from dsbuilder_tui.session.session_settings import SessionSettings
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

T = TypeVar("T")


class SessionContext:
    """What the parts of one session have in common."""

    def __init__(self, files: SessionFiles, config: DatasetBuilderConfig) -> None:
        self.files, self.settings = files, SessionSettings(files, config, self._settings_changed)
        self.streams: list[EventStream] = []
        self.run: Run | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self.call_log = CallLog()
        # Held by whatever must not see the session begin a run, or a case change, under its hands.
        self.acts = asyncio.Lock()

    @property
    def config(self) -> DatasetBuilderConfig:
        """The settings that are in force; ``settings`` changes them."""
        return self.settings.config

    @property
    def id(self) -> str:
        return self.files.id

    @property
    def plan(self) -> DatasetPlanInput:
        return self.files.plan

    @property
    def planned(self) -> bool:
        """Whether there is a plan. A session that was begun without one has none until its first revision."""
        return self.plan.decided

    def require_plan(self) -> None:
        """Raises ``InputError`` while there is no plan."""
        if not self.planned:
            raise InputError("There is no plan yet.", "Say what the dataset is for, or write one with /plan edit.")

    @property
    def clock(self) -> Clock:
        return self.files.clock

    @property
    def was_started(self) -> bool:
        """Whether a run was ever begun, or cases were imported."""
        return bool(self.files.meta.get("state") != SessionState.NEW)

    async def summary(self) -> BuilderState:
        """Where the session stands. Costs the same at any size."""
        return await self.files.summary(self.config, running=self.run is not None or self.files.at_work_elsewhere)

    async def settle(self) -> BuilderState:
        """Where the session stands, having finished it when all slots are settled and its state does not say so."""
        state = await self.summary()
        if not self.planned or self.files.read_only:
            return state
        left = state.total_instances_planned - state.instances_created - state.exhausted_slots
        ended = SessionState.SHORT if state.exhausted_slots else SessionState.COMPLETE
        if left == 0 and state.batch_jobs and not self.run:
            await self.files.store.batch_jobs.close_ended()  # a kill came between the last case and this
        if left == 0 and state.state != ended and not self.run:
            if self.config.enable_checkpointing:
                await self.files.checkpoint(CheckpointCause.FINISH)
            await self.files.conclude("finish", ended, export=self.config.enable_checkpointing)
            return await self.summary()
        return state

    async def written(self) -> None:
        """Wait until everything decided so far is on disk and announced."""
        if self.run:
            await self.run.flush()

    async def checkpoint(self, cause: CheckpointCause, *, name: str = "", note: str = "") -> Checkpoint:
        """Write a checkpoint now, at rest or through the run that is going on."""

        async def write() -> Checkpoint:
            return await (self.run or self.files).checkpoint(cause, name=name, note=note)

        # At rest behind an act that is going on: what that is about to write has its places in the history already.
        return await (write() if self.run else self.whole(write))

    async def _settings_changed(self) -> None:
        if self.planned and self.config.enable_checkpointing:
            await self.checkpoint(CheckpointCause.SETTINGS)

    def only_at_rest(self) -> None:
        """Raises ``InputError`` while a run goes on."""
        if self.run:
            raise InputError(f"The session {self.id} is running already.", "Pause it first.")

    async def whole(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do an act, one at a time, and to its end even when whoever asked for it goes away."""

        async def locked() -> T:
            async with self.acts:
                return await act()

        return await asyncio.shield(asyncio.ensure_future(locked()))

    def categories(self, category: str | None = None) -> list[str]:
        """The plan's categories in order, or the one that is asked for."""
        return [c.name for c in self.plan.categories] if category is None else [category]
