"""A session rebuilt from its dataset and run in MLflow, or begun with the rows of a dataset of somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import AcceptedCase, Exhausted
from dsbuilder_tui.domain.case_pair import PairSide, pair_of
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import ConfigError, InputError
from dsbuilder_tui.domain.judging import verdict_of
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.session.files import SessionFiles, SessionFill
from dsbuilder_tui.settings.key_trust import foreign_tracking, refusal
from dsbuilder_tui.settings.schema import SEALED, SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.stack import SettingsStack
from dsbuilder_tui.settings.urls import without_login
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.row_import import import_rows
from dsbuilder_tui.store.catalog import SESSION_FILE, session_folders
from dsbuilder_tui.store.imports.import_format import ImportedDataset
from dsbuilder_tui.store.outbox_triggers import LOGGED
from dsbuilder_tui.store.rebuilt import kept_value, restore_removed, restore_revisions
from dsbuilder_tui.store.rows import CaseVerdict, Changes, RemovedText
from dsbuilder_tui.tracking.case_record import case_of_record
from dsbuilder_tui.tracking.logged_session import LoggedSession
from dsbuilder_tui.tracking.mlflow_target import KEPT_IDS
from dsbuilder_tui.tracking.stored_dataset import StoredDataset, StoredSession

_OF_MLFLOW = ("incremental_mlflow_logging", "mlflow_tracking_uri", "mlflow_experiment", "mlflow_trace_calls")
_MOST_RETIRED = 1_000_000


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A session, open; what a person should know of how it came about, and of where what it writes goes."""

    session: Session
    notes: tuple[str, ...]
    goes_on: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """All there is to say."""
        return (*self.notes, self.goes_on) if self.goes_on else self.notes


def find_stored(name: str, config: DatasetBuilderConfig) -> StoredDataset:
    """The dataset of that name or id at the MLflow of the settings. It is waited for.

    Raises ``InputError`` where there is none, or several; ``MlflowUnavailable``; ``ConfigError`` for an address that a folder
    names and nobody has allowed.
    """
    if foreign := foreign_tracking(config, reading=True):
        raise refusal(foreign)
    return StoredDataset(config.tracking_uri, name)


