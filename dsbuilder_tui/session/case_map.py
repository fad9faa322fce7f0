"""The cases of a session on a plane, like ones near one another; made off the event loop, and kept up with what comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.session.session_context import SessionContext

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsbuilder_tui.diversity.fingerprint_reader import FingerprintPage
    from dsbuilder_tui.diversity.projection import Projection

MOST_SHOWN = 200  # cases of an area that are read
_FIRST_LOOK = 64  # cases from which on a plane is worth while to be kept
_GROWTH = 1.5  # times as many cases make a new plane
_MOST_FITTED = 4096
_NAMED_BY = 60  # texts of a group that its name is found in
_MOST_REJECTED = 400


@dataclass(frozen=True, slots=True)
class MapGroup:
    """Like cases: a name out of their own words (empty without one), their middle (0 to 1), how many, and whose most are."""

    name: str
    x: float
    y: float
    cases: int
    category: str


@dataclass(frozen=True, slots=True)
class CaseMap:
    """The points: ``seqs`` (n,) places in the history, ``places`` (n, 2) of 0 to 1, ``categories`` (n,) numbers in ``names``.

    ``rejected`` (m, 2) are the places of the newest candidates that were turned away. ``left_out`` counts the cases without a
    fingerprint: those of categories that may repeat themselves.
    """

    seqs: NDArray[np.int64]
    places: NDArray[np.float32]
    categories: NDArray[np.int16]
    rejected: NDArray[np.float32]
    names: Sequence[str]
    groups: Sequence[MapGroup]
    left_out: int = 0

    def within(self, left: float, top: float, right: float, bottom: float) -> list[int]:
        """The cases in an area, its edges included, by their places in the history."""
        x, y = self.places[:, 0], self.places[:, 1]
        return [int(seq) for seq in self.seqs[(x >= left) & (x <= right) & (y >= top) & (y <= bottom)]]

    def rejected_within(self, left: float, top: float, right: float, bottom: float) -> int:
        """How many rejected candidates lie in an area."""
        x, y = self.rejected[:, 0], self.rejected[:, 1]
        return int(((x >= left) & (x <= right) & (y >= top) & (y <= bottom)).sum())


@dataclass(frozen=True, slots=True)
class MapArea:
    """An area looked at: at most 200 of its cases, how many there are, what their attributes are, how like they are.

    ``likeness`` is their mean cosine by the built-in embedding; None with fewer than two.
    """

    cases: Sequence[AcceptedCase]
    total: int
    attributes: Sequence[tuple[str, Sequence[tuple[str, int]]]]  # axis, then its commonest values with their counts
    likeness: float | None


class CaseMapping:
    """Makes the map of one session. A call reads only what is new, until the cases have grown by half."""

    def __init__(
        self, context: SessionContext, fingerprints: Callable[[int], Awaitable[FingerprintPage | None]]
    ) -> None:
        """``fingerprints`` reads the next page of them behind a place in the history."""
        self._context, self._fingerprints = context, fingerprints
        self._lock = asyncio.Lock()
        self._forget()

    def _forget(self) -> None:
        self._projection: Projection | None = None
        self._fitted = 0
        self._pieces: list[tuple[NDArray[np.int64], NDArray[np.float32], list[str], NDArray[np.int32]]] = []
        self._count = self._last = 0
        self._known: object = None
        self._named_for = -1
        self._names: Sequence[str] = ()

    async def now(self) -> CaseMap:
        """The map of what there is. Raises ``StorageError`` or ``SessionDamaged``."""
        async with self._lock:
            known = await self._context.files.store.statistics.disturbed()
            if known != self._known:
                self._forget()
            self._known = known
            try:
                await self._take_in()
                return await self._drawn()
            except BaseException:
                self._forget()  # it may be half of it
                raise

    async def area(self, seqs: Sequence[int]) -> MapArea:
        """What lies in an area: some cases by their places in the history."""
        cases = await self._context.files.store.cases.by_seq(list(seqs)[:MOST_SHOWN])
        counts: dict[str, Counter[str]] = {}
        for case in cases:
            found = case.tags.get("attributes")
            for axis, value in found.items() if isinstance(found, dict) else ():
                counts.setdefault(str(axis), Counter())[str(value)] += 1
        attributes = [(axis, counter.most_common(4)) for axis, counter in counts.items()]
        texts = [display_text(case.inputs) for case in cases if not case.damaged]
        likeness = await asyncio.to_thread(_mean_likeness, texts) if len(texts) > 1 else None
        return MapArea(cases, len(seqs), attributes, likeness)

    async def _take_in(self) -> None:
        while (page := await self._fingerprints(self._last)) is not None:
            if self._projection is None or self._count + len(page.seqs) > _GROWTH * max(self._fitted, _FIRST_LOOK):
                await self._fit()  # and all are read again
                continue
            places, groups = await asyncio.to_thread(self._projection.place, page.vectors)
            self._pieces.append((page.seqs, places, list(page.categories), groups))
            self._count += len(page.seqs)
            self._last = int(page.seqs[-1])

    async def _fit(self) -> None:
        """Make the plane anew of an even sample of all cases, and begin to place them again."""
        import numpy as np

        from dsbuilder_tui.diversity.projection import project

        step = max(1, -(-await self._accepted() // _MOST_FITTED))
        samples, last, count = [], 0, 0
        while (page := await self._fingerprints(last)) is not None:
            samples.append(page.vectors[(-count) % step :: step])
            count += len(page.seqs)
            last = int(page.seqs[-1])
        known = self._known
        self._forget()
        self._known, self._fitted = known, count
        self._projection = await asyncio.to_thread(project, np.concatenate(samples))

    async def _accepted(self) -> int:
        return sum(one.accepted for one in (await self._context.files.store.progress.by_category()).values())

    async def _drawn(self) -> CaseMap:
        import numpy as np

        names = [category.name for category in self._context.plan.categories]
        accepted = await self._accepted()
        if self._projection is None:
            nothing = np.zeros((0, 2), np.float32)
            return CaseMap(
                seqs=np.zeros(0, np.int64), places=nothing, categories=np.zeros(0, np.int16), rejected=nothing, names=names,
                groups=(), left_out=accepted,
            )  # fmt: skip
        seqs = np.concatenate([piece[0] for piece in self._pieces])
        places = np.concatenate([piece[1] for piece in self._pieces])
        groups = np.concatenate([piece[3] for piece in self._pieces])
        numbers = {name: number for number, name in enumerate(names)}
        of = np.array([numbers.setdefault(name, len(numbers)) for piece in self._pieces for name in piece[2]], np.int16)
        names = list(numbers)
        if self._named_for != self._fitted:
            self._names = await self._group_names(seqs, groups)
            self._named_for = self._fitted
        rejected = await self._rejected(self._projection)
        drawn = []
        for number, name in enumerate(self._names):
            members = groups == number
            if members.any():
                x, y = np.median(places[members], axis=0).tolist()
                most = int(np.bincount(of[members]).argmax())
                drawn.append(MapGroup(name, x, y, int(members.sum()), names[most]))
        return CaseMap(
            seqs=seqs, places=places, categories=of, rejected=rejected, names=names, groups=drawn,
            left_out=max(0, accepted - len(seqs)),
        )  # fmt: skip

    async def _group_names(self, seqs: NDArray[np.int64], groups: NDArray[np.int32]) -> list[str]:
        from dsbuilder_tui.diversity.telling_words import telling_words

        texts: list[list[str]] = []
        for number in range(int(groups.max()) + 1):
            members = seqs[groups == number]
            chosen = members[:: max(1, len(members) // _NAMED_BY)][:_NAMED_BY]
            cases = await self._context.files.store.cases.by_seq([int(seq) for seq in chosen])
            texts.append([display_text(case.inputs) for case in cases if not case.damaged])
        return await asyncio.to_thread(telling_words, texts)

    async def _rejected(self, projection: Projection) -> NDArray[np.float32]:
        import numpy as np

        page = await self._context.files.store.rejections.page(0, _MOST_REJECTED)
        texts = [rejection.text for rejection in page if rejection.text]
        if not texts:
            return np.zeros((0, 2), np.float32)
        return await asyncio.to_thread(_placed, projection, texts)


def _placed(projection: Projection, texts: Sequence[str]) -> NDArray[np.float32]:
    from dsbuilder_tui.diversity.static_embedding import built_in_embedder

    return projection.place(built_in_embedder().embed(texts))[0]


def _mean_likeness(texts: Sequence[str]) -> float:
    """The mean cosine of all pairs of texts."""
    from dsbuilder_tui.diversity.static_embedding import built_in_embedder

    rows = built_in_embedder().embed(texts)
    count, whole = len(rows), rows.sum(axis=0)
    return float((whole @ whole - (rows * rows).sum()) / (count * (count - 1)))
