"""Results of evaluations in MLflow, of the session's cases: read back, kept in the session file, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.evaluation import Assessment, CaseResult, EvaluationFigures, EvaluationRun, PassCount
from dsbuilder_tui.domain.events import CaseEdited, ResultsRead
from dsbuilder_tui.session.evaluation_counts import EvaluationCounts
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.tracking import tracked_ids
from dsbuilder_tui.settings.key_trust import foreign_tracking, refusal
from dsbuilder_tui.tracking.evaluation_records import input_key
from dsbuilder_tui.tracking.evaluation_results import EvaluationResults, FoundResult, FoundRun
from dsbuilder_tui.tracking.mlflow_client import told_in_words
from dsbuilder_tui.tracking.mlflow_process import MlflowLine, mlflow_process
from dsbuilder_tui.tracking.played_scenario import PlayedScenario, scenario_of

_REST = 60.0  # seconds that reading unasked leaves MLflow alone


@dataclass(frozen=True, slots=True)
class ResultsReading:
    """What one look at MLflow brought: ``found`` runs are about cases of the session; ``changed`` were new, or say something
    else now."""

    found: int
    changed: int
    figures: EvaluationFigures


class SessionResults:
    """Reads evaluations of the session's dataset. Nothing of it runs on the event loop but the asking."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._reading = asyncio.Lock()
        self._looked_at: float | None = None

    async def figures(self) -> EvaluationFigures:
        """What is known of the evaluations that were read, counted anew. Reads the evaluated cases; MLflow is not asked."""
        context = self._context
        table = context.files.store.evaluations
        runs = await table.runs()
        if not runs:
            return EvaluationFigures()
        counts = EvaluationCounts(runs, context.categories(), context.config.score_thresholds)
        after = 0
        while page := await table.page(after):
            await asyncio.to_thread(counts.add, page)
            after = page[-1].seq
        return await asyncio.to_thread(counts.figures)

    async def read(self, *, everything: bool = True) -> ResultsReading:
        """Read what MLflow has, and tag the cases that are easy. Reading twice changes nothing.

        Runs that had ended when they were read are read again only with ``everything``: people may have judged answers since.
        Raises ``MlflowUnavailable`` where it cannot be read, ``ConfigError`` for an address that is not allowed, or
        ``StorageError`` where the session lies where nothing can be written.
        """
        context = self._context
        if foreign := foreign_tracking(context.config, reading=True):
            raise refusal(foreign)
        async with self._reading:
            line = MlflowLine(context.config.tracking_uri)
            try:
                found, changed = await self._read(line, everything=everything)
            finally:
                mlflow_process().end(line)
            self._looked_at = context.clock.monotonic()
            table = context.files.store.evaluations
            tagged = await table.mark_easy(context.config.score_thresholds)
            figures = await self.figures()
        if changed or tagged:
            await self._tell(changed, figures)
        return ResultsReading(found, changed, figures)

    async def read_unasked(self) -> ResultsReading | None:
        """Read what is new, where the session is logged and MLflow was not looked at for a minute; None otherwise."""
        context, ids = self._context, tracked_ids(self._context)
        if ids is None or not ids.datasets or not context.config.logs_to_mlflow or context.files.read_only:
            return None
        if foreign_tracking(context.config):
            return None
        if self._looked_at is not None and context.clock.monotonic() < self._looked_at + _REST:
            return None
        return await self.read(everything=False)

    async def _read(self, line: MlflowLine, *, everything: bool) -> tuple[int, int]:
        context, config = self._context, self._context.config
        ids, table = tracked_ids(context), context.files.store.evaluations
        datasets = tuple(ids.datasets.values()) if ids is not None else ()
        with told_in_words(config.tracking_uri):
            plan = context.plan
            shapes = tuple({tuple(category.kind.fields(plan.input_fields)) for category in plan.categories})
            results = EvaluationResults(
                config.tracking_uri, ids.session if ids is not None else "", config.mlflow_experiment, shapes
            )
            runs = await mlflow_process().call(line, results.runs, datasets)
            known = {run.run_id: run for run in (await table.runs()).values()}
            changed = 0
            for run in runs:
                before = known.get(run.run_id)
                if before is None or before.ended_at is None or everything:
                    changed += await self._read_run(line, results, run)
        there = {run.run_id for run in (await table.runs()).values() if run.cases}
        return sum(run.run_id in there for run in runs), changed

    async def _read_run(self, line: MlflowLine, results: EvaluationResults, run: FoundRun) -> bool:
        found: dict[int, CaseResult] = {}
        by_inputs: list[FoundResult] = []
        played: list[tuple[PlayedScenario, FoundResult]] = []
        unmatched = 0
        async for page in _pages(line, results, run):
            own = await self._still_said(page, run)
            for one in page:
                if one.case_seq is not None and one.case_seq in own:
                    _put(found, one.case_seq, one)
                elif one.scenario is not None:
                    played.append((one.scenario, one))
                elif one.keys:
                    by_inputs.append(one)
                else:
                    unmatched += 1
        places = await self._places_of({key for one in by_inputs for key in one.keys}) if by_inputs else {}
        for one in by_inputs:
            if (seq := next((places[key] for key in one.keys if key in places), None)) is not None:
                _put(found, seq, one)
            else:
                unmatched += 1
        scenarios = await self._scenarios({scenario.goal for scenario, _ in played}) if played else []
        for scenario, one in played:
            if (seq := scenario.case_among(scenarios)) is not None:
                _put(found, seq, one)
            else:
                unmatched += 1
        return await self._context.files.store.evaluations.write(
            EvaluationRun(
                run_id=run.run_id, name=run.name, version=run.version, started_at=run.started_at, ended_at=run.ended_at,
                cases=len(found), unmatched=unmatched,
            ),
            found.values(),
        )  # fmt: skip

    async def _still_said(self, page: Sequence[FoundResult], run: FoundRun) -> set[int]:
        """Those of the cases named in a page that say what was evaluated: nobody has edited them since, and what was shown of
        the inputs, where it was shown whole, are theirs."""
        named = {one.case_seq: one.keys for one in page if one.case_seq is not None}
        store = self._context.files.store
        cases = await store.cases.by_seq(list(named))
        edited = await store.history.edited_since(CaseEdited.type, run.started_at)

        def same(case: AcceptedCase) -> bool:
            keys = named[case.seq]
            return case.seq not in edited and (not keys or input_key(case.inputs) in keys)

        return {case.seq for case in cases if not case.damaged and same(case)}

    async def _places_of(self, keys: set[str]) -> Mapping[str, int]:
        """The cases with these inputs, by the keys of those. Reads the dataset, a page at a time."""
        context, found = self._context, dict[str, int]()
        async for page in context.files.store.cases.pages(context.categories(), damaged=[]):
            here = await asyncio.to_thread(lambda cases: [(input_key(case.inputs), case.seq) for case in cases], page)
            found |= {key: seq for key, seq in here if key in keys}
        return found

    async def _scenarios(self, goals: set[str]) -> list[tuple[PlayedScenario, int]]:
        """The cases that are scenarios with one of these goals. Reads the dataset, a page at a time."""
        context, found = self._context, list[tuple[PlayedScenario, int]]()
        async for page in context.files.store.cases.pages(context.categories(), damaged=[]):
            for case in page:
                if (
                    case.kind is CaseKind.SCENARIO
                    and (one := scenario_of(case.inputs)) is not None
                    and one.goal in goals
                ):
                    found.append((one, case.seq))
        return found

    async def _tell(self, changed: int, figures: EvaluationFigures) -> None:
        files, overall = self._context.files, figures.overall
        worst = min(figures.categories.items(), key=_rate, default=("", PassCount()))
        await files.tell(
            ResultsRead(
                ts=files.clock.now(), evaluations=changed, cases=overall.passed + overall.bad + overall.unscored,
                passed=overall.passed, failed=overall.failed, errors=overall.errors, easy=figures.easy,
                worst=worst[0] if worst[1].bad else "", worst_bad=worst[1].bad, worst_cases=worst[1].passed + worst[1].bad,
            )
        )  # fmt: skip


def _rate(named: tuple[str, PassCount]) -> float:
    return -named[1].certain_failure


async def _pages(line: MlflowLine, results: EvaluationResults, run: FoundRun) -> AsyncIterator[list[FoundResult]]:
    token: str | None = None
    while True:
        page, token = await mlflow_process().call(line, results.page, run, token)
        yield page
        if token is None:
            return


def _put(found: dict[int, CaseResult], seq: int, one: FoundResult) -> None:
    """Of several traces of a case all scores count, and it raised when one did."""
    before = found.get(seq)
    scores: tuple[Assessment, ...] = one.scores if before is None else (*before.scores, *one.scores)
    raised = one.raised or (before is not None and before.raised)
    found[seq] = CaseResult(case_seq=seq, raised=raised, scores=scores)
