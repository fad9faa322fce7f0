"""A dataset being built: opened, listened to, run, paused, exported; and the parts that everything else is found in."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.event_stream import EventStream
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.history import HistoryEntry
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import ASKED_TO_PAUSE, Pause, PauseCause
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import BuilderState, RunResult, SessionState
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import LearningModel, WorkerModel
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.session.agent_memory import AgentMemory
from dsbuilder_tui.session.approvals import SessionApprovals
from dsbuilder_tui.session.batch_jobs import SessionBatchJobs
from dsbuilder_tui.session.branches import SessionBranches
from dsbuilder_tui.session.calls import SessionCalls
from dsbuilder_tui.session.cases import SessionCases
from dsbuilder_tui.session.chat import SessionChat
from dsbuilder_tui.session.checkpoints import SessionCheckpoints
from dsbuilder_tui.session.costs import SessionCosts
from dsbuilder_tui.session.data_answers import DataAnswers
from dsbuilder_tui.session.dataset_file import ONLY_NEW, DatasetFile
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.documents import SessionDocuments
from dsbuilder_tui.session.endpoint_knowledge import EndpointKnowledge
from dsbuilder_tui.session.exports import SessionExports
from dsbuilder_tui.session.failing_cells import FailingCells
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.session.judge_model import judge_for
from dsbuilder_tui.session.plans import SessionPlans
from dsbuilder_tui.session.preview import SessionPreview
from dsbuilder_tui.session.rejections import SessionRejections
from dsbuilder_tui.session.results import SessionResults
from dsbuilder_tui.session.review import SessionReview
from dsbuilder_tui.session.run import KeptWriter, Run, Writer
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.session_name import rename_at_rest, take_name_of_plan
from dsbuilder_tui.session.templates import SessionTemplates
from dsbuilder_tui.session.tracking import SessionTracking
from dsbuilder_tui.session.undo_log import UndoLog
from dsbuilder_tui.session.verdicts import SessionVerdicts
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.plan_sources import require_sources
from dsbuilder_tui.store.imports.import_format import ImportedDataset
from dsbuilder_tui.store.imports.import_formats import read_dataset

if TYPE_CHECKING:
    from dsbuilder_tui.generation.run_driver import RunDriver

W = TypeVar("W", bound=Writer)


class Session:
    """One dataset being built. An async context manager; only one process can have a session open."""

    def __init__(self, files: SessionFiles, config: DatasetBuilderConfig) -> None:
        self._files = files
        self._context = context = SessionContext(files, config)
        self.agent_memory = AgentMemory(context)
        self.approvals = SessionApprovals(context)
        self.batch_jobs = SessionBatchJobs(context)
        self.calls = SessionCalls(context)
        self.chat = SessionChat(context)
        self.checkpoints = SessionCheckpoints(context)
        self.costs = SessionCosts(context)
        self.diversity = SessionDiversity(context)
        self.dataset = DatasetFile(context)
        self.endpoints = EndpointKnowledge(files)
        self.documents = SessionDocuments(context)
        self.exports = SessionExports(context, self.diversity)
        self.branches = SessionBranches(context, moved=self.diversity.forget_coverage)
        self.cases = SessionCases(context, repaired=self.diversity.forget_coverage)
        self.plans = SessionPlans(context, self.costs)
        self.preview = SessionPreview(context, self.costs)
        self.rejections = SessionRejections(context)
        self.results = SessionResults(context)
        self.review = SessionReview(context, self.cases)
        self.failing_cells = FailingCells(context, self.results)
        self.data = DataAnswers(context, self.costs, self.diversity, self.documents)
        self.settings = context.settings
        self.templates = SessionTemplates(context)
        self.undo_log = UndoLog(context, self.branches, self.plans, self.cases.changes)
        self.tracking = SessionTracking(context)
        self.verdicts = SessionVerdicts(context)

    @classmethod
    async def create(
        cls,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig | None = None,
        *,
        clock: Clock | None = None,
        imported: ImportedDataset | None = None,
        out: Path | None = None,
    ) -> Self:
        """Start a session for a plan, with the cases of an imported file if one is given: all of it, or nothing.

        ``out`` is where the finished dataset is to be written.

        Raises ``PlanError`` for a plan of more than ``max_dataset_size`` cases or with validators that are not
        registered, ``InputError`` for documents or rows that are not there, or ``StorageError``.
        """
        config = config or DatasetBuilderConfig()
        if imported is None:  # on another machine its documents may be gone, and all cases there
            require_sources(plan)
        return cls(await SessionFiles.create(plan, config, clock or SystemClock(), imported, out), config)

    @classmethod
    async def begin(
        cls,
        name: str,
        config: DatasetBuilderConfig | None = None,
        *,
        clock: Clock | None = None,
        out: Path | None = None,
    ) -> Self:
        """A session that has no plan yet; the first ``revise_plan`` gives it one.

        Raises ``PlanError`` for a name that a dataset cannot have, or ``StorageError``.
        """
        return await cls.create(DatasetPlanInput.undecided(name), config, clock=clock, out=out)

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
    async def beside(cls, source: Session) -> Self:
        """A new session with the plan, the seed and the settings of another one, and of its cases those that came with a
        file. Raises as ``create``.
        """
        files = source._files
        session = await cls.create(files.plan, source.config, clock=files.clock, imported=await files.as_imported())
        kept = ("provider", "worker_model", ONLY_NEW)
        await session._files.remember(**{name: files.meta[name] for name in kept if name in files.meta})
        return session

    @classmethod
    async def import_dataset(
        cls,
        path: Path,
        config: DatasetBuilderConfig | None = None,
        *,
        kind: str | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """A session from a file, which stays as it is: a seed-format JSON, or what a plug-in reads. It can be continued.

        The format follows the ending, or ``kind``. Raises as ``create``, and ``InputError`` or ``PlanError`` naming what
        is wrong in the file, ``ConfigError`` for an unknown format, ``PlugInBroken`` for one that does not work.
        """
        dataset = await asyncio.to_thread(read_dataset, path, kind)
        return await cls.create(dataset.plan, config, clock=clock, imported=dataset)

    async def aclose(self) -> None:
        """Close the session file and let others open it. Pauses a run first."""
        await self.pause(Pause("closing", PauseCause.CLOSING))
        async with self._context.acts:  # what a person has begun is done to its end
            await self._close()

    async def _close(self) -> None:
        await self.tracking.close()
        for stream in self._context.streams:
            stream.close()
        await self._files.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def config(self) -> DatasetBuilderConfig:
        """The settings that are in force; ``settings`` changes them."""
        return self._context.config

    @property
    def id(self) -> str:
        return self._files.id

    @property
    def folder(self) -> Path:
        return self._files.folder

    @property
    def clock(self) -> Clock:
        return self._files.clock

    @property
    def plan(self) -> DatasetPlanInput:
        """The newest revision of the plan."""
        return self._files.plan

    @property
    def planned(self) -> bool:
        """Whether there is a plan. A session that was begun without one has none until its first revision."""
        return self._context.planned

    def require_plan(self) -> None:
        """Raises ``InputError`` while there is no plan."""
        self._context.require_plan()

    @property
    def seed(self) -> int:
        return self._files.seed

    @property
    def was_started(self) -> bool:
        """Whether a run was ever begun, or cases were imported."""
        return self._context.was_started

    @property
    def was_interrupted(self) -> bool:
        """Whether the process that ran it last ended without pausing."""
        return bool(self._files.meta.get("state") == SessionState.RUNNING)

    async def summary(self) -> BuilderState:
        """Where the session stands. Costs the same at any size."""
        return await self._context.summary()

    @property
    def read_only(self) -> bool:
        """Whether it lies where nothing can be written: it can be looked at, and exported to another place."""
        return self._files.read_only

    async def checked(self) -> str:
        """Wait until a file that was not closed properly, or is another than was closed, has been looked at.

        Returns, and announces, once, what a person should know of it though nothing is lost. Raises ``SessionDamaged``.
        """
        return await self._files.pages_checked()

    async def settle(self) -> BuilderState:
        """Where the session stands, having finished it when all slots are settled and its state does not say so."""
        return await self._context.settle()

    async def written(self) -> None:
        """Wait until everything decided so far is on disk and announced."""
        await self._context.written()

    async def warn(self, text: str) -> None:
        """Announce something that a person should know of, and remember it."""
        await self._files.tell(Notice(ts=self.clock.now(), level=NoticeLevel.WARNING, text=text))

    async def newest_history(self, count: int) -> list[HistoryEntry]:
        """The last lines of the session's history, oldest first."""
        return await self._files.store.history.newest(count)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every event, in order, on the event loop; returns how to stop it."""
        self._files.listeners.append(listener)
        return lambda: self._files.listeners.remove(listener)

    def events(self) -> EventStream:
        """The events from now on, for ``async for``; ends when the session is closed."""
        stream = EventStream(self._files.clock)
        self._context.streams.append(stream)
        self.subscribe(stream.push)
        return stream

    @staticmethod
    async def prepare() -> None:
        """Import what a run needs, beside the event loop: the first ``run`` then begins at once."""
        await asyncio.to_thread(importlib.import_module, "dsbuilder_tui.generation.pipeline")

    async def run(self, model: WorkerModel | None = None, *, wait: bool = True) -> RunResult:
        """Fill the open slots until none is left or ``pause`` is called. ``model`` stays the caller's to close.

        It pauses by itself when the budget is used up, when a validator fails at its work, and without ``wait`` when batch jobs
        are with the provider: the next run collects them. Raises ``InputError`` when the budget is used up already, while it
        runs, or while there is no plan; ``PlanError`` or ``PlugInBroken`` for a validator that is missing or broken;
        ``EndpointRefused``, ``EndpointUnavailable`` or ``StorageError``; what was accepted is saved.
        """
        from dsbuilder_tui.generation.pipeline import Pipeline  # with numpy and what else compares; see `prepare`
        from dsbuilder_tui.generation.run_models import RunModels

        own: list[WorkerModel | RunModels] = []

        def writer() -> WorkerModel:
            if model is not None:
                return model
            own.append(made := worker_model(self.config))
            return made

        def driver(writer: WorkerModel, budget: Budget) -> RunDriver:
            files, models = self._files, RunModels(writer)
            own.append(models)
            models.make(files.plan, self.config, self.endpoints.options)
            of_session = (files.plan, self.config, files.store, models, files.clock, files.emit, files.seed)
            return Pipeline(*of_session, self._context.call_log, budget, waits=wait)

        try:
            return await self._drive(writer, driver)
        finally:
            with contextlib.suppress(DsbuilderError):  # what a full disk does not take is found out anew
                await self.endpoints.keep()
            for each in own:
                await each.close()

    async def regate(self, source: Session) -> RunResult:
        """Fill the open slots with the answers that another session has kept, as far as today's gate lets them in.

        Nothing is asked of a model. Raises ``InputError`` while either session runs, or as ``run`` does.
        """
        from dsbuilder_tui.generation.regate import Regate

        source._context.only_at_rest()
        theirs = source._files

        def driver(writer: KeptWriter, budget: Budget) -> RunDriver:
            files = self._files
            return Regate(files.plan, self.config, files.store, files.clock, files.emit, files.seed, theirs.store)

        return await self._drive(lambda: KeptWriter(theirs.meta["worker_model"], theirs.meta["provider"]), driver)

    async def judge(self, categories: Collection[str] = ()) -> RunResult:
        """Have a judge read all cases without a verdict, of these categories or of every one. None is taken out.

        With the runner ``ray`` the nodes of a cluster ask it. Raises ``InputError`` where there is no judge, for a category that
        there is not, or while it runs; or as ``run``.
        """
        from dsbuilder_tui.generation.session_judging import SessionJudging

        files = self._files
        async with judge_for(self.config, files.emit) as judge:

            def driver(writer: KeptWriter, budget: Budget) -> RunDriver:
                of_session = (files.plan, self.config, files.store, files.clock, files.emit, files.seed)
                return SessionJudging(*of_session, self._context.call_log, budget, judge, categories)

            return await self._drive(lambda: KeptWriter(files.meta["worker_model"], files.meta["provider"]), driver)

    async def _drive(self, make_writer: Callable[[], W], make_driver: Callable[[W, Budget], RunDriver]) -> RunResult:
        async with self._context.acts:
            self._context.only_at_rest()
            self.require_plan()
            writer, budget = make_writer(), Budget(PriceTable(self.config.prices), lambda: self.config.budget)
            if isinstance(writer, LearningModel):
                writer.learn_from(self.endpoints.options)
            # Nothing is awaited before there is a run: a pause that is asked for at once must find it.
            driver = make_driver(writer, budget)
            self._context.run = run = Run(self._files, self.config, writer, driver, budget, self.diversity.announce)
            self._context.idle.clear()
        try:
            async with self.diversity.announcing():
                await self.tracking.begin()
                return await run.execute()
        finally:
            self._context.run = None
            self._context.idle.set()

    async def resume(self, model: WorkerModel | None = None, *, wait: bool = True) -> RunResult:
        """Go on after a pause or a kill. The same as ``run``: both fill the slots that are open."""
        return await self.run(model, wait=wait)

    def request_pause(self, why: Pause = ASKED_TO_PAUSE) -> None:
        """Ask a run to pause and return at once; safe to call from a signal handler of the event loop."""
        if self._context.run:
            self._context.run.pause(why)

    async def pause(self, why: Pause = ASKED_TO_PAUSE) -> None:
        """Pause a run: work in flight drains or is dropped, everything accepted is saved when this returns."""
        self.request_pause(why)
        await self._context.idle.wait()

    def drop_in_flight(self) -> None:
        """End a pause at once: drop the work in flight, and leave the JSON export for the next time."""
        if self._context.run:
            self._context.run.drop_in_flight()

    async def export(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        damaged: list[str] | None = None,
        private: bool = False,
        at: int | None = None,
        raw: bool = False,
    ) -> int:
        """Write the accepted cases to a file, in slot order, atomically. Returns how many. ``exports`` writes splits, and
        tells of each file: scenarios that stand beside other cases go to one of their own.
        With ``at`` the dataset is written as it was at that checkpoint, of any branch. With ``raw`` a CSV holds every text as
        it is; else one that a spreadsheet would take for a formula gets an apostrophe in front. The format follows the
        ending, or ``kind``. Damaged cases raise ``SessionDamaged``, or are left out and named in ``damaged``. Raises
        ``InputError`` while there is no plan, and for a name that is a device's or that of a link which leads elsewhere.
        """
        written = self.exports.write(path, kind, damaged=damaged, private=private, at=at, raw=raw)
        return sum(file.cases for file in await written)

    async def rename(self, name: str) -> None:
        """Give the session another name: its folder, its seed JSON beside it, its ``<name>.jsonl`` inside, its note.

        Raises ``InputError`` for a name that cannot be used, is taken, or while it runs, or ``StorageError``; nothing has moved.
        """
        await self._context.whole(lambda: rename_at_rest(self._context, name))

    async def take_name_of_plan(self) -> None:
        """Let the session be called like its dataset, with a number where that name is taken. Raises as ``rename``."""
        await self._context.whole(lambda: take_name_of_plan(self._context))

    async def is_blank(self) -> bool:
        """Whether there is no plan, and nobody has said anything or is about to."""
        return not (self.planned or self.chat.draft or await self._files.store.chat.has_message_of(MessageRole.PERSON))

    async def discard(self) -> None:
        """Close the session and remove its folder. Raises ``InputError`` unless it is blank."""
        await self._context.whole(self._discard)

    async def _discard(self) -> None:
        if not await self.is_blank():
            raise InputError(f"The session {self.id} is not empty.", "The list of sessions can move it to the trash.")
        for stream in self._context.streams:
            stream.close()
        await self._files.discard()
