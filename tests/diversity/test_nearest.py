"""The nearest rows found in parts: together they are the nearest of all, and a comparison that goes by them answers the same."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dsbuilder_tui.dedup.nearest_partition import IncompletePartition, NearestPartition
from dsbuilder_tui.diversity import sign_index
from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.nearest import NOBODY, NearestRows, merged
from dsbuilder_tui.diversity.scope import cosines
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules

WORDS = "card bank loan fee rate app login code phone bill date name limit cash fund tax not two seven".split()


@settings(max_examples=60, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    rows=some.integers(0, 300),
    parts=some.integers(1, 5),
    scopes=some.integers(1, 4),
    kinds=some.integers(1, 40),
)
def test_the_nearest_of_parts_are_the_nearest_of_all(seed: int, rows: int, parts: int, scopes: int, kinds: int) -> None:
    """Few kinds of vectors: most rows are as near as many others, and the oldest of them count."""
    chance = np.random.default_rng(seed)
    pool = chance.standard_normal((kinds, 5)).astype(np.float32)
    vectors, scope_of = pool[chance.integers(kinds, size=rows)], chance.integers(scopes, size=rows)
    asked, asked_scopes = pool[chance.integers(kinds, size=6)], chance.integers(scopes + 1, size=6)
    owner, numbers = chance.integers(parts, size=rows), np.cumsum(chance.integers(1, 4, size=rows))
    partitions = [NearestPartition(5, 1) for _ in range(parts)]
    for place in range(rows):
        own = np.array([place])
        partitions[owner[place]].extend(vectors, own, numbers[own], scope_of[own])
    counts = [int((owner == part).sum()) for part in range(parts)]
    found = merged([part.nearest(asked, asked_scopes, held) for part, held in zip(partitions, counts, strict=True)])
    signs = SignIndex.signs(vectors.astype(np.float16))
    for text, (vector, scope) in enumerate(zip(asked, asked_scopes, strict=True)):
        members = np.flatnonzero(scope_of == scope)
        apart = np.bitwise_count(signs[members] ^ SignIndex.signs(vector[np.newaxis].astype(np.float16))).sum(axis=1)
        best = members[np.argsort(apart, kind="stable")[:MOST]]
        there = int((found.apart[text] != NOBODY).sum())
        assert found.rows[text][:there].tolist() == numbers[best].tolist()
        assert (found.apart[text][there:] == NOBODY).all()
        stored = np.zeros((len(best), 6), np.float16)
        stored[:, :5] = vectors[best]
        assert (found.scores[text][:there] == cosines(stored, vector)).all()
    with pytest.raises(IncompletePartition):
        partitions[0].nearest(asked, asked_scopes, counts[0] + 1)


@pytest.mark.parametrize("seed", range(4))
def test_a_comparison_by_parts_gives_the_answers_of_one_comparison(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_index, "_SMALL", 60)
    monkeypatch.setattr(sign_index, "_LEAST_GONE", 5)
    chance, rules = random.Random(seed), Rules(semantic=0.8)
    questions = [
        Question(chance.choice("ab"), " ".join(chance.choices(WORDS, k=chance.randint(0, 7))), {"x": chance.randint(0, 1)}, rules)
        for _ in range(900)
    ]  # fmt: skip
    embedder = built_in_embedder()
    alone = Comparer(embedder)
    expected = alone.judge(questions)
    stages = {answer.match.stage for answer in expected if answer.match is not None}
    assert stages == {"structural", "near", "semantic"}
    spread = Comparer(embedder)
    assert list(_by_parts(spread, questions, chance)) == expected
    assert spread.file.rows.tobytes() == alone.file.rows.tobytes()  # with the cosine to the nearest earlier one of each


def _by_parts(comparer: Comparer, questions: list[Question], chance: random.Random) -> Iterator[Answer]:
    """In pieces of any size; the nearest rows are those before a row that lies some pieces back."""
    partitions = [NearestPartition(256, 1) for _ in range(3)]
    held = [0, 0, 0]
    waiting: list[tuple[list[Question], NearestRows, int]] = []
    place = number = 0
    while place < len(questions) or waiting:
        while place < len(questions) and len(waiting) < 3:
            piece = questions[place : place + chance.randint(1, 50)]
            place += len(piece)
            vectors = comparer.fingerprinter.prints([q.text for q in piece], [{}] * len(piece)).vectors
            scopes = comparer.scope_numbers(piece)
            found = merged([part.nearest(vectors, scopes, count) for part, count in zip(partitions, held, strict=True)])
            waiting.append((piece, found, len(comparer)))
        piece, nearest, until = waiting.pop(0)
        prints = comparer.fingerprinter.prints([q.text for q in piece], [q.expectations for q in piece])
        first = len(comparer)
        answers = comparer.judge_prints(piece, prints, nearest, until)
        kept = np.flatnonzero([answer.row is not None for answer in answers])
        rows = np.arange(first, len(comparer))
        partitions[number % 3].extend(prints.vectors, kept, rows, comparer.scope_numbers(piece)[kept])
        held[number % 3] += len(rows)
        number += 1
        yield from answers
