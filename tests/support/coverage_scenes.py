"""Sessions for pictures of the coverage screen: cases with the attributes of their slots, and fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.generation.slots import slot_plans
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
