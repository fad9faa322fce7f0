"""``Session``: open, listen, run, pause, export."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.event_stream import EventStream
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import RunResult, SessionState
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.session.calls import Calls
from dsbuilder_tui.session.curation import Curation
from dsbuilder_tui.session.figures import Measuring
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.session.naming import Naming
from dsbuilder_tui.session.planning import Planning
from dsbuilder_tui.session.preview import Preview
from dsbuilder_tui.session.reading import Reading
from dsbuilder_tui.session.remembering import Remembering
from dsbuilder_tui.session.run import Run
from dsbuilder_tui.session.whatif import WhatIfs
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.seed_format import SeedCheckpoint, read_seed_checkpoint


class Session(Reading, Curation, Planning, Remembering, Preview, Naming, Calls, Measuring, WhatIfs):
    """One dataset being built. An async context manager; only one process can have a session open."""

    @classmethod
    async def create(
        cls,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig | None = None,
        *,
        clock: Clock | None = None,
        imported: SeedCheckpoint | None = None,
    ) -> Self:
        """Start a session for a plan, with the cases of an imported file if one is given.

        Raises ``PlanError`` for a plan of more than ``max_dataset_size`` cases, or ``StorageError``.
        """
        config = config or DatasetBuilderConfig()
        return cls(await SessionFiles.create(plan, config, clock or SystemClock(), imported), config)

    @classmethod
    async def begin(cls, name: str, config: DatasetBuilderConfig | None = None, *, clock: Clock | None = None) -> Self:
        """A session that has no plan yet; the first ``revise_plan`` gives it one.

        Raises ``PlanError`` for a name that a dataset cannot have, or ``StorageError``.
        """
        return await cls.create(DatasetPlanInput.undecided(name), config, clock=clock)

    @classmethod
    async def open(
        cls,
        reference: str | Path | None = None,
        config: DatasetBuilderConfig | None = None,
        *,
        clock: Clock | None = None,
    ) -> Self:
        """Open a session by name or path; ``None`` is the newest of the checkpoint directory.

        Raises ``SessionNotFound``, ``SessionInUse``, ``SessionDamaged``, ``SessionTooNew``, ``StorageError``, or
        ``ConfigError`` for a setting that it keeps.
        """
        config = config or DatasetBuilderConfig()
        files = await SessionFiles.open(reference, config, clock or SystemClock())
        try:
            return cls(files, config)
        except BaseException:
            await files.close()
            raise

    @classmethod
    async def import_seed(
        cls, path: Path, config: DatasetBuilderConfig | None = None, *, clock: Clock | None = None
    ) -> Self:
        """A session from a seed-format JSON, which can then be continued. The file itself is never changed.

        Raises ``InputError`` or ``PlanError`` naming what is wrong in the file.
        """
        seed = read_seed_checkpoint(path)
        return await cls.create(seed.plan, config, clock=clock, imported=seed)

    async def aclose(self) -> None:
        """Close the session file and let others open it. Pauses a run first."""
        await self.pause("closing")
        async with self._acts:  # what a person has begun is done to its end
            await self._close()

    async def _close(self) -> None:
        for stream in self._streams:
            stream.close()
        await self._files.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def folder(self) -> Path:
        return self._files.folder

    @property
    def seed(self) -> int:
        return self._files.seed

    @property
    def out(self) -> Path | None:
        """Where the finished dataset is to be written, as asked for at the start."""
        out = self._files.meta.get("out")
        return Path(out) if out else None

    async def remember_out(self, path: Path) -> None:
        await self._files.remember(out=str(path))

    @property
    def was_interrupted(self) -> bool:
        """Whether the process that ran it last ended without pausing."""
        return bool(self._files.meta.get("state") == SessionState.RUNNING)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every event, in order, on the event loop; returns how to stop it."""
        self._files.listeners.append(listener)
        return lambda: self._files.listeners.remove(listener)

    def events(self) -> EventStream:
        """The events from now on, for ``async for``; ends when the session is closed."""
        stream = EventStream(self._files.clock)
        self._streams.append(stream)
        self.subscribe(stream.push)
        return stream

    @staticmethod
    async def prepare() -> None:
        """Import what a run needs, beside the event loop: the first ``run`` then begins at once."""
        await asyncio.to_thread(importlib.import_module, "dsbuilder_tui.generation.pipeline")

    async def run(self, model: WorkerModel | None = None) -> RunResult:
        """Fill the open slots until none is left or ``pause`` is called. ``model`` stays the caller's to close.

        It pauses by itself when the session's budget is used up. Raises ``InputError`` when it is used up already, while
        it runs, or while there is no plan; ``EndpointRefused``, ``EndpointUnavailable`` or ``StorageError``; what was
        accepted is saved.
        """
        async with self._acts:
            self._only_at_rest()
            self.require_plan()
            own = model is None
            model = model or worker_model(self.config)
            budget = Budget(PriceTable(self.config.prices), lambda: self.config.budget)
            # Nothing is awaited before there is a run: a pause that is asked for at once must find it.
            self._run = Run(self._files, self.config, model, self._call_log, budget, self._measure)
            self._idle.clear()
        try:
            async with self._measuring():
                return await self._run.execute()
        finally:
            self._run = None
            self._idle.set()
            if own:
                await model.close()

    async def resume(self, model: WorkerModel | None = None) -> RunResult:
        """Go on after a pause or a kill. The same as ``run``: both fill the slots that are open."""
        return await self.run(model)

    def request_pause(self, reason: str = "asked to pause") -> None:
        """Ask a run to pause and return at once; safe to call from a signal handler of the event loop."""
        if self._run:
            self._run.pause(reason)

    async def pause(self, reason: str = "asked to pause") -> None:
        """Pause a run: work in flight drains or is dropped, everything accepted is saved when this returns."""
        self.request_pause(reason)
        await self._idle.wait()

    def drop_in_flight(self) -> None:
        """End a pause at once: drop the work in flight, and leave the JSON export for the next time."""
        if self._run:
            self._run.drop_in_flight()

    async def checkpoint(self, reason: str = "asked") -> Checkpoint:
        """Write a checkpoint row now."""
        return await (self._run.checkpoint(reason) if self._run else self._files.checkpoint(reason))

    async def export(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        damaged: list[str] | None = None,
        private: bool = False,
        upto: int | None = None,
    ) -> int:
        """Write the accepted cases to a file, in slot order, atomically. Returns how many.

        With ``upto`` only the cases up to that place in the history are written.

        The format follows the ending, or ``kind``: jsonl, json, csv, parquet, checkpoint (the seed format). Damaged
        cases raise ``SessionDamaged``, or are left out and named in ``damaged`` when that list is given. Raises
        ``InputError`` while there is no plan.
        """
        self.require_plan()
        return await self._files.export(path, kind, damaged=damaged, private=private, upto=upto)

    async def repair(self) -> list[str]:
        """Set damaged cases aside and open their slots again. Returns their ids. Not while the session runs."""
        async with self._acts:
            self._only_at_rest()
            found = await self._files.store.cases.set_damaged_aside()
            if found:
                self._counting.forget()
                await self._files.store.history.remember("repaired", cases=found)
                await self._files.conclude("reopened", SessionState.PAUSED, export=False)
            return found

    async def retry_exhausted(self) -> int:
        """Open every exhausted slot for a fresh set of attempts. Returns how many. Not while the session runs."""
        async with self._acts:
            self._only_at_rest()
            count = await self._files.store.slots.reopen_exhausted()
            if count:
                await self._files.conclude("reopened", SessionState.PAUSED, export=False)
            return count
