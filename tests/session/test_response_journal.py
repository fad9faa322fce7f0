"""The answers that a session keeps: whole, in order, capped, and gone when nobody wants them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import orjson
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.store.response_journal import ResponseJournal
from dsbuilder_tui.store.rows import Changes, WorkerAnswer
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def journal(session: Session) -> ResponseJournal:
    return session._files.store.responses


async def keep(session: Session, count: int, text: str) -> None:
    store = session._files.store
    answers = [
        WorkerAnswer(
            seq=store.next_seq(), category=session.plan.categories[0].name, ordinals=(1, 2), text=f"{number} {text}"
        )
        for number in range(count)
    ]
    await store.commit(Changes(answers=answers))


async def test_what_a_model_answered_is_kept_whole_and_in_order(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.2, seed=3) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_attempts=20)
        async with await Session.create(make_plan(40), config) as session:
            await session.run()
            calls = [call for call in reversed(await session.calls.page(0, 1000)) if call.delivered]
            answers = await journal(session).page(0, 1000)
            assert [answer.seq for answer in answers] == [call.seq for call in calls]
            assert [len(answer.ordinals) for answer in answers] == [call.size for call in calls]
            accepted = {row.inputs["query"] async for row in session.cases.all()}
            written = {case["inputs"]["query"] for answer in answers for case in orjson.loads(answer.text)["cases"]}
            assert accepted <= written
            # From a place in the history on.
            assert await journal(session).page(answers[1].seq, 2) == answers[2:4]


async def test_none_is_kept_when_nobody_wants_them(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        for settings in ({"base_url": fake.url, "response_journal_mb": 0}, {"provider": "offline"}):
            async with await Session.create(make_plan(8), make_config(**settings)) as session:
                await session.run()
                assert await session.calls.count()
                assert await journal(session).count() == 0


async def test_the_oldest_go_first(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(8), make_config()) as session:
        await keep(session, 50, "short")
        answers, size = await journal(session).page(0, 100), await journal(session).size()
        await journal(session).trim(size)
        assert await journal(session).page(0, 100) == answers
        await journal(session).trim(size // 2)
        left = await journal(session).page(0, 100)
        assert 20 < len(left) < 30
        assert left == answers[-len(left) :]
        await journal(session).trim(0)
        assert (await journal(session).count(), await journal(session).size()) == (0, 0)


async def test_half_a_character_is_kept_as_it_came(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(8), make_config()) as session:
        await keep(session, 1, "half \ud83d of one")
        assert [answer.text for answer in await journal(session).page(0, 5)] == ["0 half \ud83d of one"]


async def test_a_damaged_answer_is_named(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(8), make_config()) as session:
        await keep(session, 3, "an answer of some length, so that there is something to flip")
        folder = session.folder
    with sqlite3.connect(folder / "session.db") as connection:
        connection.execute("UPDATE worker_answer SET answer=substr(answer, 1, size - 4) WHERE seq=3")
    connection.close()
    async with await Session.open(folder) as session:
        with pytest.raises(SessionDamaged, match="kept answer 3"):
            await journal(session).page(0, 5)
