"""How the application does on the cases, beside the grid: the whole, the category of the cursor and its values. Pure."""

from __future__ import annotations

from dsbuilder_tui.domain.evaluation import EvaluationFigures, PassCount
from dsbuilder_tui.domain.evaluation_words import pass_words, result_lines
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import EMPTY, Line, clip, plain, sides, wrap

_LEAST_RATE = 0.8  # below which a rate stands out


def evaluation_lines(figures: EvaluationFigures, category: str | None, width: int) -> list[Line]:
    """Pass rates: of all cases, of each category, and of each value of the chosen one; none before an evaluation."""
    if not figures.runs:
        return []
    lines: list[Line] = [((clip(f"Evaluated · {counted(len(figures.runs), 'evaluation')}", width), "info"),)]
    lines += _rate("All cases", figures.overall, width)
    for name, count in figures.categories.items():
        lines += _rate(name, count, width)
        if name == category:
            for axis, values in figures.attributes.get(name, {}).items():
                lines += [
                    row for value, of in values.items() for row in _rate(f"  {axis}: {value}", of, width, short=True)
                ]
    for words in result_lines(figures)[1 + len(figures.categories) :]:
        lines += [((row, "muted"),) for row in wrap(words, width)]
    return [*lines, EMPTY]


def _rate(name: str, count: PassCount, width: int, *, short: bool = False) -> list[Line]:
    rate = f"{count.rate:.0%}" if count.rate is not None else "–"
    role = "warn" if count.bad and (count.rate is None or count.rate < _LEAST_RATE) else "accent"
    line = sides([(plain(name), "text" if short else "strong")], [(rate, role)], width)
    return [line] if short else [line, *(((row, "muted"),) for row in wrap(f"{pass_words(count)}.", width))]
