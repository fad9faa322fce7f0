"""An embedding endpoint that does not come to an end, and a run that is to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.domain.flags import COMPARED_BEGINNING
from tests.support.fake_agent import Reply
from tests.support.fake_contents import word
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


@pytest.mark.parametrize("answered", [0, 1, 2])
@pytest.mark.parametrize("hurried", [False, True])
async def test_a_pause_does_not_wait_for_vectors(
    make_plan: Plans, make_config: Configs, answered: int, hurried: bool
) -> None:
    """Neither when the run begins, which asks how long a vector is and takes the examples, nor for candidates."""
    async with FakeOpenAI(embedding_script=["ok"] * answered + ["trickle_comments"] * 50) as fake:
        config = make_config(
            provider="openai", base_url=fake.url, embedding_model="e5", batch_size=2, max_workers=2,
            drain_timeout=3600 if hurried else 0.1,
        )  # fmt: skip
        async with await Session.create(make_plan(12), config) as session:
            run = asyncio.ensure_future(session.run())
            while len(fake.embedding_bodies) <= answered:
                await asyncio.sleep(0.01)
            session.request_pause()
            if hurried:
                session.drop_in_flight()
            result = await asyncio.wait_for(run, 30)
            assert (result.state, result.accepted) == ("paused", 0)
            fake.embedding_script.clear()
            assert (await session.run()).accepted == 12


async def test_vectors_that_fail_at_the_end_of_a_run_end_it(make_plan: Plans, make_config: Configs) -> None:
    """All is written and waits to be compared: nobody waits for a comparison that will not come."""
    async with FakeOpenAI(embedding_script=["ok", "ok", *["server_error"] * 50]) as fake:
        config = make_config(
            provider="openai", base_url=fake.url, embedding_model="e5", batch_size=12, max_workers=1, max_retries=0
        )
        async with await Session.create(make_plan(12), config) as session:
            with pytest.raises(EndpointUnavailable, match="embeddings"):
                await asyncio.wait_for(session.run(), 30)


async def test_a_case_that_was_compared_by_its_beginning_says_so(make_plan: Plans, make_config: Configs) -> None:
    def written(body: dict[str, Any], call: int) -> Reply:
        """Two cases of every three are longer than the embedding model takes."""
        cases = [
            {
                "slot": int(slot),
                "inputs": {"query": " ".join(word(40 * call + n) for n in range(40 if call % 3 else 5))},
            }
            for slot in re.findall(r"^(\d+)\. ", body["messages"][-1]["content"], re.MULTILINE)
        ]
        return Reply(
            {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}], "usage": {}}
        )

    async with FakeOpenAI(embedding_script=["most 220"] * 500, reply_for=written) as fake:
        config = make_config(
            provider="openai", base_url=fake.url, embedding_model="e5", batch_size=1, max_workers=1,
            diversity_stages=("semantic",), semantic_threshold=0.999,
        )  # fmt: skip
        async with await Session.create(make_plan(9), config) as session:
            assert (await session.run()).accepted == 9
            cases = [case async for case in session.cases.all()]
    marked = {case.ordinal: case.tags.get(COMPARED_BEGINNING) for case in cases}
    assert {bool(mark) for mark in marked.values()} == {True, False}
    for case in cases:
        whole = len(case.inputs["query"]) <= 220
        assert (marked[case.ordinal] is None) == whole and (whole or marked[case.ordinal] < len(case.inputs["query"]))
