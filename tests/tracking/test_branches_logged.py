"""The dataset in a real MLflow database is the branch that is worked on, through rewinds, forks, switches and merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from tests.support.tracked import assert_same

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]


async def logged(uri: str, session: Session) -> dict[str, Any]:
    """What MLflow holds when all has arrived: one dataset, one run, and each record of the branch that it came on."""
    state = await session.tracking.settle(60)
    assert state is not None and not state.waiting and not state.error
    held = await assert_same(uri, session)
    assert len(held["datasets"]) == len(held["runs"]) == 1
    return held


def branches_of(held: dict[str, Any]) -> dict[str, int]:
    return dict(Counter(record["tags"]["branch"] for dataset in held["datasets"] for record in dataset["records"]))


async def test_the_dataset_follows_the_head(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=uri, checkpoint_interval=10)
    async with await Session.create(make_plan(30, 20), config) as session:
        await session.run()
        assert branches_of(await logged(uri, session)) == {"main": 50}
        points = await session.checkpoints.all()
        early = next(point for point in points if point.accepted == 10)
        await session.branches.rewind(early.id, keep_as="whole")  # tombstones for what is left behind
        assert branches_of(await logged(uri, session)) == {"main": 10}
        case = (await session.cases.page(0, 1))[0]
        await session.cases.edit(case.category, case.ordinal, {"query": "What this case says on main alone?"}, {})
        await session.branches.fork(early.id, "other")
        await session.branches.switch("other")  # where the edit never was
        assert branches_of(await logged(uri, session)) == {"main": 10}
        await session.run()
        assert branches_of(await logged(uri, session)) == {"main": 10, "other": 40}
        await session.branches.switch("whole")
        assert branches_of(await logged(uri, session)) == {"main": 10, "whole": 40}
        await session.branches.switch("main")
        found = await session.branches.merge("whole")
        assert len(found.came) + len(found.turned_away) == 40 and found.came
        held = await logged(uri, session)
        assert branches_of(held) == {"main": 10 + len(found.came)}
        assert found.checkpoint is not None
        await session.branches.rewind(found.checkpoint)
        assert branches_of(await logged(uri, session)) == {"main": 10}
        name = session.id
    async with await Session.open(name, make_config(mlflow_tracking_uri=uri)) as session:
        await session.branches.switch("other")
        assert (await session.tracking.sync(60)).finished
        assert branches_of(await assert_same(uri, session)) == {"main": 10, "other": 40}


async def test_what_moved_while_nothing_was_sent_is_sent_later(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=uri, checkpoint_interval=10)
    async with await Session.create(make_plan(30), config) as session:
        await session.run()
        await session.tracking.settle(60)
        name, point = session.id, next(p for p in await session.checkpoints.all() if p.accepted == 20)
    async with await Session.open(name, make_config(mlflow_tracking_uri=uri)) as session:  # nobody drains the outbox
        await session.branches.rewind(point.id)
    async with await Session.open(name, make_config(mlflow_tracking_uri=uri)) as session:
        assert (await session.tracking.sync(60)).waiting == 0
        await assert_same(uri, session)
        assert (await session.summary()).instances_created == 20
