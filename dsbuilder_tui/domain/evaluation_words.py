"""Results of evaluations in lines, for whatever shows them. Names in them are foreign text."""

from __future__ import annotations

from datetime import UTC, datetime

from dsbuilder_tui.domain.evaluation import EvaluationFigures, PassCount, RunFigures
from dsbuilder_tui.domain.events import ResultsRead
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible

_MOST_CELLS, _MOST_SOURCES, _MOST_VALUES = 5, 5, 5
_LEAST_TELLING = 3  # cases with a value, below which nothing is said of it


def pass_words(count: PassCount) -> str:
    """``41 of 60 pass (68 %), 3 raise errors``"""
    parts = []
    if count.rate is not None:
        parts.append(f"{count.passed:,} of {count.judged:,} pass ({count.rate:.0%})".replace("%", " %"))
    if count.errors:
        parts.append(f"{count.errors:,} {'raises an error' if count.errors == 1 else 'raise errors'}")
    if count.unscored:
        parts.append(f"{count.unscored:,} without a yes or no")
    return ", ".join(parts) or "nothing said"


def run_words(figures: RunFigures) -> str:
    """``nightly (2026-11-27 10:31): 41 of 60 pass (68 %); correctness 41 of 60, tone 58 of 60``"""
    at = datetime.fromtimestamp(figures.run.started_at, UTC)
    words = f"{figures.run.name} ({at:%Y-%m-%d %H:%M}): {pass_words(figures.count)}"
    if len(figures.scorers) > 1:
        words += "; " + ", ".join(f"{name} {c.passed:,} of {c.judged:,}" for name, c in figures.scorers.items())
    if figures.broken:
        words += f"; scorers that failed themselves: {', '.join(f'{n} {many:,}' for n, many in figures.broken.items())}"
    if figures.run.unmatched:
        words += f"; {counted(figures.run.unmatched, 'trace')} of no case that is here"
    return words


def result_lines(figures: EvaluationFigures) -> list[str]:
    """How the application does, the whole first, then where it fails; none before there was an evaluation."""
    if not figures.runs:
        return []
    many = counted(len(figures.runs), "evaluation")
    lines = [f"{many}, of each case the newest: {pass_words(figures.overall)}"]
    lines += [f"{name}: {pass_words(count)}" for name, count in figures.categories.items()]
    if worst := worst_values(figures):
        lines.append(f"Worst values: {'; '.join(worst)}")
    bad = [f"{name} {c.bad:,} of {c.passed + c.bad:,} fail" for name, c in figures.sources.items() if c.bad]
    if bad:
        lines.append(f"Worst sources: {'; '.join(bad[:_MOST_SOURCES])}")
    if figures.failing:
        cells = [f"{c.words} {c.count.bad:,} of {c.count.passed + c.count.bad:,}" for c in figures.failing]
        more = len(cells) - _MOST_CELLS
        lines.append(f"Fails in: {'; '.join(cells[:_MOST_CELLS])}{f'; and {more:,} more' if more > 0 else ''}")
    if figures.easy:
        words = f"{counted(figures.easy, 'case')} {'passes' if figures.easy == 1 else 'pass'}"
        lines.append(f"Easy: {words} each time, in two evaluations at least")
    if unclear := unclear_scorers(figures):
        lines.append(
            f"Numbers without a threshold: {', '.join(unclear)}; score_thresholds says from which on they pass"
        )
    return lines


def unclear_scorers(figures: EvaluationFigures) -> list[str]:
    """The scorers whose numbers say neither yes nor no."""
    return sorted({name for run in figures.runs for name in run.unclear})


def worst_values(figures: EvaluationFigures) -> list[str]:
    """The attribute values whose cases certainly fail most: ``refunds × angry 5 of 6 fail``."""
    found = [
        (count, f"{category} × {value} {count.bad:,} of {count.passed + count.bad:,} fail")
        for category, axes in figures.attributes.items()
        for values in axes.values()
        for value, count in values.items()
        if count.bad and count.passed + count.bad >= _LEAST_TELLING
    ]
    return [words for _, words in sorted(found, key=lambda one: (-one[0].certain_failure, one[1]))[:_MOST_VALUES]]


def results_words(event: ResultsRead) -> str:
    """``2 evaluations read from MLflow: 41 of 60 answers pass, 3 cases raise errors; worst: refunds, 17 of 20 fail``"""
    judged = event.passed + event.failed
    words = f"{event.passed:,} of {counted(judged, 'answer')} {'passes' if judged == 1 else 'pass'}"
    if event.errors:
        words += f", {counted(event.errors, 'case')} {'raises an error' if event.errors == 1 else 'raise errors'}"
    if event.worst:
        words += f"; worst: {event.worst}, {event.worst_bad:,} of {event.worst_cases:,} fail"
    return visible(f"{counted(event.evaluations, 'evaluation')} read from MLflow: {words}")
