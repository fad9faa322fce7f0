"""The counting of evaluations: pages of evaluated cases go in, figures come out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.evaluation import (
    CaseOutcome,
    CaseResult,
    EvaluationFigures,
    EvaluationRun,
    FailingCell,
    PassCount,
    RunFigures,
    worst_first,
)
from dsbuilder_tui.domain.evidence import SOURCES
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.store.evaluations import EvaluatedCase

_MOST_SOURCES = 1000  # that are counted one by one
_Cell = tuple[str, tuple[tuple[str, str], ...]]


class _RunCount:
    def __init__(self) -> None:
        self.count = PassCount()
        self.scorers: dict[str, PassCount] = {}
        self.unclear: set[str] = set()
        self.broken: dict[str, int] = {}

    def add(self, result: CaseResult, thresholds: Mapping[str, float]) -> None:
        self.count.add(result.outcome(thresholds))
        for score in result.scores:
            passed = score.passed(thresholds)
            if passed is not None:
                outcome = CaseOutcome.PASSED if passed else CaseOutcome.FAILED
                self.scorers.setdefault(score.scorer, PassCount()).add(outcome)
            elif score.broken:
                self.broken[score.scorer] = self.broken.get(score.scorer, 0) + 1
            elif isinstance(score.value, float):
                self.unclear.add(score.scorer)


class EvaluationCounts:
    """Counts one case after another. Of a case with several results the newest that says something counts."""

    def __init__(self, runs: Mapping[int, EvaluationRun], categories: Sequence[str], thresholds: Mapping[str, float]):
        """``runs`` by their numbers, the oldest first; cases of other ``categories`` are left out."""
        self._runs, self._thresholds = runs, thresholds
        self._by_run = {number: _RunCount() for number in runs}
        self._overall = PassCount()
        self._categories = {name: PassCount() for name in categories}
        self._attributes: dict[str, dict[str, dict[str, PassCount]]] = {}
        self._sources: dict[str, PassCount] = {}
        self._cells: dict[_Cell, tuple[PassCount, list[int]]] = {}
        self._easy = 0

    def add(self, cases: Iterable[EvaluatedCase]) -> None:
        for case in cases:
            for number, result in case.results:
                self._by_run[number].add(result, self._thresholds)
            if case.category in self._categories:
                self._count(case, _newest(case, self._thresholds))
                self._easy += case.is_easy(self._thresholds)

    def _count(self, case: EvaluatedCase, outcome: CaseOutcome) -> None:
        self._overall.add(outcome)
        self._categories[case.category].add(outcome)
        values = attributes_of(case.tags)
        axes = self._attributes.setdefault(case.category, {})
        for axis, value in values.items():
            axes.setdefault(axis, {}).setdefault(value, PassCount()).add(outcome)
        for source in sources_of(case.tags):
            if source in self._sources or len(self._sources) < _MOST_SOURCES:
                self._sources.setdefault(source, PassCount()).add(outcome)
        count, failing = self._cells.setdefault((case.category, tuple(values.items())), (PassCount(), []))
        count.add(outcome)
        if outcome in (CaseOutcome.FAILED, CaseOutcome.ERROR):
            failing.append(case.ordinal)

    def figures(self) -> EvaluationFigures:
        runs = [
            RunFigures(run, one.count, dict(sorted(one.scorers.items())), tuple(sorted(one.unclear)), one.broken)
            for number, run in self._runs.items()
            for one in (self._by_run[number],)
            if run.cases
        ]
        cells = (
            FailingCell(category, dict(values), count, tuple(failing))
            for (category, values), (count, failing) in self._cells.items()
        )
        return EvaluationFigures(
            runs=tuple(reversed(runs)),
            overall=self._overall,
            categories={name: count for name, count in self._categories.items() if count != PassCount()},
            attributes=self._attributes,
            sources=dict(sorted(self._sources.items(), key=lambda one: (-one[1].certain_failure, one[0]))),
            failing=tuple(worst_first(cells, self._categories)),
            easy=self._easy,
        )


def _newest(case: EvaluatedCase, thresholds: Mapping[str, float]) -> CaseOutcome:
    outcomes = [result.outcome(thresholds) for _, result in reversed(case.results)]
    return next((one for one in outcomes if one is not CaseOutcome.UNSCORED), CaseOutcome.UNSCORED)


def attributes_of(tags: Mapping[str, Any]) -> dict[str, str]:
    """The attribute values in the tags of a case; none where there are none."""
    found = tags.get("attributes")
    return {str(axis): str(value) for axis, value in found.items()} if isinstance(found, Mapping) else {}


def sources_of(tags: Mapping[str, Any]) -> Collection[str]:
    """What a case was written from: the sections of documents, the row of a file; in words."""
    given = tags.get(SOURCES)
    found = [
        f"{one.get('document', '')} · {one['heading']}" if one.get("heading") else str(one.get("document", ""))
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, Mapping)
    ]
    if (row := row_of(tags)) is not None:
        found.append(row.place)
    return dict.fromkeys(found)
