"""The heat grid (axis values × categories) and the figures beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dsbuilder_tui.domain.cell_cause import CellFacts, more_words
from dsbuilder_tui.domain.figures import Cell, DiversityReport, Figures, told_figures
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.coverage_sheet import GridRow, value_words
from dsbuilder_tui.tui.paint.line import EMPTY, Line, clip, plain, sides, wrap

MORE = 20  # cases that are asked for in a thin cell


def cell_words(category: str, row: GridRow, cell: Cell | None) -> str:
    """``refunds × angry: 3 of 12 planned``"""
    value = value_words(row.value or "")
    if cell is None:
        return f"{plain(category)} does not vary in {plain(row.axis)}: {value}"
    if not cell.planned:
        there = counted(cell.accepted, "case") if cell.accepted else "no case"
        return f"{plain(category)} × {value}: {there}, none planned"
    return f"{plain(category)} × {value}: {cell.accepted:,} of {cell.planned:,} planned"


def request_words(category: str, value: str) -> str:
    """What is drafted for a thin cell."""
    return more_words(plain(category), plain(value), MORE)


def cause_lines(facts: CellFacts | None, width: int) -> list[Line]:
    """Why the cell under the cursor is empty or thin, and what helps; nothing for one that is full."""
    if facts is None or not facts.causes:
        return []
    lines: list[Line] = [((clip("Why it is not full" if facts.planned else "Why it is empty", width), "info"),)]
    lines += [((row, "text"),) for row in wrap(plain(facts.sentence), width)]
    lines += [((row, "warn"),) for row in wrap(facts.advice and f"→ {plain(facts.advice)}", width) if row]
    return [*lines, EMPTY]


def no_grid(width: int) -> list[Line]:
    """What stands in place of the grid while there is no plan."""
    words = (
        "No plan yet. When there is one, each category has a column here and each value of its axes (tone, persona, "
        "length …) a row: the cells fill while the cases are written, and Enter on a thin one asks for more."
    )
    return [((row, "muted"),) for row in wrap(words, width)]


def figure_lines(
    report: DiversityReport | None,
    category: str | None,
    width: int,
    judged: Mapping[str, JudgedCounts] | None = None,
    agreement: str = "",
    imported: str = "",
) -> list[Line]:
    """How many cases came with a file; the figures of all cases and of one category: title and value, what it means, what to
    do about it; below them what a judge found in each category, the chosen one first."""
    origin: list[Line] = [((row, "muted"),) for row in wrap(imported, width) if row]
    figures = _diversity_lines(report, category, width)
    return [*origin, *([EMPTY] if origin else []), *figures, *_judged_lines(judged or {}, category, agreement, width)]


def _judged_lines(judged: Mapping[str, JudgedCounts], category: str | None, agreement: str, width: int) -> list[Line]:
    lines: list[Line] = []
    for name in sorted(judged, key=lambda name: name != category):
        counts = judged[name]
        role = "warn" if counts.is_doubtful else "accent"
        lines.append(sides([(plain(name), "strong")], [(counts.words or "–", role)], width))
        lines += [((row, "muted"),) for row in wrap(_judged_words(counts), width)]
        advice = "→ With `judge: all` for it in the plan bad cases are written again." if counts.is_doubtful else ""
        lines += [((row, "warn"),) for row in wrap(advice, width) if row]
    lines += [((row, "text"),) for row in wrap(agreement and f"The judge and you: {agreement}.", width) if row]
    return [EMPTY, ((clip("Judged", width), "info"),), *lines] if lines else []


def judged_words(judged: Mapping[str, JudgedCounts]) -> str:
    """What a judge found in all categories: ``judged: 88–97 % good``; empty before there is a verdict."""
    found = sum(judged.values(), JudgedCounts()).words
    return f"judged: {found}" if found else ""


def _judged_words(counts: JudgedCounts) -> str:
    words = (
        f"The judge read {counted(counts.judged + counts.not_judged, 'case')}: {counts.good:,} good, {counts.bad:,} bad"
    )
    return f"{words}, {counts.not_judged:,} without a verdict." if counts.not_judged else f"{words}."


def _diversity_lines(report: DiversityReport | None, category: str | None, width: int) -> list[Line]:
    if report is None:
        return [(("Measuring …", "muted"),)]
    if not report.overall.cases:
        words = (
            "The figures come with the second case: how varied the cases are, how alike any two, what was turned away."
        )
        return [((row, "muted"),) for row in wrap(words, width)]
    lines = _section(f"All {counted(report.overall.cases, 'case')}", report.overall, width)
    own = report.categories.get(category or "")
    if own is not None and len(report.categories) > 1:
        lines += [EMPTY, *_section(f"{plain(category)} · {counted(own.cases, 'case')}", own, width)]
    return lines


def _section(title: str, figures: Figures, width: int) -> list[Line]:
    lines: list[Line] = [((clip(title, width), "info"),)]
    if not figures.cases:
        return [*lines, (("no case yet", "muted"),)]
    for told in told_figures(figures):
        lines.append(sides([(told.title, "strong")], [(told.value, "warn" if told.advice else "accent")], width))
        lines += [((row, "muted"),) for row in wrap(told.sentence, width)]
        lines += [((row, "warn"),) for row in wrap(told.advice and f"→ {told.advice}", width) if row]
    return lines


def summary_line(report: DiversityReport | None) -> str:
    """The headline for the border of the figures."""
    if report is None or report.overall.variety is None:
        return "Figures"
    return f"Figures · as varied as {report.overall.variety:,.0f} of {report.overall.compared:,}"
