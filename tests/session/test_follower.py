"""A session is followed beside the process that writes it: every event once, the plan, the name and the branch as they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import SessionInUse, StorageError
from dsbuilder_tui.domain.events import BranchSwitched, CaseAccepted, CheckpointSaved, Event, MessageAdded, PlanRevised
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.session import library
from dsbuilder_tui.session.follower import SessionFollower
from dsbuilder_tui.settings.stack import load_config

Plans = Callable[..., DatasetPlanInput]


async def test_everything_that_is_written_is_told_once(make_plan: Plans) -> None:
    told: list[Event] = []
    async with await Session.create(make_plan(30, name="shop"), load_config(checkpoint_interval=10)) as writer:
        await writer.chat.add(MessageRole.PERSON, "before")
        follower = await SessionFollower.open("shop", load_config())
        async with follower.session as watched:
            watched.subscribe(told.append)
            assert watched.read_only and follower.owner is not None and not await follower.look()
            writer.subscribe(lambda event: None)
            await writer.run()
            await writer.chat.add(MessageRole.PERSON, "after")
            assert await follower.look() and not await follower.look()
            cases = Counter(event.case_id for event in told if isinstance(event, CaseAccepted))
            assert len(cases) == 30 and set(cases.values()) == {1}
            assert [event.message.text for event in told if isinstance(event, MessageAdded)] == ["after"]
            points = await writer.checkpoints.all()
            assert [event.checkpoint for event in told if isinstance(event, CheckpointSaved)] == [p.id for p in points]
            assert (await watched.summary()).instances_created == 30

            await writer.plans.revise(make_plan(35, name="shop"))
            await follower.look()
            assert watched.plan.total_instances == 35 and watched.plans.revision == 2
            assert [event.planned for event in told if isinstance(event, PlanRevised)] == [35]

            await writer.branches.rewind(points[0].id)
            await follower.look()
            assert (await watched.summary()).instances_created == points[0].accepted == 10
            assert [event.accepted for event in told if isinstance(event, BranchSwitched)] == [10]

            await writer.rename("store")
            await follower.look()
            assert watched.id == "store" and follower.owner is not None
            await writer.chat.add(MessageRole.PERSON, "renamed")
            await follower.look()
            assert told[-1].message.text == "renamed"  # type: ignore[attr-defined]

            with pytest.raises(SessionInUse, match="only watches store"):
                await watched.chat.add(MessageRole.PERSON, "no")
            await writer.aclose()
            assert await follower.look() and follower.owner is None
            await library.trash_session(Path(watched.folder), watched.clock)
            with pytest.raises(StorageError, match="is not there any more"):
                await follower.look()
