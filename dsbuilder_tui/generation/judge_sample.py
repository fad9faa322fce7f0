"""The sample of cases that a judge reads: which slots, by plan and seed alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

import xxhash

LEAST = 20  # cases of a category that a sample holds, where there are so many


class JudgeSample:
    """Chooses, in each stretch of a category's slots, one slot by the seed: evenly spread, and the same each time.

    Whether a slot is in the sample costs the same whatever the number of slots.
    """

    def __init__(self, counts: Mapping[str, int], share: float, seed: int) -> None:
        """``counts`` are the slots of each category, ``share`` (0 to 1) is how many of them the sample holds."""
        self._counts, self._seed = counts, seed
        self._sizes = {
            name: min(count, max(LEAST, math.ceil(round(count * share, 9)))) for name, count in counts.items()
        }

    def size(self, category: str) -> int:
        """How many slots of a category are in the sample."""
        return self._sizes.get(category, 0)

    def unread(self, category: str, filled: Iterable[tuple[int, object, int]], judged: Collection[int]) -> list[int]:
        """The places in the history of a category's cases that are in the sample and have no verdict yet.

        ``filled`` are its slots with a case (ordinal, …, place), ``judged`` the places of cases with a verdict.
        """
        return [seq for ordinal, _, seq in filled if self.holds(category, ordinal) and seq not in judged]

    def holds(self, category: str, ordinal: int) -> bool:
        """Whether a slot is in the sample. Slots beyond the count, which revisions leave, are chosen in the same way."""
        count, size = self._counts.get(category, 0), self.size(category)
        if not size:
            return False
        stretch = ((ordinal - 1) * size) // count
        first, last = -(-stretch * count // size), -(-(stretch + 1) * count // size)  # places from 0; last is behind it
        drawn = xxhash.xxh3_64_intdigest(f"{self._seed}\x1f{category}\x1f{stretch}".encode())
        return ordinal - 1 == first + drawn % (last - first)
