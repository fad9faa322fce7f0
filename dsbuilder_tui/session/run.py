"""One run of a session: announced at its start, saved at its end, however it ends."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import Checkpoint, Usage
from dsbuilder_tui.domain.case_pair import PAIR_NAMES
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, InputError
from dsbuilder_tui.domain.events import Notice, RunFinished, RunPaused, RunStarted
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import ASKED_TO_PAUSE, Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.domain.session_state import RunResult, SessionState
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.session.template_costs import template_costs_sentence
from dsbuilder_tui.settings.provider_names import OFFLINE, OPENAI
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.soundness import RUN_TABLES

if TYPE_CHECKING:
    from dsbuilder_tui.generation.batch_rounds import BatchRounds
    from dsbuilder_tui.generation.gate import Gate
    from dsbuilder_tui.generation.pipeline_result import PipelineResult
    from dsbuilder_tui.generation.run_driver import RunDriver

# What only a run's end needs, which may come when no file can be opened any more.
_AT_ITS_END = tuple(f"dsbuilder_tui.diversity.{name}" for name in ("metrics", "fingerprint_reader", "coverage_grid"))
_STATUS_PERIOD = 1.0  # seconds between notes for other processes


class Writer(Protocol):
    """Who writes the cases of a run: a model, or one whose answers were kept."""

    @property
    def name(self) -> str: ...
    @property
    def provider(self) -> str: ...
    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        """What a person should know of it beforehand, as levels and texts."""
        ...


@dataclass(frozen=True, slots=True)
class KeptWriter:
    """A model whose answers were kept: it writes nothing more."""

    name: str
    provider: str

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        """Nothing: what it wrote is there."""
        return []


class Run:
    """Has a driver fill a session's open slots. One instance per run."""

    def __init__(
        self,
        files: SessionFiles,
        config: DatasetBuilderConfig,
        model: Writer,
        driver: RunDriver,
        budget: Budget,
        measure: Callable[[bool], Awaitable[None]],
    ) -> None:
        """``measure`` announces how different the cases are; its argument says whether the run is about to finish."""
        self._files, self._config, self._model, self._measure = files, config, model, measure
        self._clock, self._store, self._emit, self._plan = files.clock, files.store, files.emit, files.plan
        self._budget, self._driver = budget, driver
        self._hurried = False

    async def execute(self) -> RunResult:
        """Raises ``SessionDamaged`` when what a run starts from is not what was written, ``InputError`` when the budget is
        used up, ``EndpointRefused``, ``EndpointUnavailable`` or ``StorageError``; what was accepted is saved.
        """
        for name in _AT_ITS_END:
            await asyncio.to_thread(importlib.import_module, name)
        try:
            return await self._execute()
        finally:
            self._driver.ready.set()

    @property
    def live(self) -> bool:
        """Whether it takes in decisions that a person makes."""
        return self._driver.live

    async def gate(self) -> Gate | None:
        """Who decides in this run, once it knows the past; None when it is about to end."""
        await self._driver.ready.wait()
        return self._driver.gate if self._driver.live else None

    def wake(self) -> None:
        self._driver.wake()

    async def _execute(self) -> RunResult:
        started = self._clock.monotonic()
        await self._files.require_sound(*RUN_TABLES)
        await self._check_budget()
        notices = [*self._model.check(self._plan), *self._budget_notices()]
        await self._announce()
        await self._files.tell(
            *(Notice(ts=self._clock.now(), level=NoticeLevel(level), text=text) for level, text in notices)
        )
        watch = asyncio.create_task(self._keep_status())
        try:
            outcome = await self._driver.run()
        except DsbuilderError as error:
            await self._stopped_by(error)
            raise
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return await self._conclude(outcome, started)

    async def _check_budget(self) -> None:
        self._budget.begin(await self._files.spending(self._config))
        budget = self._budget.limit
        if budget is not None and self._budget.used_up:
            raise InputError(
                f"The budget of {dollar_words(budget)} is used up ({dollar_words(self._budget.known)} spent).",
                "Raise it with --budget, /budget N in the studio, or in the settings.",
            )

    def _budget_notices(self) -> list[tuple[NoticeLevel, str]]:
        """That a budget cannot be kept, when it cannot."""
        budget, name = self._budget.limit, self._model.name
        if budget is None or self._budget.prices.price(name) is not None:
            return []
        text = (
            f"The price of {name} is unknown, so the budget of {dollar_words(budget)} cannot be kept; "
            "set the price under [prices] in the settings."
        )
        return [(NoticeLevel.WARNING, text)]

    def spent(self, dollars: float | None, usage: Usage) -> None:
        """The main agent has used tokens while this run goes on."""
        self._budget.add(dollars, usage)
        if self._driver.live:
            self._driver.keep_budget()

    def pause(self, why: Pause) -> None:
        self._driver.pause(why)

    def cancel_call(self, batch: int) -> bool:
        return self._driver.cancel_call(batch)

    def retry_call_now(self, batch: int) -> bool:
        return self._driver.retry_call_now(batch)

    @property
    def batch_rounds(self) -> BatchRounds | None:
        """The rounds of batch jobs, where that is how its calls are made."""
        return self._driver.rounds

    def places(self) -> tuple[RunnerPlace, ...]:
        return self._driver.places()

    def drop_in_flight(self) -> None:
        """Drop the work in flight, and leave the JSON export for the next time."""
        self._hurried = True
        self._driver.stop_draining()

    async def checkpoint(self, cause: CheckpointCause, *, name: str = "", note: str = "") -> Checkpoint:
        journal = self._driver.journal
        if journal is None:  # nothing has happened in this run yet
            return await self._files.checkpoint(cause, name=name, note=note)
        point = journal.checkpoint(cause, name=name, note=note)
        await journal.flush()
        return point

    async def _announce(self) -> None:
        model, progress = self._model, await self._store.progress.by_category()
        accepted = sum(p.accepted for p in progress.values())
        provider, resumed = model.provider, self._files.meta["state"] != SessionState.NEW
        if resumed and provider != self._files.meta.get("provider"):
            words = {OFFLINE: "the built-in offline writer", OPENAI: f"{model.name} at an endpoint"}
            text = f"This session was begun with another writer; from here on {words.get(provider, model.name)} writes."
            await self._files.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))
        await self._files.remember(
            state=SessionState.RUNNING, run_by=os.getpid(), provider=provider, worker_model=model.name
        )
        started = RunStarted(
            ts=self._clock.now(),
            session=self._files.id,
            dataset_name=self._plan.dataset_name,
            provider=provider,
            worker_model=model.name,
            planned=self._plan.total_instances,
            accepted=accepted,
            categories={c.name: {"planned": c.count, **asdict(progress[c.name])} for c in self._plan.categories},
            max_workers=self._config.workers,
            resumed=resumed,
        )
        await self._store.history.record(started)
        await self._files.note_status(running=True)
        self._emit(started)

    async def _conclude(self, result: PipelineResult, started: float) -> RunResult:
        finished, totals = result.finished, await self._store.progress.totals()
        accepted, exhausted = totals.accepted, totals.exhausted
        planned, seconds = self._plan.total_instances, self._clock.monotonic() - started
        state = SessionState.PAUSED
        if finished:
            state = SessionState.COMPLETE if accepted == planned else SessionState.SHORT
            await self._measure(True)
            await self._note_lacking()
            await self._note_missing_pairs()
            if said := await template_costs_sentence(self._files, self._config):
                await self._files.tell(Notice(ts=self._clock.now(), level=NoticeLevel.INFO, text=said))
        now = self._clock.now()
        end: RunFinished | RunPaused
        if finished:
            usage = await self._store.calls.usage()
            end = RunFinished(
                ts=now, accepted=accepted, planned=planned,
                rejected=totals.rejected, exhausted=exhausted, seconds=round(seconds, 3),
                prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens,
                dollars=self._budget.dollars,
            )  # fmt: skip
        else:
            why = result.pause or ASKED_TO_PAUSE
            end = RunPaused(
                ts=now, accepted=accepted, planned=planned, dropped_batches=result.dropped, reason=why.reason,
                cause=why.cause,
            )  # fmt: skip
        await self._save(CheckpointCause.FINISH if finished else CheckpointCause.PAUSE, state, end)
        return RunResult(state, accepted, planned, exhausted, seconds)

    async def _note_lacking(self) -> None:
        """Tell of cases without what the model was asked to write for each, but not held to."""
        optional: dict[str, list[str]] = {}
        for category in self._plan.categories:
            for written in self._plan.written_for(category):
                if written.optional and written.of_mlflow in (MlflowKey.FACTS, MlflowKey.GUIDELINES):
                    optional.setdefault(written.key, []).append(category.name)
        for key, names in optional.items():
            if count := await self._store.statistics.lacking(key, names):
                have = "has" if count == 1 else "have"
                text = (
                    f"{counted(count, 'case')} {have} no `{key}`: {self._model.name} left it out, and the scorers of MLflow "
                    f"that read it cannot score {'it' if count == 1 else 'them'}. With `write: [{key}]` in the plan it is "
                    "asked for until it is there; or take a model that follows a schema."
                )
                await self._files.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))

    async def _note_missing_pairs(self) -> None:
        """Tell of pairs that were planned and are none: a partner was given up, or its original was, or left later."""
        for category in self._plan.categories:
            if not category.pairs:
                continue
            there = await self._store.statistics.partners(category.name)
            for kind, planned in category.pairs.counts(category.count).items():
                if (found := there.get(kind, 0)) < planned:
                    text = (
                        f"{category.name} has {found} of {counted(planned, PAIR_NAMES[kind])}: the other partners were given up, "
                        "or stand as cases of their own because the case that they belong to was given up, had left, or was "
                        "written before pairs were asked for."
                    )
                    await self._files.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))

    async def _stopped_by(self, error: DsbuilderError) -> None:
        """The run cannot go on; leave the session paused, unless the disk will not take even that."""
        notice = Notice(ts=self._clock.now(), level=NoticeLevel.ERROR, text=str(error))
        if error.exit_code is ExitCode.FAILED:
            self._emit(notice)
            return
        await self._files.tell(notice)
        accepted = (await self._store.progress.totals()).accepted
        end = RunPaused(
            ts=self._clock.now(), accepted=accepted, planned=self._plan.total_instances, dropped_batches=0,
            reason=error.problem, cause=PauseCause.FAILURE,
        )  # fmt: skip
        await self._save(CheckpointCause.PAUSE, SessionState.PAUSED, end)

    async def _save(self, cause: CheckpointCause, state: SessionState, end: RunFinished | RunPaused) -> None:
        checkpointing = self._config.enable_checkpointing
        if checkpointing:
            await self.checkpoint(cause)
        await self._files.conclude(cause, state, export=checkpointing and not self._hurried, end=end)
        self._emit(replace(end, ts=self._clock.now()))

    async def flush(self) -> None:
        """Have everything decided so far written and announced."""
        if self._driver.journal is not None:
            await self._driver.journal.flush()

    async def _keep_status(self) -> None:
        while True:
            await asyncio.sleep(_STATUS_PERIOD)
            await self._files.note_status(running=True)
