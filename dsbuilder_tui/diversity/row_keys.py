"""The cases of a dataset as numbers that are equal where the cases are, and pairs of those that have an equal one."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from dsbuilder_tui.domain.dataset_comparison import ComparedRow

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_STEP = np.uint64(0x9E3779B97F4A7C15)  # so far apart are the first, the second … case of one key


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKeys:
    """40 bytes a case. ``said`` is of the inputs, ``filed`` with the category, ``whole`` with the expectations too; ``names``
    has 0 for a case without one. Two digests of 64 bits that are equal by chance are not to be expected below a billion cases.
    """

    places: Keys
    whole: Keys
    filed: Keys
    said: Keys
    names: Keys
    categories: Counter[str]

    @classmethod
    def of(cls, rows: Iterable[ComparedRow]) -> RowKeys:
        """Reads all cases once."""
        places, whole, filed, said, names = (array("Q") for _ in range(5))
        categories = Counter[str]()
        for row in rows:
            inputs = orjson.dumps(row.inputs, default=str, option=_SORTED)
            category = orjson.dumps(row.category)
            places.append(row.place)
            said.append(xxhash.xxh3_64_intdigest(inputs))
            filed.append(xxhash.xxh3_64_intdigest(category + inputs))
            expectations = orjson.dumps(row.expectations, default=str, option=_SORTED)
            whole.append(xxhash.xxh3_64_intdigest(category + inputs + b"\0" + expectations))
            names.append(xxhash.xxh3_64_intdigest(row.id.encode("utf-8", "surrogatepass")) if row.id else 0)
            categories[row.category] += 1
        keys = [
            np.frombuffer(one, np.uint64) if one else np.empty(0, np.uint64)
            for one in (places, whole, filed, said, names)
        ]
        return cls(places=keys[0], whole=keys[1], filed=keys[2], said=keys[3], names=keys[4], categories=categories)

    def __len__(self) -> int:
        return len(self.places)

    def own_names(self) -> Numbers:
        """The cases whose name no other one bears."""
        names, first, often = np.unique(self.names, return_index=True, return_counts=True)
        return np.sort(first[(often == 1) & (names != 0)])


def pairs_of(left: Keys, right: Keys, left_at: Numbers, right_at: Numbers) -> tuple[Numbers, Numbers]:
    """Those of the cases ``left_at`` and ``right_at`` whose keys are equal, the first with the first of that key; in the order of
    the right side."""
    _, ours, theirs = np.intersect1d(
        _apart(left[left_at]), _apart(right[right_at]), assume_unique=True, return_indices=True
    )
    order = np.argsort(right_at[theirs], kind="stable")
    return left_at[ours][order], right_at[theirs][order]


def _apart(keys: Keys) -> Keys:
    """Each key once: the second of two equal ones is moved by a step, the third by two."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = (
        np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(keys) else np.empty(0, np.int64)
    )
    runs = np.diff(np.append(starts, len(keys)))
    rank = np.arange(len(keys)) - np.repeat(starts, runs)
    found = np.empty_like(keys)
    found[order] = ordered + rank.astype(np.uint64) * _STEP
    return found
