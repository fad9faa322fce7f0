"""Results of evaluations of the application: what scorers said of each case, and how often it passed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

EASY = "easy"
"""The tag of a case that the application passes each time."""
LEAST_RUNS_OF_EASY = 2
_YES = frozenset({"yes", "true", "pass", "passed", "correct"})
_NO = frozenset({"no", "false", "fail", "failed", "incorrect"})


class CaseOutcome(StrEnum):
    """What came of a case in one evaluation."""

    ERROR = "error"  # the application raised
    FAILED = "failed"  # a scorer turned its answer down
    PASSED = "passed"  # all scorers that say yes or no said yes
    UNSCORED = "unscored"  # no scorer said yes or no


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one scorer said of one answer. ``why`` is its reason; ``broken``: it failed at its work, and said nothing."""

    scorer: str
    value: bool | float | str | None
    why: str = ""
    broken: bool = False

    def passed(self, thresholds: Mapping[str, float]) -> bool | None:
        """Whether the answer passes; None for what is neither yes nor no, such as a number without a threshold."""
        if self.broken or self.value is None:
            return None
        if isinstance(self.value, bool):
            return self.value
        if isinstance(self.value, str):
            said = self.value.strip().casefold()
            return True if said in _YES else False if said in _NO else None
        least = thresholds.get(self.scorer)
        return None if least is None or math.isnan(self.value) else self.value >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of one case in one evaluation. ``case_seq`` is the case's place in the session's history."""

    case_seq: int
    raised: bool
    scores: tuple[Assessment, ...]

    def outcome(self, thresholds: Mapping[str, float]) -> CaseOutcome:
        if self.raised:
            return CaseOutcome.ERROR
        said = [score.passed(thresholds) for score in self.scores]
        if False in said:
            return CaseOutcome.FAILED
        return CaseOutcome.PASSED if True in said else CaseOutcome.UNSCORED

    def failures(self, thresholds: Mapping[str, float]) -> list[Assessment]:
        """The scores that turned the answer down."""
        return [score for score in self.scores if score.passed(thresholds) is False]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """One run of ``mlflow.genai.evaluate`` on cases of the session. Times are seconds since 1970.

    ``version`` is what MLflow knows of the application's version: a model, an agent, or a digest of its code; empty for
    nothing. ``unmatched`` counts traces that belong to no case of this session, or to one that says something else by now.
    """

    run_id: str
    name: str
    version: str
    started_at: float
    ended_at: float | None
    cases: int
    unmatched: int = 0


@dataclass(slots=True)
class PassCount:
    """How many cases passed, failed, and made the application raise; ``unscored`` ones say nothing."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    unscored: int = 0

    def add(self, outcome: CaseOutcome) -> None:
        match outcome:
            case CaseOutcome.PASSED:
                self.passed += 1
            case CaseOutcome.FAILED:
                self.failed += 1
            case CaseOutcome.ERROR:
                self.errors += 1
            case CaseOutcome.UNSCORED:
                self.unscored += 1

    @property
    def judged(self) -> int:
        """Answers that scorers said yes or no to."""
        return self.passed + self.failed

    @property
    def bad(self) -> int:
        """Cases that the application does not master: it failed, or raised."""
        return self.failed + self.errors

    @property
    def rate(self) -> float | None:
        """The share of the judged answers that passed; None without any. Errors of the application count apart."""
        return self.passed / self.judged if self.judged else None

    @property
    def certain_failure(self) -> float:
        """The share of cases that it does not master, as far as so many cases tell: the lower end of Wilson's interval at
        one standard deviation. One failure of one case is 0.50, five of five 0.83, one of ten 0.04."""
        return wilson_lower(self.bad, self.passed + self.bad)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rate": None if self.rate is None else round(self.rate, 4)}


def wilson_lower(hits: int, tries: int, z: float = 1.0) -> float:
    """The lower end of Wilson's interval for a share, at ``z`` standard deviations; 0 without tries."""
    if not tries:
        return 0.0
    share, weight = hits / tries, z * z / tries
    middle = share + weight / 2
    width = z * math.sqrt(share * (1 - share) / tries + weight / (4 * tries))
    return max(0.0, (middle - width) / (1 + weight))


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One evaluation, counted. ``unclear`` are scorers whose values are numbers without a threshold; ``broken`` those that
    failed at their work, with how often."""

    run: EvaluationRun
    count: PassCount
    scorers: Mapping[str, PassCount] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()
    broken: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self.run), **self.count.as_dict(),
            "scorers": {name: count.as_dict() for name, count in self.scorers.items()},
            "unclear": list(self.unclear), "broken": dict(self.broken),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FailingCell:
    """Cases of one category with the same attribute values, some of which fail. ``cases`` are the ordinals of those that
    do, ``count`` counts all that were evaluated."""

    category: str
    attributes: Mapping[str, str]
    count: PassCount
    cases: tuple[int, ...]

    @property
    def words(self) -> str:
        values = ", ".join(self.attributes.values())
        return f"{self.category} ({values})" if values else self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFigures:
    """How the application does on the session's cases: of each case what its newest evaluation said.

    ``attributes``: category → axis → value; ``sources``: the document or file of rows, and which part of it; ``easy``
    counts cases that passed each of at least two evaluations. ``runs`` are the newest first.
    """

    runs: tuple[RunFigures, ...] = ()
    overall: PassCount = field(default_factory=PassCount)
    categories: Mapping[str, PassCount] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Mapping[str, PassCount]]] = field(default_factory=dict)
    sources: Mapping[str, PassCount] = field(default_factory=dict)
    failing: tuple[FailingCell, ...] = ()
    easy: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "runs": [run.as_dict() for run in self.runs],
            "overall": self.overall.as_dict(),
            "categories": {name: count.as_dict() for name, count in self.categories.items()},
            "attributes": {
                name: {axis: {v: c.as_dict() for v, c in values.items()} for axis, values in axes.items()}
                for name, axes in self.attributes.items()
            },
            "sources": {name: count.as_dict() for name, count in self.sources.items()},
            "failing": [
                {
                    "category": cell.category,
                    "attributes": dict(cell.attributes),
                    **cell.count.as_dict(),
                    "cases": list(cell.cases),
                }
                for cell in self.failing
            ],
            "easy": self.easy,
        }


def worst_first(cells: Iterable[FailingCell], categories: Mapping[str, PassCount]) -> list[FailingCell]:
    """Cells by the share of their cases that certainly fails, the worst first; of equals those of the worse category."""

    def rank(cell: FailingCell) -> tuple[float, float, str, str]:
        whole = categories[cell.category].certain_failure
        return -cell.count.certain_failure, -whole, cell.category, "\x1f".join(cell.attributes.values())

    return sorted((cell for cell in cells if cell.cases), key=rank)


def share_out(cells: Iterable[FailingCell], many: int) -> list[tuple[FailingCell, int]]:
    """How many of so many new cases each of the worst cells gets: at most one cell a case, each by its number of failures.

    ``cells`` stand the worst first. What shares leave over goes to the largest remainders, of equals to the worst cell.
    """
    chosen = list(cells)[:many]
    total = sum(len(cell.cases) for cell in chosen)
    if not total:
        return []
    spare = many - len(chosen)  # each has one
    exact = [spare * len(cell.cases) / total for cell in chosen]
    given = [1 + int(share) for share in exact]
    order = sorted(range(len(chosen)), key=lambda place: (int(exact[place]) - exact[place], place))
    for place in order[: many - sum(given)]:
        given[place] += 1
    return list(zip(chosen, given, strict=True))
