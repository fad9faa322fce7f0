"""A session whose history has several branches, photographed."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from dsbuilder_tui.store.rows import Changes
from tests.support.frozen import NOW, FrozenApp, Script
from tests.support.scenes import SHOP, half_way, plan_of, talk


async def grown(script: Script, name: str, ordinals: range, at: float) -> None:
    """Cases that were accepted later."""
    cases = [script._case(name, ordinal, at + place, 90) for place, ordinal in enumerate(ordinals)]
    await script.store.commit(Changes(accepted=cases))


async def branched(app: FrozenApp, pilot: Pilot[Any]) -> None:
    script = await half_way(app)
    await talk(script)
    await script.paused()
    session = script.session
    for trace in session.calls.live():
        session._context.call_log.end(trace, NOW, "cancelled")
    points = await session.checkpoints.all()
    script.clock.at = NOW + 60
    await session.branches.fork(points[2].id, "angrier customers")
    await session.branches.switch("angrier customers")
    await session.plans.revise(plan_of({**SHOP, "refunds": 260}))
    await grown(script, "refunds", range(101, 131), NOW + 61)
    await session.checkpoints.save("thirty more", note="They are angry enough now; the tone is right.")
    await session.branches.switch("main")
    await session.branches.rewind(points[3].id)
    await grown(script, "product_info", range(41, 61), NOW + 90)
    await session.checkpoints.save()
    await session.chat.add("person", "Now the same with product questions, please.")
    await grown(script, "product_info", range(61, 76), NOW + 120)
    await session.checkpoints.save("second try")
    script.view = await script._reread()
    await script.show(pilot)
    assert app.live is not None
    await app.live.reread()
