"""Rows found in parts of an index: together they are those of the whole one, and a comparison that goes by them answers the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dsbuilder_tui.dedup import index_partition
from dsbuilder_tui.dedup.index_partition import FoundRows, IncompletePartition, IndexPartition
from dsbuilder_tui.diversity import inquiry, lsh_index, sign_index
from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprints import BANDS, hashes_of
from dsbuilder_tui.diversity.lsh_index import LshIndex, RecentLshIndex
from dsbuilder_tui.diversity.nearest import NOBODY, merged
from dsbuilder_tui.diversity.scope import cosines
from dsbuilder_tui.diversity.sharing_rows import SharingRows, joined
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex
from dsbuilder_tui.diversity.spilled_index import SpilledLshIndex
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
    partitions = [IndexPartition(5, 1, in_memory=60 * (part + 1)) for part in range(parts)]
    hashes = chance.integers(9, size=(rows + 6, BANDS + 1), dtype=np.uint32)
    for place in range(rows):
        own = np.array([place])
        partitions[owner[place]].extend(hashes, vectors, own, numbers[own], scope_of[own])
    counts = [int((owner == part).sum()) for part in range(parts)]
    answers = [
        part.find(hashes[rows:], asked, asked_scopes, held) for part, held in zip(partitions, counts, strict=True)
    ]
    found = merged([answer.nearest for answer in answers if answer.nearest is not None])
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
        partitions[0].find(hashes[rows:], asked, asked_scopes, counts[0] + 1)


def _sharing(hashes: np.ndarray, asked: np.ndarray, most: int) -> list[tuple[int, int]]:
    """By looking at each row: the newest of each column, one more of each until there are enough."""
    columns = [np.flatnonzero(same)[::-1].tolist() for same in (hashes == asked).T]
    depth, found = 0, dict[int, int]()
    while depth < len(hashes) and sum(min(depth, len(own)) for own in columns) < most:
        depth += 1
    for column, own in enumerate(columns):
        for row in own[:depth]:
            found[row] = found.get(row, 0) | 1 << column
    return sorted(found.items(), reverse=True)


def _told(sharing: SharingRows) -> list[tuple[int, int]]:
    return list(zip(sharing.rows.tolist(), sharing.columns.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    rows=some.integers(0, 400),
    parts=some.integers(1, 4),
    kinds=some.integers(1, 500),
    most=some.integers(1, 60),
    recent=some.integers(1, 50),
)
def test_rows_that_share_hashes_are_the_newest_however_they_are_looked_for(
    seed: int, rows: int, parts: int, kinds: int, most: int, recent: int
) -> None:
    """One index, several that have parts of it, one of the newest rows before the others: the same rows, as many hits."""
    chance = np.random.default_rng(seed)
    hashes, asked = (chance.integers(kinds, size=(count, 3), dtype=np.uint32) for count in (rows, 5))
    hashes[:, 0] %= 3  # which many share, beside others that few do
    asked[:, 0] %= 3
    owner, until = chance.integers(parts, size=rows), int(chance.integers(rows + 1))
    whole, spilled = LshIndex(3), SpilledLshIndex(3, rows // 5 + recent)
    whole.extend(hashes)
    for piece in np.array_split(hashes, 4):
        spilled.extend(piece)
    assert len(spilled) == rows
    one_by_one = [LshIndex(3) for _ in range(parts)]
    for row in range(until):
        one_by_one[owner[row]].add(hashes[row])
    own = [np.flatnonzero(owner[:until] == part) for part in range(parts)]
    found = []
    for part, index in enumerate(one_by_one):
        members = index.sharing_of(asked, most)
        found.append(replace(members, rows=own[part][members.rows].astype(np.uint32)))
    older = joined(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lsh_index, "_RECENT", recent)
        newest = RecentLshIndex(3)
        newest.extend(hashes[: until // 2])
        for row in range(until // 2, rows):
            newest.add(hashes[row])
            newest.forget(min(row, until))
    for text, row in enumerate(asked):
        expected = _sharing(hashes, row, most)
        assert _told(whole.sharing(row, most)) == _told(whole.sharing_of(asked, most).of(text)) == expected
        assert _told(newest.sharing(row, most, until).before(older.of(text), most)) == expected
        assert _told(spilled.sharing_of(asked, most).of(text).up_to(most)) == expected


@pytest.mark.parametrize("seed", range(4))
def test_a_comparison_by_parts_gives_the_answers_of_one_comparison(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_index, "_SMALL", 60)
    monkeypatch.setattr(sign_index, "_LEAST_GONE", 5)
    monkeypatch.setattr(lsh_index, "_RECENT", 40)
    if seed % 2:  # texts share more hashes than are looked at
        monkeypatch.setattr(inquiry, "MOST_SHARED", 30)
        monkeypatch.setattr(index_partition, "MOST_SHARED", 30)
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
    spread = Comparer(embedder, recent=True, once=False)
    assert list(_by_parts(spread, questions, chance)) == expected
    assert spread.file.rows.tobytes() == alone.file.rows.tobytes()  # with the cosine to the nearest earlier one of each


def _by_parts(comparer: Comparer, questions: list[Question], chance: random.Random) -> Iterator[Answer]:
    """In pieces of any size; the partitions know the rows before one that lies some pieces back."""
    partitions = [IndexPartition(256, 1, in_memory) for in_memory in (1000, 70, 30)]
    held = [0, 0, 0]
    waiting: list[tuple[list[Question], FoundRows, int]] = []
    place = number = 0
    while place < len(questions) or waiting:
        while place < len(questions) and len(waiting) < 3:
            piece = questions[place : place + chance.randint(1, 50)]
            place += len(piece)
            prints = comparer.fingerprinter.prints([q.text for q in piece], [{}] * len(piece))
            own = hashes_of(prints.rows), prints.vectors, comparer.scope_numbers(piece)
            found = FoundRows.joined(*(part.find(*own, count) for part, count in zip(partitions, held, strict=True)))
            waiting.append((piece, found, len(comparer)))
        piece, found, until = waiting.pop(0)
        prints = comparer.fingerprinter.prints([q.text for q in piece], [q.expectations for q in piece])
        first = len(comparer)
        answers = comparer.judge_prints(piece, prints, found.sharing, found.nearest, until)
        kept = np.flatnonzero([answer.row is not None for answer in answers])
        rows = np.arange(first, len(comparer))
        scopes = comparer.scope_numbers(piece)[kept]
        partitions[number % 3].extend(hashes_of(prints.rows), prints.vectors, kept, rows, scopes)
        held[number % 3] += len(rows)
        number += 1
        yield from answers
    assert sum(len(part) for _, part in comparer._lsh._parts) < 300  # older rows are in the partitions alone
