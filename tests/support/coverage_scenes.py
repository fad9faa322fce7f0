"""Sessions for pictures of the coverage screen: cases with the attributes of their slots, and fingerprints."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from textual.pilot import Pilot

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.generation.slots import slot_plans
from dsbuilder_tui.session.case_map import CaseMap, MapGroup
from tests.support.frozen import FrozenApp, Script
from tests.support.prints import prints_of
from tests.support.scenes import HALF, HOSTILE, SHOP, plan_of

AXES = {
    "persona": ["student", "worried parent", "busy professional", "someone asking for another person"],
    "tone": ["polite", "impatient", "angry", "formal"],
    "length": ["short", "medium", "long"],
}


class Covered(Script):
    """Its refunds are seldom angry: that is a thin cell."""

    def __init__(self, app: FrozenApp, plan: DatasetPlanInput) -> None:
        super().__init__(app, plan)
        self._slots = slot_plans(plan, 0)

    def _case(self, name: str, ordinal: int, at: float, batch: int) -> AcceptedCase:
        case = super()._case(name, ordinal, at, batch)
        own = self._slots[name].attributes(ordinal)
        if name == "refunds" and own.get("tone") == "angry" and ordinal % 6:
            own["tone"] = "impatient"
        return replace(case, tags={**case.tags, "attributes": own})


async def _begun(app: FrozenApp, counts: Mapping[str, int], **plan: Any) -> Covered:
    script = Covered(app, plan_of(counts, **{"axes": AXES, **plan}))
    await script.open()
    script.session.diversity.fingerprints = prints_of(script.session)  # type: ignore[method-assign]
    await script.began()
    script.session._files.at_work_elsewhere = True  # the run is told by events alone, and no pause is to be shown
    return script


async def filling(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await _begun(app, SHOP)
    await script.write(HALF)
    await script.at_work(("order_status", 14, 3.2), ("refunds", 6, 1.1))
    await script.show(pilot)


async def many_categories(app: FrozenApp, pilot: Pilot[Any]) -> None:
    names = {f"{area}_{what}": 24 * (1 + number % 3) for number, (area, what) in enumerate(
        (area, what) for area in ("orders", "refunds", "products", "account")
        for what in ("simple", "several_intents", "angry", "adversarial")
    )}  # fmt: skip
    script = await _begun(app, names)
    await script.write({name: (count * (n % 5) // 4, n % 3) for n, (name, count) in enumerate(names.items())})
    await script.show(pilot)


async def hostile(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await _begun(app, {"order_status": 40}, axes={"tone": [HOSTILE, "polite"], "b.x": ["[b]x", "`"]})
    await script.write({"order_status": (22, 6)})
    await script.show(pilot)


async def mapped(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A map of made-up places: those of a real one hang on the machine's arithmetic."""
    script = await _begun(app, SHOP)
    await script.write(HALF)
    drawn = _laid_out(script.session)
    script.session.diversity.map = drawn  # type: ignore[method-assign]
    await script.show(pilot)


def _laid_out(session: Session) -> Callable[[], Awaitable[CaseMap]]:
    middles = {"order_status": (0.22, 0.4), "refunds": (0.52, 0.62), "product_info": (0.8, 0.3)}
    words = {"order_status": "where is my order", "refunds": "damaged goods", "product_info": "warranty"}

    async def drawn() -> CaseMap:
        chance = random.Random(7)
        cases = sorted([case async for case in session.cases.all()], key=lambda case: case.seq)
        names = [category.name for category in session.plan.categories]
        spots = [
            tuple(min(0.99, max(0.0, middle + chance.gauss(0, 0.09))) for middle in middles[case.category])
            for case in cases
        ]
        rejected = [(0.5 + chance.gauss(0, 0.1), 0.6 + chance.gauss(0, 0.1)) for _ in range(40)]
        return CaseMap(
            seqs=np.array([case.seq for case in cases]),
            places=np.array(spots, np.float32),
            categories=np.array([names.index(case.category) for case in cases], np.int16),
            rejected=np.array(rejected, np.float32),
            names=names,
            groups=[MapGroup(words[name], *middles[name], 50, name) for name in names],
        )

    return drawn
