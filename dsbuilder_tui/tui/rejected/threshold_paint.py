"""Another threshold on a scale, between what was turned away and what was let in, and what it would turn around."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES, STEPS, Flip, WhatIf
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, longest, wrap

_EIGHTHS = "▁▂▃▄▅▆▇█"
_LOWEST: dict[str, float] = {
    Stage.NEAR: 0.5,
    Stage.SEMANTIC: 0.7,
}  # where the scale begins, unless the threshold is lower
_MOST_CELLS = 60


def no_threshold(stage: str) -> str:
    """Why there is nothing to move for a rejection of this stage; empty when there is."""
    if stage in LIKENESS_STAGES:
        return ""
    if stage == Stage.STRUCTURAL:
        return (
            "Structural repeats have no threshold: with ids, names, dates and the like masked, two texts are the same or "
            "they are not. k keeps this one anyway; s shows the rejections of a stage that has a threshold."
        )
    if stage in STAGES.names():
        return (
            f"What another threshold would have meant is known for {' and '.join(LIKENESS_STAGES)} alone; the setting "
            f"stage_thresholds has that of {clip(stage, 40)}."
        )
    return "It was not turned away for being too alike, so there is no threshold to move."


def sentence(found: WhatIf) -> str:
    """What the threshold would have meant, in plain words."""
    where = f" of {clip(found.category, 40)}" if found.category else ""
    rejections = f"{found.passing:,} of {counted(found.rejected, f'{found.stage} rejection')}{where}"
    cases = f"{found.falling:,} of {counted(found.accepted, 'accepted case')} with a score"
    return f"At {found.threshold:.2f}: {rejections} would have passed this stage, {cases} would have been turned away."


def draft(stage: str, threshold: float, category: str | None) -> str:
    """What the agent is asked for."""
    return f"Set the {stage} threshold to {threshold:.2f}" + (f" in {category}" if category else "")


def strip(
    stage: str, now: float, threshold: float, category: str | None, found: WhatIf | None, width: int
) -> list[Line]:
    """All of it. ``now`` is the threshold in force; without ``found`` the numbers are still being counted."""
    where = clip(category, 30) if category else "all categories"
    moved = round(threshold, 2) != round(now, 2)
    head: list[Span] = [(f"{stage} threshold ", "muted"), (f"{now:.2f}", "text" if moved else "strong")]
    if moved:
        head += [(" → ", "muted"), (f"{threshold:.2f}", "bad+bold")]
    lines: list[Line] = [EMPTY, (*head, (f"   {where}", "faint")), EMPTY]
    lines += _scale(found, stage, now, threshold, width)
    if found is None:
        return [cut(line, width) for line in (*lines, EMPTY, (("counting …", "faint"),))]
    if not found.rejected and not found.accepted:
        words = f"No score of the {stage} stage is recorded yet: nothing was turned away by it, and nothing came close."
        return [cut(line, width) for line in (*lines, EMPTY, *[((row, "muted"),) for row in wrap(words, width)])]
    lines += [EMPTY, *[((row, "text"),) for row in wrap(sentence(found), width)]]
    lines += _flips("would have passed", found.passing, found.passes, "good", width)
    lines += _flips("would have been turned away", found.falling, found.falls, "bad", width)
    return [cut(line, width) for line in lines]


def _scale(found: WhatIf | None, stage: str, now: float, threshold: float, width: int) -> list[Line]:
    lowest = int(min(_LOWEST.get(stage, 0.5), threshold - 0.1, now - 0.1) * 10 + 1e-6) * STEPS // 10
    lowest = max(0, lowest)
    columns = STEPS - lowest
    room = max(10, min(_MOST_CELLS, width - 23))
    cells = columns * (room // columns) if room >= columns else room

    def cell(value: float) -> int:
        return max(0, min(cells - 1, int((value * STEPS - lowest) * cells / columns + 1e-6)))

    axis: list[Span] = [("─", "edge")] * cells
    axis[cell(now)] = ("┊", "muted")
    axis[cell(threshold)] = ("┃", "bad")
    edge = cell(threshold)
    rejected = _heights(found.scores.rejected if found else (), lowest, cells)
    accepted = _heights(found.scores.accepted if found else (), lowest, cells)
    left, right = f"{lowest / STEPS:.2f}", "1.00"
    label = f"{threshold:.2f}".removeprefix("0")
    return [
        ((fit("turned away", 12), "muted"), (rejected[:edge], "good"), (rejected[edge:], "warn")),
        ((fit(left, 11, "right") + " ", "faint"), *axis, (f" {right}", "faint")),
        ((fit("let in", 12), "muted"), (accepted[:edge], "info"), (accepted[edge:], "bad")),
        ((" " * (12 + max(0, edge - 1)), "text"), (label, "bad")),
    ]


def _heights(counts: Sequence[int], lowest: int, cells: int) -> str:
    """Counts of the columns from ``lowest`` on, as bars; the highest fills its cell, and what is there can be seen."""
    shown = counts[lowest:]
    if not shown or not max(shown):
        return " " * cells
    sums = [0] * cells
    for place in range(cells):
        first, last = (
            place * len(shown) // cells,
            max((place + 1) * len(shown) // cells, place * len(shown) // cells + 1),
        )
        sums[place] = sum(shown[first:last])
    top = max(sums)
    # Roots: the few near a threshold are what is looked for, beside many that are far from it.
    return "".join(_EIGHTHS[min(7, int(8 * (n / top) ** 0.5))] if n else " " for n in sums)


def _flips(words: str, count: int, flips: Sequence[Flip], role: str, width: int) -> list[Line]:
    if not count:
        return []
    lines: list[Line] = [EMPTY, ((f"{count:,} {words}", role),)]
    names = [case_id(flip.category, flip.ordinal) for flip in flips]
    room = min(longest(names), max(8, width // 4))
    for flip, name in zip(flips, names, strict=True):
        lines.append(
            (
                (f"{flip.score:.2f} ".removeprefix("0"), role),
                (fit(name, room), "muted"),
                (" ", "text"),
                (clip(flip.text, max(1, width - room - 6)), "text"),
            )
        )
        if flip.nearest_case_id:
            lines.append((("    ≈ " + clip(flip.nearest_case_id, max(1, width - 6)), "faint"),))
    if count > len(flips):
        lines.append(((f"… and {count - len(flips):,} more", "faint"),))
    return lines