@contextlib.contextmanager
def stored_rows(dataset: StoredDataset) -> Iterator[Path]:
    """The records of a dataset as a file of rows, for as long as it is read. Raises ``InputError`` where there are none."""
    if not dataset.records:
        raise InputError(f"The dataset {dataset.name} holds no records.", "Name one that has some.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{dataset.name.replace('/', ' ').strip(' .')[:100] or 'dataset'}.jsonl"
        dataset.write_rows(path)
        yield path


def session_of(dataset: StoredDataset, root: Path) -> Path | None:
    """The folder of the session of this directory that writes a dataset."""
    for folder in session_folders(root):
        kept = kept_value(folder / SESSION_FILE, KEPT_IDS)
        if isinstance(kept, Mapping) and kept.get("session") == dataset.session:
            return folder
    return None


async def open_stored(name: str, config: DatasetBuilderConfig, clock: Clock | None = None) -> Rebuilt:
    """The session of a dataset in MLflow: the one of this directory that writes it, else one rebuilt from it, or begun with its
    records. Raises as ``find_stored`` and ``rebuild``.
    """
    dataset = await asyncio.to_thread(find_stored, name, config)
    if not dataset.session:
        imported = await asyncio.to_thread(rows_of, dataset)
        session = await Session.create(imported.plan, config, clock=clock, imported=imported)
        return Rebuilt(session, tuple(imported.notes))
    if (folder := session_of(dataset, config.checkpoint_root)) is not None:
        return Rebuilt(await Session.open(folder, config, clock=clock), ())
    return await rebuild(dataset, config, clock=clock)


def rows_of(dataset: StoredDataset, choice: FieldChoice | None = None) -> ImportedDataset:
    """The records of a dataset as rows, whoever made it. Raises as ``import_rows``."""
    with stored_rows(dataset) as path:
        return import_rows(path, choice)


async def rebuild(
    dataset: StoredDataset, config: DatasetBuilderConfig, *, as_copy: bool = False, clock: Clock | None = None
) -> Rebuilt:
    """The session that wrote a dataset, as it was, as far as MLflow holds it; it goes on in the same dataset and run.

    With ``as_copy`` it is a session of its own, which is logged to a dataset of its own. Raises ``InputError`` when a session of
    the directory writes the dataset already, or when MLflow does not hold the plan; ``MlflowUnavailable``; and as
    ``Session.create``. Nothing is left behind then.
    """
    if not as_copy and (folder := session_of(dataset, config.checkpoint_root)) is not None:
        raise InputError(
            f"The session {folder.name} writes the dataset {dataset.name} already.",
            f"Go on with it (`dsbuilder resume {folder.name}`), or have a copy that is logged to a dataset of its own: "
            "--as-copy.",
        )
    stored = await asyncio.to_thread(dataset.stored_session)
    filling = _Filling(dataset, stored, config, as_copy=as_copy)
    fill = SessionFill(cases=stored.records, seed=stored.seed, into=filling.into)
    files = await SessionFiles.create(stored.plan, config, clock or SystemClock(), fill=fill)
    try:
        goes_on = "" if as_copy else f"what is written from now on goes into the dataset {dataset.name} ({dataset.id})"
        return Rebuilt(Session(files, config), tuple(filling.notes), goes_on)
    except BaseException:
        await files.close()
        raise


class _Slots:
    """Which slots of a plan are still free."""

    def __init__(self, plan: DatasetPlanInput, retired: Mapping[str, list[int]]) -> None:
        self._plan = plan
        self._last = {one.name: one.count + len(retired.get(one.name, ())) for one in plan.categories}
        self._taken = {name: set(retired.get(name, ())) for name in self._last}

    def fits(self, case: AcceptedCase) -> bool:
        """Whether a case has a free slot, and is what the plan wants there."""
        if not 1 <= case.ordinal <= self._last.get(case.category, 0) or case.ordinal in self._taken[case.category]:
            return False
        kind = self._plan.category(case.category).kind
        return case.kind is kind and not kind.odd_fields(self._plan.input_fields, case.inputs)

    def take(self, case: AcceptedCase) -> None:
        self._taken[case.category].add(case.ordinal)


class _Filling:
    """Takes a stored session into the file of a new one, a page at a time."""

    def __init__(
        self, dataset: StoredDataset, stored: StoredSession, config: DatasetBuilderConfig, *, as_copy: bool
    ) -> None:
        self._dataset, self._stored, self._config, self._as_copy = dataset, stored, config, as_copy
        self._plan = stored.plan
        self._places = {revision.seq for revision in stored.revisions}
        self._last = max(self._places)
        self._of_others = self._unfit = 0
        self.notes: list[str] = []

    async def into(self, files: SessionFiles) -> None:
        """All of it, but for the folder's name."""
        store, stored = files.store, self._stored
        retired = await self._retired()
        slots, later = _Slots(self._plan, retired), 0
        await restore_revisions(store.connection, stored.revisions)
        files.plan_revision = stored.revisions[-1].number
        async for page in self._pages():
            now = []
            for case in page:
                if case is None:
                    self._of_others += 1
                elif not slots.fits(case):
                    self._unfit += 1
                elif self._comes_later(case):
                    later += 1
                else:
                    slots.take(case)
                    now.append(self._placed(case))
            await store.commit(self._changes(now))
        if later:  # read again rather than kept: they may be half of all
            await self._take_later(files, slots, later)
        await store.connection.load()  # from here on places behind all of these are given out
        await self._rest(files, retired)

    async def _take_later(self, files: SessionFiles, slots: _Slots, expected: int) -> None:
        async for page in self._pages():
            now = []
            for case in page:
                if case is not None and slots.fits(case):
                    slots.take(case)
                    now.append(self._placed(case))
            expected -= len(now)
            await files.store.commit(self._changes(now))
        self._unfit += max(0, expected)

    def _comes_later(self, case: AcceptedCase) -> bool:
        """A partner joins its original, which must be there; what has no place of its own comes behind all others."""
        pair = pair_of(case.tags)
        return not case.seq or case.seq in self._places or (pair is not None and pair.side is PairSide.PARTNER)

    def _placed(self, case: AcceptedCase) -> AcceptedCase:
        seq = case.seq if case.seq and case.seq not in self._places else self._last + 1
        self._places.add(seq)
        self._last = max(self._last, seq)
        category = self._plan.category(case.category)
        return replace(
            case, seq=seq, structure=structure_hash(case.inputs, category.kind) if category.compared else None
        )

    @staticmethod
    def _changes(cases: list[AcceptedCase]) -> Changes:
        verdicts = [
            CaseVerdict(
                seq=case.seq, category=case.category, ordinal=case.ordinal, case_seq=case.seq, inputs=case.inputs,
                expectations=case.expectations, verdict=verdict, created_at=case.created_at,
            )
            for case in cases
            if (verdict := verdict_of(case.tags)) is not None
        ]  # fmt: skip
        return Changes(accepted=cases, verdicts=verdicts)

    async def _pages(self) -> AsyncIterator[list[AcceptedCase | None]]:
        """The records as cases, some at a time; None for one that is no case of this session."""
        pages = self._dataset.pages(self._stored)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            yield [case_of_record(record, self._dataset.session) for record in page]

    async def _retired(self) -> dict[str, list[int]]:
        """The slots that revisions took out. Where nobody has noted them: empty ones before the last that is filled."""
        kept, counts = self._stored.kept, {category.name: category.count for category in self._plan.categories}
        if kept is not None:
            return {
                name: sorted({n for first, last in stretches for n in range(first, last + 1)})
                for name, stretches in kept.retired.items()
                if name in counts and stretches and sum(last - first for first, last in stretches) < _MOST_RETIRED
            }
        taken: dict[str, set[int]] = {name: set() for name in counts}
        async for page in self._pages():
            for case in page:
                if (
                    case is not None
                    and case.category in taken
                    and case.ordinal <= counts[case.category] + _MOST_RETIRED
                ):
                    taken[case.category].add(case.ordinal)
        return {
            name: _holes(filled, max(filled) - counts[name])
            for name, filled in taken.items()
            if filled and max(filled) > counts[name]
        }

    async def _rest(self, files: SessionFiles, retired: Mapping[str, list[int]]) -> None:
        """What else the session had; and that it is this one that writes the dataset from now on."""
        store, kept = files.store, self._stored.kept
        await store.slots.retire(retired)
        if kept is not None:
            await self._restore(files, kept)
        await self._keep_settings(files)
        totals = await store.progress.totals()
        left = self._plan.total_instances - totals.accepted - totals.exhausted
        ended = SessionState.SHORT if totals.exhausted else SessionState.COMPLETE
        await files.checkpoint(CheckpointCause.IMPORT)
        await files.remember(state=SessionState.PAUSED if left else ended)
        self._tell()
        await store.history.remember("imported", cases=totals.accepted, notes=list(self.notes))
        if not self._as_copy:
            ids = replace(self._stored.ids, uri=_shown(self._config))
            await files.remember(**{KEPT_IDS: {**ids.as_dict(), "finished": False}, LOGGED: True})
            await asyncio.to_thread(self._dataset.claim, ids)

    async def _restore(self, files: SessionFiles, kept: LoggedSession) -> None:
        store, names = files.store, {category.name for category in self._plan.categories}
        filled = (await store.slots.ledger_rows()).filled
        given_up = {(one.category, one.ordinal) for one in kept.exhausted}
        there = {(name, slot[0]) for name, slots in filled.items() for slot in slots if (name, slot[0]) in given_up}
        gave_up = [
            Exhausted(store.next_seq(), one.category, one.ordinal, one.attempts, one.reason)
            for one in kept.exhausted
            if one.category in names and (one.category, one.ordinal) not in there
        ]
        await store.commit(Changes(exhausted=gave_up))
        removed = [RemovedText(0, one.category, one.ordinal, one.inputs, one.expectations) for one in kept.removed]
        await restore_removed(store.connection, removed, "taken out before the session was rebuilt")
        await files.remember(provider=kept.provider, worker_model=kept.worker_model)

    async def _keep_settings(self, files: SessionFiles) -> None:
        """What was set for the session, without what says where things go and who may spend what: that is said here."""
        own, kept = dict(files.meta.get("settings") or {}), self._stored.kept
        said = dict(kept.settings) if kept is not None else {}
        theirs = {
            name: value
            for name, value in said.items()
            if name in DatasetBuilderConfig.model_fields and name not in (*SEALED, *SECRETS, *_OF_MLFLOW)
        }
        try:
            SettingsStack.over(self._config, {**theirs, **own})
        except ConfigError as error:
            self.notes.append(f"its settings are left out: {error.problem}")
            theirs = {}
        if left := sorted({*said} & {*SEALED} - {*own, *_OF_MLFLOW}):
            self.notes.append(f"set there, and left for you to say: {', '.join(left)}")
        seals = dict(files.meta.get("seals") or {})
        if not self._as_copy:
            own |= {"incremental_mlflow_logging": True, "mlflow_experiment": self._stored.ids.experiment}
            if (uri := self._config.mlflow_tracking_uri) is not None and without_login(uri) == uri:
                own["mlflow_tracking_uri"] = uri
                seals = files.seals_with("mlflow_tracking_uri", uri)
        await files.remember(settings={**theirs, **own}, seals=seals)

    def _tell(self) -> None:
        if self._stored.kept is None:
            self.notes.append("its run does not say which slots were given up, nor what was set for the session")
        if self._of_others:
            self.notes.append(f"{counted(self._of_others, 'record')} of somebody else left where they are")
        if self._unfit:
            self.notes.append(f"{counted(self._unfit, 'record')} left out, for which the plan has no free slot")


def _holes(filled: set[int], most: int) -> list[int]:
    """The last numbers that are missing below the highest, so many at most, in order."""
    missing = (ordinal for ordinal in range(max(filled), 0, -1) if ordinal not in filled)
    return sorted(islice(missing, most))


def _shown(config: DatasetBuilderConfig) -> str:
    return without_login(config.tracking_uri) or config.tracking_uri
