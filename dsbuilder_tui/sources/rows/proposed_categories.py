"""Categories for rows that have none: groups by meaning, named after the words that tell them from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.diversity.spherical_kmeans import group_centres
from dsbuilder_tui.diversity.static_embedding import Vectors, built_in_embedder

_FEWEST_ROWS = 24  # of which groups are made at all
_ROWS_A_GROUP = 12
_MOST_GROUPS = 8
_LOOKED_AT = 2_000
_LONGEST_TEXT = 2_000
_PIECE = 4_096  # texts that are in memory at once
_MOST_READ = 20_000  # texts of a group that give it its name
_WORD = re.compile(r"[^\W\d_]{3,30}")
# What a text is never about: addresses, and who says it.
_WHO = re.compile(
    r"(?<!\S)[^\s@]{1,64}@\S{1,255}|\bhttps?://\S{1,2000}"
    r"|(?i:\b(?:my name is|name:|i am|i'm|this is|it's|regards,?|yours,?))(?:\s{1,3}[^\W\d_a-z][\w'-]{1,30}){1,3}"
)
_EMPTY = frozenset(
    "the and for are you your can could would how what when where why who which with from this that have has had does did "
    "not but was were will shall may might there their they them then than its our out get got want need please about into "
    "und der die das ist wie was wann wer den dem ein eine mit für les des une est que los las por para con del".split()
)


def proposed_categories(texts: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    """The places of the texts by category, the largest first; no category when there are too few texts to tell.

    Texts are read in order, some at a time; their vectors lie in a temporary file. Raises ``StorageError`` when there is no
    room for that.
    """
    if len(texts) < _FEWEST_ROWS:
        return {}
    embedder = built_in_embedder()
    with MappedArray((np.float32, (embedder.dimensions,))) as vectors:
        for first in range(0, len(texts), _PIECE):
            vectors.add(embedder.embed([_subject(text) for text in texts[first : first + _PIECE]]))
        members = _members(vectors.rows)
    return dict(zip(_names(texts, members), members, strict=True)) if members else {}


def _members(vectors: Vectors) -> list[NDArray[np.intp]]:
    """The places of the vectors by group, the largest first; none where there are no groups."""
    sample = np.array(vectors[:: max(1, len(vectors) // _LOOKED_AT)])
    most = min(_MOST_GROUPS, max(2, round((len(vectors) / _ROWS_A_GROUP) ** 0.5 + 1)))
    groups = _nearest(vectors, group_centres(sample, most)[0])
    least = max(3, len(vectors) // 50)
    kept = [number for number, count in Counter(groups.tolist()).most_common() if count >= least]
    if len(kept) < 2:
        return []
    nearest = _nearest(vectors, _centres(vectors, groups, kept))
    members = [np.flatnonzero(nearest == place) for place in range(len(kept))]
    return sorted((found for found in members if len(found)), key=lambda found: (-len(found), int(found[0])))


def _nearest(vectors: Vectors, centres: Vectors) -> NDArray[np.intp]:
    """The number of the centre that is nearest to each vector."""
    pieces = [np.argmax(vectors[n : n + _PIECE] @ centres.T, axis=1) for n in range(0, len(vectors), _PIECE)]
    nearest: NDArray[np.intp] = np.concatenate(pieces)
    return nearest


def _centres(vectors: Vectors, groups: NDArray[np.intp], kept: Sequence[int]) -> Vectors:
    sums = np.zeros((len(kept), vectors.shape[1]))
    for first in range(0, len(vectors), _PIECE):
        some, whose = vectors[first : first + _PIECE], groups[first : first + _PIECE]
        for place, number in enumerate(kept):
            sums[place] += some[whose == number].sum(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centres: Vectors = np.divide(sums, lengths, out=sums, where=lengths > 0).astype(np.float32)
    return centres


def _names(texts: Sequence[str], groups: Sequence[NDArray[np.intp]]) -> list[str]:
    """A name for each group: the two words that its texts use most, and the others' least."""
    inside = [
        Counter(word for n in group[:: -(-len(group) // _MOST_READ)].tolist() for word in _words(texts[n]))
        for group in groups
    ]
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
    return [word for word in _WORD.findall(_subject(text).casefold()) if word not in _EMPTY]


def _subject(text: str) -> str:
    """The beginning of a text without addresses and without who says it."""
    return _WHO.sub(" ", text[:_LONGEST_TEXT])
