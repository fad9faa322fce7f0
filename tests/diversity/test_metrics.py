"""The figures against their definitions, written out."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from dsbuilder_tui.diversity.metrics import Spread, mixed, packed

RNG = np.random.default_rng(7)


def unit(count: int, size: int = 24, pull: float = 0.0) -> NDArray[np.float16]:
    """Random unit vectors; ``pull`` draws them to one direction."""
    vectors = RNG.normal(size=(count, size)) + pull
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def vendi(vectors: NDArray[np.float16]) -> float:
    """By the definition: over the eigenvalues of the n × n kernel."""
    v = vectors.astype(np.float64)
    shares = np.linalg.eigvalsh(v @ v.T / len(v))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_of_pairs(vectors: NDArray[np.float16]) -> float:
    v = vectors.astype(np.float64)
    kernel = v @ v.T
    return float(kernel[~np.eye(len(v), dtype=bool)].mean())


def test_what_is_the_same_counts_once_and_what_is_different_counts() -> None:
    spread = Spread()
    spread.add("same", np.tile(unit(1), (50, 1)))
    spread.add("different", np.eye(24, dtype=np.float16))
    assert spread.vendi("same") == pytest.approx(1, abs=0.01)
    assert spread.vendi("different") == pytest.approx(24, rel=1e-6)
    assert spread.mean_similarity("same") == pytest.approx(1, abs=1e-3)
    assert spread.mean_similarity("different") == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("count", "pull"), [(2, 0.0), (10, 0.5), (400, 0.2), (5000, 1.0)])
def test_running_sums_say_what_the_definition_says(count: int, pull: float) -> None:
    vectors = unit(count, pull=pull)
    spread = Spread()
    for start in range(0, count, 777):
        spread.add("a", vectors[start : start + 777])
    assert spread.count("a") == count and spread.dimensions() == 24
    if count <= 400:
        assert spread.vendi("a") == pytest.approx(vendi(vectors), rel=1e-3)
    assert spread.mean_similarity("a") == pytest.approx(mean_of_pairs(vectors), abs=2e-4)


def test_all_groups_together_are_as_if_they_were_one() -> None:
    first, second = unit(120, pull=0.4), unit(80, pull=-0.2)
    spread, one = Spread(), Spread()
    spread.add("a", first)
    spread.add("b", second)
    one.add("x", np.concatenate([first, second]))
    assert spread.groups == ["a", "b"] and spread.count() == 200
    assert spread.vendi() == pytest.approx(one.vendi("x"), rel=1e-6)
    assert spread.mean_similarity() == pytest.approx(one.mean_similarity("x"), abs=1e-9)


@pytest.mark.parametrize("first", [1, 20, 24, 25, 60])
def test_a_few_vectors_are_measured_as_many_are(first: int) -> None:
    """Up to as many as there are dimensions they are kept as they are."""
    vectors = unit(first + 10, pull=0.2)
    spread = Spread()
    spread.add("a", vectors[:first])
    for index in range(first, first + 10):
        spread.add("a", vectors[index : index + 1])
        assert spread.vendi("a") == pytest.approx(vendi(vectors[: index + 1]), rel=1e-3)
    assert spread.mean_similarity("a") == pytest.approx(mean_of_pairs(vectors), abs=2e-4)


def test_the_nearest_is_averaged_over_those_that_have_one() -> None:
    spread = Spread()
    spread.add("a", unit(3), np.array([np.nan, 0.5, 0.7], dtype=np.float32))
    spread.add("b", unit(1), np.array([np.nan], dtype=np.float32))
    assert spread.nearest_similarity("a") == pytest.approx(0.6)
    assert spread.nearest_similarity("b") is None
    assert spread.nearest_similarity() == pytest.approx(0.6)


def test_too_little_says_nothing() -> None:
    spread = Spread()
    assert (spread.vendi(), spread.mean_similarity(), spread.nearest_similarity(), spread.dimensions()) == (
        None, None, None, 0,
    )  # fmt: skip
    spread.add("a", unit(0))
    spread.add("a", np.zeros((5, 0), dtype=np.float16))  # made without an embedding
    spread.add("a", unit(1))
    assert spread.vendi("a") is None and spread.mean_similarity() is None
    assert spread.vendi("nobody") is None and spread.count("nobody") == 0


def test_vectors_of_another_embedding_take_the_place_of_the_old_ones() -> None:
    spread = Spread()
    spread.add("a", unit(9, size=24))
    spread.add("b", unit(5, size=8))
    assert spread.count() == spread.count("b") == 5 and spread.dimensions() == 8 and spread.vendi() is not None


def test_vectors_without_a_direction_do_no_harm() -> None:
    spread = Spread()
    spread.add("a", np.zeros((5, 8), dtype=np.float16))
    assert spread.vendi("a") == 1.0 and spread.mean_similarity("a") == 0.0


def test_a_score_is_made_again_only_when_something_came() -> None:
    spread = Spread()
    spread.add("a", unit(50))
    first = spread.vendi("a")
    spread.add("b", unit(50))
    assert spread.vendi("a") == first
    spread.add("a", np.tile(unit(1), (500, 1)))
    assert (spread.vendi("a") or 0) < (first or 0) / 2


def test_texts_that_repeat_each_other_pack_better() -> None:
    same = [f"Where is my order #{n}? I never got a shipping e-mail." for n in range(200)]
    words = [" ".join("".join(map(chr, RNG.integers(97, 123, size=6))) for _ in range(9)) for _ in range(200)]
    assert (packed(same) or 0) > 8 > 2 > (packed(words) or 0) > 1
    assert packed([]) is None and packed(["one"]) is None and packed(["a", "b"]) is None
    assert packed(["half a pair \ud800" * 100, "x"]) is not None


def test_samples_are_mixed_in_turn() -> None:
    assert mixed([["a", "b", "c"], ["1"], []]) == ["a", "1", "b", "c"]
    many = mixed([[f"{name}{n}" for n in range(900)] for name in "abc"], most=1000)
    assert 500 < len(many) <= 1000 and {text[0] for text in many} == set("abc")


def test_many_vectors_at_once_are_not_copied_as_a_whole() -> None:
    vectors = np.full((40_000, 64), 0.125, np.float16)
    spread = Spread()
    tracemalloc.start()
    try:
        spread.add("", vectors)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < vectors.nbytes  # as single or double precision they are two and four times as large
    assert spread.mean_similarity() == pytest.approx(1.0)
