"""Everything of a session that an undo must bring back, as plain data."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui import Session
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, reduce
from tests.session.test_branches import state


async def snapshot(session: Session) -> dict[str, Any]:
    """Rows, plan, counters, coverage, settings with their layers, names, labels for the judge, what must not come back."""
    store = session._files.store
    found = await state(session)
    summary = await session.summary()
    found["state"], found["categories"], found["stages"] = summary.state, summary.categories, summary.rejections
    found["settings"] = session.settings.kept
    found["seals"] = session._files.meta.get("seals")
    found["layers"] = {name: session.settings.layer_of(name) for name in ("budget", "max_workers", "near_threshold")}
    found["values"] = {name: session.settings.get(name) for name in ("budget", "max_workers", "near_threshold")}
    found["name"] = session.id
    found["branch"] = (await session.branches.current()).name
    found["names"] = [(p.id, p.name, p.note) for p in await session.checkpoints.all() if p.name or p.note]
    if session.planned:
        coverage = await session.diversity.coverage()
        found["coverage"] = repr(coverage)
    found["gone"] = sorted(text.seq for text in await store.slots.removed(1000))
    found["labels"] = await store.verdicts.labels()
    return found


async def replayed(session: Session) -> RunView:
    """The view that the recorded events lead to."""
    view = RunView()
    async for event in recorded_events(session):
        view = reduce(view, event)
    return view
