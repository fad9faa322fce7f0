"""The plane of the map: like vectors lie together, whatever comes, and always in the same places."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dsbuilder_tui.diversity.projection import project


def clouds(groups: int, each: int, size: int = 64, seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors about some middles, mixed, and which middle each belongs to."""
    chance = np.random.default_rng(seed)
    middles = chance.normal(size=(groups, size))
    of = chance.permutation(np.repeat(np.arange(groups), each))
    rows = middles[of] + chance.normal(size=(len(of), size)) * 0.35
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), of


def test_like_ones_lie_together_and_groups_apart() -> None:
    rows, of = clouds(5, 80)
    places, groups = project(rows).place(rows)
    for number in range(5):
        inside = places[of == number]
        middle = inside.mean(axis=0)
        own = np.linalg.norm(inside - middle, axis=1).mean()
        others = np.linalg.norm(places[of != number] - middle, axis=1).mean()
        assert own < others / 2
        assert len(set(groups[of == number].tolist()) & set(groups[of != number].tolist())) == 0


def test_the_same_vectors_give_the_same_plane_and_one_by_one_too() -> None:
    rows, _ = clouds(4, 50)
    first, second = project(rows), project(rows)
    places, groups = first.place(rows)
    assert np.array_equal(places, second.place(rows)[0])
    one_by_one = np.concatenate([first.place(rows[at : at + 1])[0] for at in range(len(rows))])
    assert np.allclose(places, one_by_one, atol=1e-5)
    assert np.array_equal(groups, np.concatenate([first.place(rows[at : at + 1])[1] for at in range(len(rows))]))


def test_a_new_vector_lies_with_those_it_is_like() -> None:
    rows, of = clouds(4, 60)
    plane = project(rows[:200])
    places, _ = plane.place(rows[:200])
    new, _ = plane.place(rows[200:])
    for place, number in zip(new, of[200:], strict=True):
        middles = [places[of[:200] == one].mean(axis=0) for one in range(4)]
        assert int(np.argmin([np.linalg.norm(place - middle) for middle in middles])) == number


@pytest.mark.parametrize(
    "rows",
    [
        np.eye(1, 8, dtype=np.float16),
        np.eye(2, 8, dtype=np.float16),
        np.tile(np.eye(1, 8, dtype=np.float32), (500, 1)),
        np.zeros((40, 8), np.float32),
        np.array([[1.0], [-1.0], [1.0]], np.float32),
        np.concatenate([np.tile(np.eye(1, 8, dtype=np.float32), (300, 1)), np.zeros((1, 8), np.float32)]),
        clouds(40, 3, size=12)[0].astype(np.float16),
    ],
    ids=["one", "two", "all the same", "all empty", "one dimension", "one empty", "many small groups"],
)
def test_odd_sets_have_a_plane_too(rows: NDArray[np.float32]) -> None:
    places, groups = project(rows).place(rows)
    assert places.shape == (len(rows), 2) and groups.shape == (len(rows),)
    assert np.isfinite(places).all() and places.min() >= 0 and places.max() <= 1


def test_groups_do_not_cover_one_another() -> None:
    rows, _ = clouds(9, 60)
    plane = project(rows)
    away = np.linalg.norm(plane.spots[:, None] - plane.spots[None], axis=2)
    room = plane.radii[:, None] + plane.radii[None]
    apart = away[np.triu_indices(len(away), 1)] / room[np.triu_indices(len(away), 1)]
    assert apart.min() > 0.6
