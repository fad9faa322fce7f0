"""The line of checkpoints as it is painted."""

from __future__ import annotations

import pytest

from dsbuilder_tui.tui.paint.timeline import timeline
from dsbuilder_tui.tui.studio import paint as panels
from dsbuilder_tui.view import Point, RunView


@pytest.mark.parametrize("accepted", [(0,), (0, 30), (0, 0, 30), (30,), (30, 60)])
@pytest.mark.parametrize("width", [40, 80])
def test_the_timeline_begins_at_one_zero(accepted: tuple[int, ...], width: int) -> None:
    points = [Point(number, cases, "interval", 5000.0) for number, cases in enumerate(accepted, 1)]
    rail, marks = timeline(points, width, 120, 30)
    labels = "".join(span[0] for span in marks).split()
    following = accepted[-1] + 30
    zeros = accepted.count(0) or 1  # each checkpoint there is can be chosen
    assert labels == ["0"] * zeros + [str(cases) for cases in accepted if cases] + [str(following)]
    dots = "".join(span[0] for span in rail)
    assert dots.count("●") + dots.count("◉") == len(accepted)


def test_the_panel_of_checkpoints_says_zero_once() -> None:
    """A run that was begun and paused at once may have saved several points before its first case."""
    for count in (1, 2, 3):
        points = tuple(Point(number, 0, "pause", 5000.0) for number in range(count))
        lines = panels.checkpoints_panel(RunView(planned=120, points=points), 60, 6, focused=False, interval=30)
        words = ["".join(span[0] for span in line).strip("│ ").split() for line in lines]
        assert ["0", "30"] in words
