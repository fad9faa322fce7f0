"""Pass rates beside the grid of the coverage screen."""

from __future__ import annotations

from dsbuilder_tui.domain.evaluation import EvaluationFigures, EvaluationRun, PassCount, RunFigures
from dsbuilder_tui.tui.coverage.evaluation_paint import evaluation_lines


def test_rates_of_the_chosen_category_are_shown_by_value() -> None:
    run = EvaluationRun(run_id="r", name="nightly", version="", started_at=0, ended_at=1, cases=9)
    bad, good = PassCount(passed=1, failed=3, errors=1), PassCount(passed=4)
    figures = EvaluationFigures(
        runs=(RunFigures(run, PassCount(5, 3, 1)),),
        overall=PassCount(5, 3, 1),
        categories={"refunds": bad, "orders": good},
        attributes={"refunds": {"tone": {"angry": bad}}, "orders": {"tone": {"calm": good}}},
    )
    lines = ["".join(text for text, _ in line) for line in evaluation_lines(figures, "refunds", 50)]
    shown = "\n".join(lines)
    assert "1 evaluation" in lines[0] and all(len(line) <= 50 for line in lines)
    assert "tone: angry" in shown and "25%" in shown and "tone: calm" not in shown and "1 raises an error" in shown
    assert evaluation_lines(EvaluationFigures(), "refunds", 50) == []
