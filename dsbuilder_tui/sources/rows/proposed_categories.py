"""Categories for rows that have none: groups by meaning, named after the words that tell them from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.static_embedding import Vectors, built_in_embedder

_FEWEST_ROWS = 24  # of which groups are made at all
_ROWS_A_GROUP = 12
_MOST_GROUPS = 8
_LOOKED_AT = 2_000
_ROUNDS = 12
_LONGEST_TEXT = 2_000
_WORD = re.compile(r"[^\W\d_]{3,30}")
_EMPTY = frozenset(
    "the and for are you your can could would how what when where why who which with from this that have has had does did "
    "not but was were will shall may might there their they them then than its our out get got want need please about into "
    "und der die das ist wie was wann wer den dem ein eine mit für les des une est que los las por para con del".split()
)


def proposed_categories(texts: Sequence[str]) -> dict[str, list[int]]:
    """The places of the texts by category, the largest first; no category when there are too few texts to tell."""
    if len(texts) < _FEWEST_ROWS:
        return {}
    vectors = built_in_embedder().embed([text[:_LONGEST_TEXT] for text in texts])
    groups = _assigned(vectors, min(_MOST_GROUPS, max(2, round((len(texts) / _ROWS_A_GROUP) ** 0.5 + 1))))
    least = max(3, len(texts) // 50)
    kept = [number for number, count in Counter(groups.tolist()).most_common() if count >= least]
    if len(kept) < 2:
        return {}
    centres = _centres(vectors, groups, kept)
    nearest = np.argmax(vectors @ centres.T, axis=1)
    members = [np.flatnonzero(nearest == place).tolist() for place in range(len(kept))]
    members = sorted((found for found in members if found), key=lambda found: (-len(found), found[0]))
    return dict(zip(_names(texts, members), members, strict=True))


def _assigned(vectors: Vectors, count: int) -> NDArray[np.intp]:
    """The number of each text's group, by spherical k-means that begins with texts far from one another."""
    sample = vectors[:: max(1, len(vectors) // _LOOKED_AT)]
    chosen = [int(np.argmin(sample @ sample.mean(axis=0)))]
    while len(chosen) < count:
        chosen.append(int(np.argmin((sample @ sample[chosen].T).max(axis=1))))
    centres = sample[chosen]
    for _ in range(_ROUNDS):
        groups = np.argmax(sample @ centres.T, axis=1)
        centres = np.stack([_mean(sample[groups == n], centres[n]) for n in range(count)])
    assigned: NDArray[np.intp] = np.argmax(vectors @ centres.T, axis=1)
    return assigned


def _centres(vectors: Vectors, groups: NDArray[np.intp], kept: Sequence[int]) -> Vectors:
    return np.stack([_mean(vectors[groups == number], vectors[0]) for number in kept])


def _mean(vectors: Vectors, otherwise: Vectors) -> Vectors:
    if not len(vectors):
        return otherwise
    mean: Vectors = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length if length else otherwise


def _names(texts: Sequence[str], groups: Sequence[Sequence[int]]) -> list[str]:
    """A name for each group: the two words that its texts use most, and the others' least."""
    inside = [Counter(word for n in group for word in _words(texts[n])) for group in groups]
    everywhere: Counter[str] = Counter()
    for counts in inside:
        everywhere.update(counts)
    names: list[str] = []
    for counts, group in zip(inside, groups, strict=True):
        weight = {word: count / len(group) * count / everywhere[word] for word, count in counts.items()}
        best = sorted(weight, key=lambda word: (-weight[word], word))[:2]
        name = "_".join(best) or "others"
        while name in names:
            name += "_2"
        names.append(name)
    return names


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()[:_LONGEST_TEXT]) if word not in _EMPTY]
