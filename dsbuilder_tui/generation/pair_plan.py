"""Which slots are partners of which others, and what is to differ. Derived from plan and seed alone."""

from __future__ import annotations

import random
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case_pair import ContrastChange, PairKind, PlannedPair
from dsbuilder_tui.domain.plan import DatasetCategory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PICKS = 1021  # drawn once for a category; the partners take them in turn


class PairPlan:
    """The pairs of one category.

    A partner follows upon some slots that are none, and one of these, drawn by the seed, is its original: so an original
    comes before its partner and has no other. Which slots they are does not hang on the category's count.
    """

    def __init__(self, category: DatasetCategory, seed: str, varied: Container[int] = ()) -> None:
        """``varied`` are slots that are partners of none, wherever they stand."""
        self._shares, self._varied = category.pairs, varied
        rng = random.Random(f"{seed}\x1fpairs")
        self._picks = [rng.randrange(1 << 20) for _ in range(_PICKS)] if self._shares else []
        self._changes = rng.sample(list(ContrastChange), len(ContrastChange))

    def __bool__(self) -> bool:
        return bool(self._shares)

    def of(self, ordinal: int) -> PlannedPair | None:
        """What the slot is to be a partner of; None when it is a case of its own."""
        if not self or ordinal in self._varied:
            return None
        partner = self._shares.partners(ordinal)
        if partner == self._shares.partners(ordinal - 1):
            return None
        contrasts = self._shares.contrasts(partner)
        if contrasts == self._shares.contrasts(partner - 1):
            return PlannedPair(PairKind.SAME, self._original(partner))
        change = self._changes[(contrasts - 1) % len(self._changes)]
        return PlannedPair(PairKind.CONTRAST, self._original(partner), change)

    def partner_of(self, ordinal: int) -> int | None:
        """The ordinal of the slot that is to be a partner of this one."""
        if not self:
            return None
        partner = self._shares.partners(ordinal) + 1
        place = self._shares.place(partner)
        return place if self._original(partner) == ordinal and place not in self._varied else None

    def partners(self, last: int) -> Iterator[int]:
        """The ordinals of the partners among slots up to ``last``."""
        places = (self._shares.place(partner) for partner in range(1, self._shares.partners(last) + 1))
        return (place for place in places if place not in self._varied)

    def place(self, ordinal: int) -> int:
        """The place of a slot among those that are no partners, from 1; a partner has that of its original."""
        if not self:
            return ordinal
        if (pair := self.of(ordinal)) is not None:
            ordinal = pair.original
        return ordinal - self._shares.partners(ordinal)

    def places(self, ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
        """``place`` of many slots."""
        import numpy as np

        if not self:
            return ordinals
        return np.array([self.place(int(ordinal)) for ordinal in ordinals], dtype=np.int64)

    def _original(self, partner: int) -> int:
        before, place = self._shares.place(partner - 1), self._shares.place(partner)
        return before + 1 + self._picks[partner % _PICKS] % (place - before - 1)
