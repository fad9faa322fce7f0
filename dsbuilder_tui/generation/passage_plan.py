"""Which passages each slot is written from. Derived from plan, documents and seed alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.sources.documents.document_reader import read_documents
from dsbuilder_tui.store.passages import PassageTable

_MOST_ROUNDS = 4  # orders of all passages that are kept


class PassagePlan:
    """The passages of one category's slots: each is used before any is used a second time."""

    def __init__(self, passages: Sequence[Passage], a_case: int, seed: str) -> None:
        """``a_case`` is how many a slot gets: the first in its turn, then those that stand beside it in its document."""
        self._passages, self._a_case, self._seed = passages, min(a_case, len(passages)), seed
        self._orders: dict[int, list[int]] = {}
        self._beside: dict[str, list[int]] = {}
        self._place: list[int] = []  # of each passage among those of its document
        if self._a_case > 1:
            for number, passage in enumerate(passages):
                same = self._beside.setdefault(passage.document, [])
                self._place.append(len(same))
                same.append(number)

    def of(self, ordinal: int) -> tuple[Passage, ...]:
        """The passages of a slot (``ordinal`` from 1)."""
        turn, place = divmod(ordinal - 1, len(self._passages))
        order = self._order(turn)
        chosen = [order[place]]
        if self._a_case > 1:
            same = self._beside[self._passages[chosen[0]].document]
            # A turn later others stand beside it; when all have, those of other documents do. So no two slots need the same.
            step = 1 + turn
            near = [same[(self._place[chosen[0]] + step) % len(same)]] if 2 * step < len(same) else []
            near += same if near and self._a_case > 2 else []
            rest = [order[(place + step) % len(order)] for step in range(1, self._a_case + len(same))]
            for other in (*near, *rest):
                if other not in chosen and len(chosen) < self._a_case:
                    chosen.append(other)
        return tuple(self._passages[number] for number in chosen)

    def _order(self, turn: int) -> list[int]:
        known = self._orders.get(turn)
        if known is None:
            if len(self._orders) >= _MOST_ROUNDS:
                self._orders.clear()
            # A string seed: Python hashes it with SHA-512, so it is the same in every process.
            rng = random.Random(f"{self._seed}\x1fpassages\x1f{turn}")
            known = self._orders[turn] = rng.sample(range(len(self._passages)), len(self._passages))
        return known


PassagePlans = Mapping[str, PassagePlan]


def _untold(note: str) -> None:
    pass


async def passage_plans(
    plan: DatasetPlanInput, kept: PassageTable, seed: int, left_out: Callable[[str], object] = _untold
) -> PassagePlans:
    """The passage plan of each category that is written from documents.

    A document is read once in the life of a session, and kept: what it says later changes nothing. ``left_out`` is told
    what of a source was not read, and why. Raises ``InputError`` for one that is not there or cannot be read.
    """
    sources = plan.all_sources()
    if not sources:
        return {}
    known = await kept.sources()
    for source in sources:
        if source not in known:
            found = await asyncio.to_thread(read_documents, source)
            await kept.add(source, found.passages)
            if found.notes:
                left_out(f"Of {source} not everything is read: {'; '.join(found.notes)}.")
    plans = {}
    for category in plan.categories:
        if paths := plan.sources_of(category):
            passages = await kept.of(paths)
            plans[category.name] = PassagePlan(passages, category.passages, f"{seed}\x1f{category.name}")
    return plans
