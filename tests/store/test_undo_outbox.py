"""The outbox of MLflow behind undo and redo: what it sends leads to the records of the dataset as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from dsbuilder_tui import DatasetBuilderConfig, Session
from tests.session.test_branches import plan

Configs = Callable[..., DatasetBuilderConfig]


async def test_what_is_undone_is_sent(make_config: Configs) -> None:
    records: dict[bytes, Any] = {}

    async def agrees(session: Session) -> None:
        """Send what waits, as the writer does, and look."""
        outbox = session._files.store.outbox
        while (batch := await outbox.batch(20)).ids:
            for delete in batch.deletes:
                records.pop(_key(delete.inputs), None)
            for case in batch.cases:
                records[_key(case.inputs)] = (case.case_id, case.expectations, case.tags)
            await outbox.done(batch.ids)
        assert records == {
            _key(case.inputs): (case.case_id, case.expectations, case.tags) async for case in session.cases.all()
        }

    async with await Session.create(plan(), make_config(seed=3, checkpoint_interval=10)) as session:
        await session.run()
        await session._files.store.outbox.begin(everything=True)
        await agrees(session)
        point = (await session.checkpoints.all())[1].id
        await session.cases.withdraw("refunds", 3, "no")
        await session.cases.edit("refunds", 4, {"query": "Said otherwise"}, {"expected_response": "so"})
        await session.cases.annotate("refunds", 5, note="look")
        await session.branches.rewind(point)
        await agrees(session)
        for _ in range(4):
            await session.undo_log.undo()
            await agrees(session)
        for _ in range(4):
            await session.undo_log.redo()
            await agrees(session)
        await session.undo_log.undo(2)
        await session.undo_log.redo()
        await agrees(session)


def _key(inputs: dict[str, Any]) -> bytes:
    return orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)
