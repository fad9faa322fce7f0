"""Sessions of an old version: what its workers did not write stands among the rejections there, and is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Rejection
from dsbuilder_tui.domain.data_question import DataQuestion, DataSubject
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.store.rows import Changes
from tests.support.likeness import accept, reject

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
NOT_WRITTEN = (Stage.MISSING, CallOutcome.TRUNCATED, CallOutcome.REFUSED)


async def test_what_nobody_wrote_is_counted_and_shown_nowhere(
    make_config: Configs, make_plan: Plans, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config()
    async with await Session.create(make_plan(), config) as session:
        name = session.plan.categories[0].name
        (case,) = await accept(session, name, ["Where is my parcel?"])
        (real,) = await reject(session, name, Stage.NEAR, [0.95], nearest=case, slot=2)
        store = session._files.store
        await store.commit(
            Changes(
                rejected=[
                    Rejection(seq=store.next_seq(), category=name, ordinal=3, attempt=attempt, stage=stage, reason="",
                              text="", created_at=7.0)
                    for attempt, stage in enumerate(NOT_WRITTEN, 1)
                ]
            )
        )  # fmt: skip
        assert [one.seq for one in await session.rejections.page(0, 10)] == [real.seq]
        assert await session.rejections.count() == 1 and await session.rejections.place(real.seq) == 0
        summary = await session.summary()
        assert summary.rejections == {"near": 1} and summary.categories[name]["rejected"] == 1
        answer = await session.data.ask(DataQuestion(what=DataSubject.REJECTED))
        assert answer.said.startswith("1 of 2 candidates was turned away")
        told = [event async for event in recorded_events(session) if isinstance(event, CaseRejected)]
        assert [event.seq for event in told] == [real.seq]
        folder, session_id = config.checkpoint_root, session.id
    assert await asyncio.to_thread(main, ["show", session_id, "--checkpoint-dir", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "near 1" in shown and not any(stage in shown for stage in NOT_WRITTEN), shown
