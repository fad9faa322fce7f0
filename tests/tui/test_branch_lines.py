"""The drawing of a history: one line a branch, every fork seen, every point found again under the mouse."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsbuilder_tui.domain.branch import Branch, BranchCause, CheckpointCause
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.tui.checkpoints.branch_lines import BranchDrawing, BranchLine, Selection, as_of, branch_lines
from dsbuilder_tui.tui.checkpoints.paint import cause_words
from dsbuilder_tui.tui.paint.line import length

SIZES = [(80, 6), (120, 9), (200, 14), (40, 3)]
# Each branch: the place among all points so far at which it begins (None: nowhere), how many points it has of its own.
Shape = list[tuple[int | None, int]]


def history(shape: Shape) -> list[BranchLine]:
    points: list[Checkpoint] = []
    branches: list[Branch] = []
    for number, (begins, count) in enumerate(shape, 1):
        before = None if begins is None or not points else points[begins % len(points)]
        begun_at = before.id if before else None
        for _ in range(count):
            accepted = (before.accepted if before else 0) + 10
            before = Checkpoint(
                id=len(points) + 1, seq=len(points) + 1, reason="interval", accepted=accepted, planned=9_999,
                created_at=float(len(points)), branch=f"branch {number}", before=before.id if before else None,
            )  # fmt: skip
            points.append(before)
        branches.append(
            Branch(
                id=number, name=f"branch {number}", cause=BranchCause.FORK, current=number == 1, planned=9_999,
                accepted=before.accepted if before else 0, created_at=float(len(points)), tip=before.id if before else None,
                begun_at=begun_at,
            )
        )  # fmt: skip
    return branch_lines(branches, points)


SHAPES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40)), max_size=12).map(lambda rest: [(None, 5), *rest])


def text(drawing: BranchDrawing) -> list[str]:
    return ["".join(span[0] for span in line) for line in drawing.paint()]


@pytest.mark.parametrize(("width", "height"), SIZES)
@given(shape=SHAPES, chosen=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_any_history_fits_and_shows_where_one_is(width: int, height: int, shape: Shape, chosen: int) -> None:
    lines = history(shape)
    line = lines[chosen % len(lines)]
    point = line.points[chosen % len(line.points)]
    drawing = BranchDrawing(lines, Selection(line.branch.name, point.id), width, height)
    painted = drawing.paint()
    assert len(painted) <= height and all(length(row) <= width for row in painted)
    rows = text(drawing)
    assert sum(row.count("◉") for row in rows) <= 1
    assert sum(row.startswith("▸") for row in rows) == 1
    assert f"{point.accepted:,}" in rows[-1]
    assert drawing.hidden == len(lines) - (len(rows) - 1)
    # Whatever is pointed at is a point of the line in that row.
    for y, x in itertools.product(range(height), range(0, width, 7)):
        found = drawing.at(x, y)
        there = next(line for line in lines if line.branch.name == found.branch)
        assert found.checkpoint in {point.id for point in there.points}
        assert drawing.at(x, y, line.branch.name).branch == line.branch.name


@given(shape=SHAPES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_each_point_lies_on_one_line_and_no_line_crosses_another(shape: Shape) -> None:
    lines = history(shape)
    own = [point.id for line in lines for point in line.points[line.shared :]]
    assert len(own) == len(set(own)) == sum(count for _, count in shape)
    assert {line.branch.name for line in lines} == {f"branch {n}" for n in range(1, len(shape) + 1)}
    rows = {line.branch.name: row for row, line in enumerate(lines)}
    for line in lines:
        if line.parent is not None:
            assert rows[line.parent] < rows[line.branch.name]
            for between in lines[rows[line.parent] + 1 : rows[line.branch.name]]:
                assert between.shared >= line.shared  # it begins behind the place where this one comes down


def test_a_fork_hangs_where_it_left() -> None:
    lines = history([(None, 4), (1, 2), (3, 0)])
    rows = text(BranchDrawing(lines, Selection("branch 1", 4), 80, 6))
    assert [row[2:10] for row in rows[:3]] == ["branch 1", "branch 3", "branch 2"]
    assert rows[0].count("◆") == 1 and rows[0].count("●") == 2 and rows[0].count("◉") == 1 and "here" in rows[0]
    assert rows[0].index("◉") == rows[1].index("╰") and rows[1].index("○") > rows[1].index("╰")
    assert rows[0].index("◆") == rows[1].index("│") == rows[2].index("╰")
    assert rows[3].split() == ["cases", "10", "20", "30", "40"]


def test_five_hundred_points_can_each_be_reached() -> None:
    lines = history([(None, 500), (250, 30)])
    for width in (80, 120, 200):
        for chosen in (1, 250, 500):
            drawing = BranchDrawing(lines, Selection("branch 1", chosen), width, 4)
            rows = text(drawing)
            assert "◉" in rows[0] and "╰" in rows[1]
            column = rows[0].index("◉")
            near = drawing.at(column, 0)
            assert abs(near.checkpoint - chosen) <= 500 // (width - 40)


def test_a_replay_has_not_come_to_the_rest() -> None:
    lines = history([(None, 4), (1, 2), (3, 1)])
    early = as_of(lines, 2.0)
    assert [(line.branch.name, len(line.points)) for line in early] == [("branch 1", 3)]
    later = as_of(lines, 4.0)
    assert [(line.branch.name, len(line.points), line.shared) for line in later] == [
        ("branch 1", 4, 0), ("branch 2", 3, 2),
    ]  # fmt: skip
    assert as_of(lines, -1.0) == []


@pytest.mark.parametrize("cause", CheckpointCause)
def test_every_cause_is_told_in_words(cause: CheckpointCause) -> None:
    point = history([(None, 1)])[0].tip
    assert "“" not in cause_words(replace(point, reason=cause))
    assert cause_words(replace(point, reason=cause, name="lunch")) == "“lunch”"
