"""Looking at a session in pages and by search."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.store.rows import Changes
from tests.session.test_determinism import NARROW
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def two(first: int, second: int) -> DatasetPlanInput:
    return DatasetPlanInput(
        dataset_name="pages",
        categories=[
            DatasetCategory(name="zebra", count=first, example_inputs="Hi?"),
            DatasetCategory(name="ant", count=second, example_inputs="Hi?"),
        ],
    )


async def put(session: Session, texts: dict[tuple[str, int], str], **tags: Any) -> None:
    """Cases straight into the session file, in the order given."""
    store = session._files.store
    cases = [
        AcceptedCase(
            seq=store.next_seq(),
            category=name,
            ordinal=ordinal,
            inputs={"query": text},
            expectations={},
            tags={"model": "m", **tags},
            created_at=1.0,
            structure=None,
            batch=7,
        )
        for (name, ordinal), text in texts.items()
    ]
    await store.commit(Changes(accepted=cases))


@pytest.fixture
async def session(make_config: Configs) -> AsyncIterator[Session]:
    async with await Session.create(two(40, 20), make_config()) as made:
        yield made


async def found(session: Session, text: str = "", **marks: Any) -> list[str]:
    seqs = [seq async for step in session.cases.search(text, **marks) for seq in step.seqs]
    return [case.case_id for case in await session.cases.by_seq(seqs)]


async def test_pages_follow_the_plan_and_the_slots(session: Session) -> None:
    order = [("ant", 3), ("zebra", 9), ("ant", 1), ("zebra", 2), ("zebra", 30)]
    await put(session, {slot: f"text {slot}" for slot in order})
    ids = ["zebra-00002", "zebra-00009", "zebra-00030", "ant-00001", "ant-00003"]
    assert [c.case_id for c in await session.cases.page(0, 10)] == ids
    for offset in range(6):
        assert [c.case_id for c in await session.cases.page(offset, 2)] == ids[offset : offset + 2]
    assert [c.case_id for c in await session.cases.page(1, 5, category="ant")] == ["ant-00003"]
    newest = [f"{name}-{ordinal:05d}" for name, ordinal in reversed(order)]
    assert [c.case_id for c in await session.cases.page(0, 10, newest_first=True)] == newest
    assert [c.case_id for c in await session.cases.page(1, 1, category="zebra", newest_first=True)] == ["zebra-00002"]
    assert await session.cases.page(0, 5, category="nothing like it") == []
    case = await session.cases.get("ant", 3)
    assert case is not None and (case.batch, case.damaged, case.inputs) == (7, False, {"query": "text ('ant', 3)"})
    assert await session.cases.get("ant", 2) is None and await session.cases.get("none", 1) is None
    back = await session.cases.by_seq([case.seq + 2, 999, case.seq])
    assert [c.case_id for c in back] == ["ant-00001", "ant-00003"]
    assert await session.cases.counts_at(case.seq + 1) == {"zebra": 1, "ant": 1}
    assert await session.cases.counts_at(0) == {"zebra": 0, "ant": 0}


async def test_an_export_up_to_a_place_in_the_history(session: Session, tmp_path: Path) -> None:
    await put(session, {("ant", 2): "early"})
    point = await session.checkpoints.save()
    await put(session, {("ant", 1): "late"})
    assert await session.export(tmp_path / "a.jsonl", at=point.id) == 1
    assert b"early" in (tmp_path / "a.jsonl").read_bytes()
    assert await session.export(tmp_path / "a.jsonl") == 2


async def test_a_tag_is_searched_for_by_name_and_by_value(session: Session) -> None:
    tags: dict[tuple[str, int], dict[str, Any]] = {
        ("zebra", 1): {"easy": True, "attributes": {"tone": "Angry"}},
        ("zebra", 2): {"easy": False, "source": "old.csv"},
        ("zebra", 3): {"labels": ["vip", "late"], "n": 7},
        ("zebra", 4): {"note": "", "odd.name": "x"},
    }
    for slot, own in tags.items():
        await put(session, {slot: f"tag:easy is text {slot[1]}" if slot[1] == 4 else f"text {slot[1]}"}, **own)
    for words, numbers in (
        ("tag:easy", [1]), ("tag:easy=true", [1]), ("tag:easy=false", [2]), ("TAG:easy text", [1]), ("tag:easy 2", []),
        ("tag:attributes.tone", [1]), ("tag:attributes.tone=angry", [1]), ("tag:attributes.tone=calm", []),
        ("tag:labels=vip", [3]), ("tag:labels=vi", []), ("tag:n=7", [3]), ("tag:source=OLD.csv", [2]), ("tag:model=m", [1, 2, 3, 4]),
        ("tag:note", []), ("tag:nothing", []), ("tag:", [4]), ("tag:labels tag:n", [3]), ('tag:"easy"', [1]),
        ("tag:easy') OR 1=1--", []), ("tag:$.easy", []),
    ):  # fmt: skip
        assert await found(session, words) == [f"zebra-{n:05d}" for n in numbers], words


async def test_every_word_must_be_somewhere(session: Session) -> None:
    texts = {
        ("zebra", 1): "Where is my ORDER?",
        ("zebra", 2): "100% of it",
        ("zebra", 3): "100 of it, a_b",
        ("ant", 4): 'He said "no" to C:\\temp\nand left',
        ("ant", 5): "Où est ma COMMANDE à Zürich? ÉTÉ",
        ("ant", 6): "axb!",
    }
    await put(session, texts)
    ids = {text: f"{name}-{ordinal:05d}" for (name, ordinal), text in texts.items()}
    wanted = {
        "order where": ["zebra-00001"], "order nowhere": [], "100%": ["zebra-00002"], "a_b": ["zebra-00003"],
        '"no"': ["ant-00004"], "c:\\TEMP": ["ant-00004"], "ZÜRICH": ["ant-00005"], "été": ["ant-00005"],
        "où commande": ["ant-00005"], "axb!": ["ant-00006"], "ANT-0000": ["ant-00004", "ant-00005", "ant-00006"],
        "'; DROP": [], "": list(ids.values()), "   ": list(ids.values()), "\ud800": [], "?" * 60_000: [],
    }  # fmt: skip
    for text, expected in wanted.items():
        assert await found(session, text) == expected, text[:20]
        assert await found(session, text, newest_first=True) == expected[::-1], text[:20]
    assert await found(session, "it", category="zebra") == ["zebra-00002", "zebra-00003"]
    assert await found(session, "it", category="ant") == []


async def test_marks(session: Session) -> None:
    await put(session, {("zebra", 1): "one"}, note="see me", attributes={"pinned": "true", "note": "x"})
    await put(session, {("zebra", 2): "two"}, pinned=True)
    await put(session, {("zebra", 3): "three"}, edited=True, pinned=True)
    await put(
        session, {("zebra", 4): 'four "note": "edited":true'}, attributes={"pinned": "x", "note": "a", "edited": "y"}
    )
    await put(session, {("zebra", 5): "five"}, easy=True)
    await put(session, {("zebra", 6): 'six "easy": true'}, attributes={"easy": "true"})
    assert await found(session, easy=True) == ["zebra-00005"]
    assert await found(session, noted=True) == ["zebra-00001"]
    assert await found(session, pinned=True) == ["zebra-00002", "zebra-00003"]
    assert await found(session, "three", pinned=True, edited=True) == ["zebra-00003"]
    assert await found(session, "see me") == ["zebra-00001"]


async def test_ten_thousand_cases(make_config: Configs) -> None:
    async with await Session.create(two(8000, 2000), make_config()) as session:
        await put(session, {("ant", n): f"Ameise {n} Ä{n}" for n in range(2000, 0, -1)})
        await put(session, {("zebra", n): f"Streifen {n} 50%_{n}" for n in range(1, 8001)})
        assert [c.case_id for c in await session.cases.page(9998, 5)] == ["ant-01999", "ant-02000"]
        assert [c.ordinal for c in await session.cases.page(7999, 2)] == [8000, 1]
        assert [c.case_id for c in await session.cases.page(9999, 5, newest_first=True)] == ["ant-02000"]
        for newest in (False, True):
            steps = [step async for step in session.cases.search("50%_7777", newest_first=newest)]
            assert [step.scanned for step in steps] == [2000, 4000, 6000, 8000, 10000]
            assert {step.total for step in steps} == {10000}
            assert sum(len(step.seqs) for step in steps) == 1
        assert await found(session, "ä1999") == ["ant-01999"]
        assert len(await found(session, "ameise")) == 2000
        plain = [step async for step in session.cases.search("ameise", category="ant", newest_first=True)]
        assert [(step.scanned, step.total) for step in plain] == [(2000, 2000)]


async def test_a_damaged_case_is_marked_in_pages(session: Session) -> None:
    await put(session, {("zebra", 1): "one", ("zebra", 2): "two", ("zebra", 3): "three"}, note="n")
    plain = sqlite3.connect(session.folder / "session.db")
    plain.execute("UPDATE accepted_case SET inputs='{\"query\": \"tw', tags='{' WHERE ordinal=2")
    plain.execute("UPDATE accepted_case SET inputs=CAST(x'ff00fe' AS TEXT) WHERE ordinal=3")
    plain.commit()
    plain.close()
    page = await session.cases.page(0, 10)
    assert [case.damaged for case in page] == [False, True, True]
    assert page[1].inputs == {"query": '{"query": "tw'} and page[1].tags == {}
    assert "\ufffd" in page[2].inputs["query"]
    assert await found(session, noted=True) == ["zebra-00001", "zebra-00003"]
    with pytest.raises(SessionDamaged):
        assert [case async for case in session.cases.all()]


async def test_rejections_with_what_is_around_them(make_config: Configs) -> None:
    async with await Session.create(NARROW, make_config(max_attempts=2)) as session:
        await session.run()
        total = await session.rejections.count()
        stages = await session.rejections.by_stage()
        assert total == sum(stages.values()) > 5 and stages["structural"] > 0
        page = await session.rejections.page(0, total + 5)
        assert [r.seq for r in page] == sorted((r.seq for r in page), reverse=True) and len(page) == total
        assert await session.rejections.page(2, 2) == page[2:4]
        first = page[0]
        assert first.batch > 0 and first.candidate is not None
        assert set(first.candidate) == {"inputs", "expectations", "tags"}
        assert first.candidate["inputs"]["query"][:40] == first.text[:40]
        of_a = await session.rejections.count(category="a")
        assert of_a + await session.rejections.count(category="b") == total
        assert await session.rejections.count(stage="schema") == 0
        word = first.text.split()[0]
        assert first in await session.rejections.page(0, total, text=f"{word.upper()} {first.category}-")
        assert await session.rejections.count(text="nothing like this") == 0
        context = await session.rejections.context(first)
        assert context.nearest is not None and context.nearest.case_id == first.nearest_case_id
        assert set(context.attributes) == set(first.candidate["tags"]["attributes"])
        assert context.successor == await session.cases.get(first.category, first.ordinal)


async def test_worker_calls(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok", "malformed"]) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=1)
        async with await Session.create(make_plan(12), config) as session:
            await session.run()
            assert await session.calls.count() == len(fake.bodies)
            calls = await session.calls.page(0, 100)
            assert [call.batch for call in calls] == sorted((call.batch for call in calls), reverse=True)
            assert calls[-1].usage.prompt_tokens == 100 and calls[-1].worker == 1
            assert await session.calls.page(1, 1) == calls[1:2]
            bad = (await session.rejections.page(0, 5, stage="schema"))[0]
            assert bad.candidate is None and (await session.rejections.context(bad)).nearest is None
