"""The checkpoints as points on a line."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.tui.paint.line import Line, Span, cut, fit
from dsbuilder_tui.view import Point


def timeline(points: Sequence[Point], width: int, planned: int, interval: int | None) -> list[Line]:
    """A line with a point for each checkpoint, the newest emphasised, forks marked, the next one dotted; and labels.

    It begins at 0, which is said once: by a checkpoint that stands there, else by the end of the line.
    """
    label = max(len(f"{points[-1].accepted:,}"), len(f"{planned:,}"), 2)
    step = label + 3
    ahead = interval is not None and points[-1].accepted + interval <= planned
    most = max(1, (width - label - (step if ahead else 0)) // step)
    first = max(0, len(points) - most)
    shown = points[first:]
    from_zero = not first and not points[0].accepted
    rail: list[Span] = [(" " if from_zero else "╶" if first else "○", "faint" if first else "muted")]
    marks: list[Span] = [(" " if from_zero else "…" if first else "0", "faint")]
    for index, point in enumerate(shown, first):
        here = index == len(points) - 1
        dot, role = ("◉", "good") if here else ("◆", "warn") if point.forked else ("●", "accent")
        leads = " " if from_zero and not index else "─"
        rail.append((leads * (step - 1), "accent" if not here else "good"))
        rail.append((dot, role))
        marks.append((fit(f"{point.accepted:,}", step, "right"), "strong" if here else "muted"))
    if ahead and interval is not None:
        following = (points[-1].accepted // interval + 1) * interval
        rail += [(" " + "╌" * (step - 3) + " ", "faint"), ("○", "faint")]
        marks.append((fit(f"{following:,}", step, "right"), "faint"))
    return [cut(tuple(rail), width), cut(tuple(marks), width)]
