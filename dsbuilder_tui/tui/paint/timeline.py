"""The checkpoints as points on a line."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.tui.paint.line import Line, Span, cut, fit
from dsbuilder_tui.view import Point


def timeline(
    points: Sequence[Point], width: int, planned: int, interval: int | None, *, chosen: int | None = None
) -> list[Line]:
    """A line with a point for each checkpoint, the newest (or ``chosen``) emphasised, the next one dotted; and labels.

    It begins at 0, which is said once: by a checkpoint that stands there, else by the end of the line.
    """
    label = max(len(f"{points[-1].accepted:,}"), len(f"{planned:,}"), 2)
    step = label + 3
    ahead = interval is not None and points[-1].accepted + interval <= planned
    most = max(1, (width - label - (step if ahead else 0)) // step)
    anchor = len(points) - 1 if chosen is None else chosen
    last = len(points) if len(points) - anchor <= max(1, most // 2) else min(len(points), max(anchor + most // 2, most))
    first = max(0, last - most)
    shown = points[first:last]
    from_zero = not first and not points[0].accepted
    rail: list[Span] = [(" " if from_zero else "╶" if first else "○", "faint" if first else "muted")]
    marks: list[Span] = [(" " if from_zero else "…" if first else "0", "faint")]
    for index, point in enumerate(shown, first):
        here = index == anchor
        dot, role = ("◉", "good") if here else ("●", "accent")
        leads = " " if from_zero and not index else "─"
        rail.append((leads * (step - 1), "accent" if not here else "good"))
        rail.append((dot, role))
        marks.append((fit(f"{point.accepted:,}", step, "right"), "strong" if here else "muted"))
    if last < len(points):
        rail.append((" ╌╌", "faint"))
    elif ahead and interval is not None:
        following = (points[-1].accepted // interval + 1) * interval
        rail += [(" " + "╌" * (step - 3) + " ", "faint"), ("○", "faint")]
        marks.append((fit(f"{following:,}", step, "right"), "faint"))
    return [cut(tuple(rail), width), cut(tuple(marks), width)]
