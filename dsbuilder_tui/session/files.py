"""The files behind an open session: its folder, lock and store, and what is written from them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.clock import Clock, iso
from dsbuilder_tui.domain.errors import PlanError, SessionDamaged
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import BuilderState, SessionState
from dsbuilder_tui.domain.spending import Spending
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.quality.validation import check_validators
from dsbuilder_tui.session.case_intake import CaseIntake
from dsbuilder_tui.session.dataset_export import DatasetExport
from dsbuilder_tui.session.imported_counts import ImportedCounts
from dsbuilder_tui.settings.provider_names import OPENAI
from dsbuilder_tui.settings.schema import SEALED, DatasetBuilderConfig
from dsbuilder_tui.settings.seal import seals_of, unsealed
from dsbuilder_tui.settings.stage_names import STAGES, check_stages
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.files import private_folder
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset
from dsbuilder_tui.store.imports.temporary_records import TemporaryRecords
from dsbuilder_tui.store.lock import SessionLock
from dsbuilder_tui.store.rows import Changes, HistoryRow
from dsbuilder_tui.store.session_store import SessionStore

_CHECKED_AT_ONCE = 16_000_000  # bytes of a file that opening waits for, if it is checked at all: about 10 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFill:
    """What a new session is filled with, other than a file that was read. ``cases`` is about how many, for the limit of a plan;
    ``into`` writes them while nobody can see the session yet.
    """

    cases: int
    seed: int
    into: Callable[[SessionFiles], Awaitable[None]]


class SessionFiles:
    """One session's folder, held by this process until ``close``."""

    at_work_elsewhere = False  # whether another process has it open, and this one only watches

    def __init__(
        self,
        folder: Path,
        lock: SessionLock,
        store: SessionStore,
        plan: DatasetPlanInput,
        meta: dict[str, Any],
        clock: Clock,
        plan_revision: int,
    ) -> None:
        self.folder, self.store, self.plan, self.meta, self.clock = folder, store, plan, meta, clock
        self._lock = lock
        self.plan_revision = plan_revision
        self.listeners: list[Callable[[Event], None]] = []
        self.dataset = DatasetExport(self)
        self._pages: asyncio.Task[None] | None = None
        self._doubt = ""  # what that check has found that a person should know of, until it is said

    @classmethod
    async def create(
        cls,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        clock: Clock,
        imported: ImportedDataset | None = None,
        out: Path | None = None,
        fill: SessionFill | None = None,
    ) -> Self:
        """As ``Session.create``. Until it is whole its folder has no name that anybody looks for."""
        check_plan(plan, config, there=len(imported.cases) if imported else fill.cases if fill else 0)
        root = private_folder(config.checkpoint_root)
        catalog.sweep(root)
        folder = catalog.unborn_folder(root)
        lock = SessionLock(folder)
        lock.acquire()
        seed = imported.seed if imported and imported.seed is not None else fill.seed if fill else config.seed
        said = {**config.explicit, **({"out": str(out)} if out else {})}
        meta = {
            "state": SessionState.NEW,
            "seed": seed,
            "created_at": clock.now(),
            "settings": config.explicit,
            "seals": seals_of(said, (*SEALED, "out")),
            "provider": config.resolved_provider,
            "worker_model": provider_of(config).model_name or config.worker_model,
            **({"out": str(out)} if out else {}),
        }
        try:
            store = await SessionStore.create(folder / catalog.SESSION_FILE, plan, meta, clock)
        except BaseException:
            lock.release()
            catalog.sweep(root)
            raise
        files = cls(folder, lock, store, plan, meta, clock, await store.plans.revision())
        try:
            if imported:
                await files.take_in(imported)
            if fill:
                await fill.into(files)
            await files._move(lambda: catalog.name_held(folder, plan.dataset_name, lock))
        except BaseException:
            await files.close()
            catalog.sweep(root)
            raise
        return files

    @classmethod
    async def open(cls, reference: str | Path | None, config: DatasetBuilderConfig, clock: Clock) -> Self:
        folder = catalog.find_session(config.checkpoint_root, reference)
        lock = SessionLock(folder)
        lock.acquire()
        catalog.sweep_session(folder)
        try:
            store = await SessionStore.open(folder / catalog.SESSION_FILE, clock)
        except BaseException:
            lock.release()
            raise
        try:
            plan, revision = await store.plans.newest(), await store.plans.revision()
            files = cls(folder, lock, store, plan, await store.meta.all(), clock, revision)
        except BaseException:
            await store.close()
            lock.release()
            raise
        try:
            await files._begin_check()
        except BaseException:
            await files.close()
            raise
        return files

    async def _begin_check(self) -> None:
        """Have a file looked at that was not closed properly, or is another than was closed: a large one in the background."""
        size = self.store.connection.database.to_be_checked
        if not size:
            return
        self._pages = asyncio.create_task(self._check_pages())
        if size <= _CHECKED_AT_ONCE:
            await asyncio.shield(self._pages)

    async def require_sound(self, *tables: str) -> None:
        """Raises ``SessionDamaged`` when the pages of a file that was not closed properly, or the rows of these tables, are
        not what was written.
        """
        await self.pages_checked()
        await self.store.connection.require_sound(tables)

    async def pages_checked(self) -> str:
        """Wait until a file that was not closed properly, or is another than was closed, has been looked at.

        When it is another and everything is there all the same, that is announced and returned, once. Raises
        ``SessionDamaged``.
        """
        if self._pages is not None:
            await asyncio.shield(self._pages)
        doubt, self._doubt = self._doubt, ""
        if doubt:
            self.emit(Notice(ts=self.clock.now(), level=NoticeLevel.WARNING, text=doubt))
        return doubt

    async def _check_pages(self) -> None:
        try:
            self._doubt = await self.store.connection.database.check_file()
        except SessionDamaged as error:
            self.emit(Notice(ts=self.clock.now(), level=NoticeLevel.ERROR, text=str(error)))
            raise

    async def close(self) -> None:
        try:
            await self.store.close()
            if self._pages is not None:
                await asyncio.gather(self._pages, return_exceptions=True)
        finally:
            self._lock.release()

    async def rename(self, name: str) -> None:
        """As ``Session.rename``."""

        await self._move(lambda: catalog.rename_held(self.folder, name, self._lock))

    async def _move(self, rename: Callable[[], Path]) -> None:
        def move() -> Path:
            self.folder = rename()
            return self.folder / catalog.SESSION_FILE

        await self.store.moved(move)
        if not self._lock.held:  # Windows moves no folder in which a file is open: it was let go of for the move
            self._lock = SessionLock(self.folder)
            try:
                self._lock.acquire()
            except BaseException:
                await self.store.close()
                raise
        await self.note_status(running=False)

    async def discard(self) -> None:
        """Close the session and remove its folder. Raises ``StorageError`` when the disk will not let go of it."""
        await self.store.close()
        await asyncio.to_thread(catalog.remove_session, self.folder, self._lock)

    @property
    def read_only(self) -> bool:
        """Whether it lies where nothing can be written."""
        return self.store.connection.database.read_only

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int:
        return int(self.meta["seed"])

    def emit(self, event: Event) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(event)
            except Exception as error:  # whoever watches must not be able to stop the run
                context = {"message": f"A listener failed at {event.type}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    async def remember(self, **values: Any) -> None:
        """Keep values in the session's ``meta`` table."""
        self.meta |= values
        await self.store.meta.set(**values)

    @property
    def imported(self) -> ImportedCounts:
        """The cases that came with a file."""
        return ImportedCounts.read(self.meta.get(ImportedCounts.KEY))

    async def as_imported(self) -> ImportedDataset:
        """The plan, the seed, and of the cases those that came with a file and are there yet. Damaged ones are left out."""
        cases: TemporaryRecords[ImportedCase] = TemporaryRecords()
        point = await self.store.checkpoints.first(CheckpointCause.IMPORT) if self.imported.total else None
        if point is not None:
            names = [category.name for category in self.plan.categories]
            async for page in self.store.cases.pages(names, damaged=[], upto=point.seq):
                for case in page:
                    cases.append(ImportedCase(case.category, case.ordinal, case.inputs, case.expectations, case.tags))
        retired = await self.store.slots.retired()
        return ImportedDataset(plan=self.plan, cases=cases, seed=self.seed, retired=retired)

    def is_own(self, name: str, value: Any) -> bool:
        """Whether what the folder holds of that name was said by this person, on this machine."""
        return not unsealed({name: value}, (name,), self.meta.get("seals"))

    def seals_with(self, name: str, value: Any) -> dict[str, str]:
        """The session's seals, with one for this value."""
        return {**(self.meta.get("seals") or {}), **seals_of({name: value}, (name,))}

    async def tell(self, *events: Event) -> None:
        """Announce events and remember them."""
        for event in events:
            self.emit(event)
        await self.store.history.record(*events)

    async def conclude(self, reason: str, state: SessionState, *, export: bool, end: Event | None = None) -> None:
        """Leave the session in this state; ``export`` writes its seed-format JSON.

        ``end`` is the event that history keeps of it; announcing it is left to the caller.
        """
        # The dataset is to be written now; whoever was to do it may be killed before it has.
        ended = {"dataset": None} if state.is_settled else {}
        await self.remember(state=state, **ended)
        if end is None:
            await self.store.history.remember(reason, state=state)
        else:
            await self.store.history.record(end)
        if export:
            await self.write_seed_file()
        await self.note_status(running=False)

    async def write_seed_file(self) -> None:
        """Write the seed-format JSON beside the folder, once there is a plan."""
        if not self.plan.decided:
            return
        damaged: list[str] = []
        await self.dataset.write(catalog.seed_file(self.folder), "checkpoint", damaged=damaged, private=True)
        if damaged:
            text = f"Damaged cases left out of the JSON export: {', '.join(damaged[:5])}. Resume with --repair."
            await self.tell(Notice(ts=self.clock.now(), level=NoticeLevel.WARNING, text=text))

    async def checkpoint(self, cause: CheckpointCause, *, name: str = "", note: str = "") -> Checkpoint:
        """Write a checkpoint at rest."""
        point = await self.next_checkpoint(cause, name=name, note=note)
        await self.store.commit(Changes(checkpoints=[point]))
        return point

    async def next_checkpoint(self, cause: CheckpointCause, *, name: str = "", note: str = "") -> Checkpoint:
        """A checkpoint of what is on disk now, to be written."""
        return self._checkpoint(cause, (await self.store.progress.totals()).accepted, name=name, note=note)

    def _checkpoint(self, cause: CheckpointCause, accepted: int, *, name: str = "", note: str = "") -> Checkpoint:
        return Checkpoint(
            id=self.store.next_checkpoint(),
            seq=self.store.seq,
            reason=cause.value,
            accepted=accepted,
            planned=self.plan.total_instances,
            created_at=self.clock.now(),
            name=name,
            note=note,
        )

    async def spending(self, config: DatasetBuilderConfig) -> Spending:
        """As ``Session.spending``."""
        used = await self.store.costs.usage_by_model()
        return PriceTable(config.prices).spending(
            used.main_agent, used.workers, config.model, used.judge, used.stages, used.batched
        )

    async def summary(self, config: DatasetBuilderConfig, *, running: bool) -> BuilderState:
        listing = await catalog.describe(self.folder, self.store, running=running)
        progress, usage = await self.store.progress.by_category(), await self.store.calls.usage()
        stages, points = await self.store.rejections.by_stage(), await self.store.checkpoints.line(1)
        here, elsewhere = await self.store.checkpoints.counts_by_line()
        last, judged = points[-1] if points else None, await self.store.verdicts.counts()
        return BuilderState(
            session=self.id,
            dataset_name=self.plan.dataset_name,
            state=listing.state,
            instances_created=listing.accepted,
            total_instances_planned=listing.planned,
            progress_percentage=round(100 * listing.accepted / listing.planned, 1) if listing.planned else 0.0,
            categories={c.name: {"planned": c.count, **asdict(progress[c.name])} for c in self.plan.categories},
            rejections=stages,
            diversity_rejections=sum(stages.get(stage, 0) for stage in STAGES.names()),
            exhausted_slots=listing.exhausted,
            checkpoints=here,
            checkpoints_elsewhere=elsewhere,
            last_checkpoint={**asdict(last), "created_at": iso(last.created_at)} if last else None,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            provider=listing.provider,
            worker_model=listing.worker_model,
            seed=self.seed,
            path=str(self.folder),
            cost=(await self.spending(config)).as_dict(),
            imported=self.imported.as_dict(),
            batch_jobs=listing.batch_jobs,
            batch_jobs_since=listing.batch_jobs_since,
            judged={c.name: judged[c.name].as_dict() for c in self.plan.categories if c.name in judged},
        )

    async def note_status(self, *, running: bool) -> None:
        listing = await catalog.describe(self.folder, self.store, running=running)
        await asyncio.to_thread(catalog.write_status, self.folder, listing)

    async def take_in(self, dataset: ImportedDataset) -> None:
        """Fill slots with the cases of an imported file, all in one transaction, with what is known of them; of the file some
        are in memory at a time."""
        intake = CaseIntake(self.plan, dataset, self.store.next_seqs(len(dataset.cases)), self.clock.now())
        before = (await self.store.progress.totals()).accepted
        state = SessionState.COMPLETE if len(dataset.cases) == self.plan.total_instances else SessionState.PAUSED
        known: dict[str, Any] = {}

        def following() -> Changes:
            # Who wrote the imported cases: a later run with another writer says so.
            models = intake.models - {"built-in"}
            known.update({"provider": OPENAI, "worker_model": sorted(models)[0]} if models else {})
            known.update({"state": state, ImportedCounts.KEY: intake.counts.as_dict()})
            point = self._checkpoint(CheckpointCause.IMPORT, before + intake.counts.total)
            told = {"cases": len(dataset.cases), "notes": list(dataset.notes)}
            row = HistoryRow(seq=self.store.next_seq(), kind="imported", data=told, created_at=self.clock.now())
            return Changes(checkpoints=[point], history=[row], meta=known)

        await self.store.slots.retire(dataset.retired)
        try:
            await self.store.take_in(intake, following)
        except BaseException:
            intake.stop()  # whoever was told to stop does not wait for the rest of a large file
            raise
        self.meta |= known


def check_plan(
    plan: DatasetPlanInput, config: DatasetBuilderConfig, source: str | None = None, *, there: int = 0
) -> None:
    """Raises ``PlanError`` for a plan of more than ``max_dataset_size`` cases, or with validators or stages that are not there.

    Cases that are ``there``, having come with a file, do not count.
    """
    check_validators(plan, source or plan.dataset_name)
    check_stages(plan, source or plan.dataset_name)
    if plan.total_instances - there > config.max_dataset_size:
        raise PlanError(
            source or plan.dataset_name,
            [
                f"total_instances: {plan.total_instances - there} — more than max_dataset_size allows "
                f"({config.max_dataset_size}); lower the counts, or raise the limit with --max-dataset-size "
                f"{plan.total_instances - there} or MAX_DATASET_INSTANCES={plan.total_instances - there}"
            ],
        )
