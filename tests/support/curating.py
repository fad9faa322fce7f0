"""What tests of a person's acts on cases share."""

from __future__ import annotations

import asyncio
from typing import Any

from dsbuilder_tui import Session
from dsbuilder_tui.domain.events import Event


async def check(session: Session) -> None:
    """The counters say what the rows say, and no slot is filled twice."""
    planned = {c.name: c.count for c in session.plan.categories}
    cases = [case async for case in session.cases.all()]
    assert len({(case.category, case.ordinal) for case in cases}) == len(cases)
    state = await session.summary()
    assert state.instances_created == len(cases)
    assert sum(state.rejections.values()) == sum(c["rejected"] for c in state.categories.values())
    for name, counts in state.categories.items():
        assert counts["accepted"] == sum(case.category == name for case in cases) <= planned[name]
    rows = await session._files.store.connection.read(
        lambda c: c.execute("SELECT count(*) FROM exhausted_slot").fetchone()
    )
    assert rows == (state.exhausted_slots,)


async def run_to_the_end(session: Session, acts: list[asyncio.Task[None]]) -> None:
    """Run until all slots are settled and all acts done; the last ones may come when a run has ended."""
    state = "new"
    while state not in ("complete", "short"):
        await session.run()
        await asyncio.gather(*acts)
        state = (await session.summary()).state


def told(events: list[Event], kind: str) -> list[dict[str, Any]]:
    return [event.facts() for event in events if event.type == kind]


async def texts(session: Session) -> list[str]:
    return [case.inputs["query"] async for case in session.cases.all()]
