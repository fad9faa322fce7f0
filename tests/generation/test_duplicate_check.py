"""The duplicate history of a session: kept in files, made again when they are lost, the same after a resume."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.diversity.fingerprint_file import NAMES
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.domain.pause_cause import Pause
from tests.support.fake_contents import word
from tests.support.fake_openai import FakeOpenAI
from tests.support.raw_file import written_otherwise

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

TEXTS = [" ".join(word(7919 * n + 31 * k) for k in range(9)) for n in range(60)]
REPEATED = "The zip of my winter coat broke after two days, can I send the coat back and get another one"
REPEATS = [REPEATED.upper() + "!", REPEATED.replace("can I", "may I"), f"{REPEATED} please"]


async def run_until(session: Session, count: int) -> list[CaseRejected]:
    """Run until so many cases are accepted, or to the end; what was turned away on the way."""
    events = session.events()
    run = asyncio.create_task(session.run())
    rejected = []
    accepted = 0
    async for event in events:
        if isinstance(event, CaseRejected):
            rejected.append(event)
        accepted += event.type == "case_accepted"
        if accepted == count:
            session.request_pause(Pause("enough"))
        if event.type in ("run_paused", "run_finished"):
            break
    await run
    return rejected


def says(fake: FakeOpenAI, *texts: str) -> None:
    fake._text = iter(texts).__next__  # type: ignore[method-assign]


@pytest.mark.parametrize("lost", [None, NAMES[0], NAMES[1], NAMES[2], "all", "damaged"])
async def test_a_resumed_run_knows_what_was_accepted(make_plan: Plans, make_config: Configs, lost: str | None) -> None:
    async with FakeOpenAI(latency=0.06) as fake:
        says(fake, REPEATED, *TEXTS)
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(12), config) as session:
            folder = session.folder
            await run_until(session, 3)
        rows = folder / NAMES[1]
        for name in NAMES:
            if lost in (name, "all"):
                (folder / name).unlink()
        if lost == "damaged":
            data = bytearray(rows.read_bytes())
            data[60] ^= 4
            rows.write_bytes(data)
        says(fake, *REPEATS, *TEXTS[20:])
        async with await Session.open(folder) as session:
            rejected = await run_until(session, 99)
            assert {event.nearest_case_id for event in rejected} == {"category_1-00001"}
            assert [event.stage for event in rejected] == ["structural", "near", "near"]
            assert (await session.summary()).state == "complete"


async def test_nothing_is_decided_anew(make_plan: Plans, make_config: Configs) -> None:
    """What a stricter setting would turn away stays, and what a looser one would let in stays away."""
    async with FakeOpenAI() as fake:
        says(fake, REPEATED, REPEATS[1], *TEXTS)
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(6), config) as session:
            folder = session.folder
            await run_until(session, 3)
            before = await session.rejections.page(0, 10)
            kept = [case.inputs for case in await session.cases.page(0, 10)]
        async with await Session.open(folder) as session:
            await session.settings.change({"near_threshold": 0.2, "max_attempts": 2})
            await session.run()
            assert (await session.rejections.page(0, 100))[-len(before) :] == before
            assert [case.inputs for case in await session.cases.page(0, 10)][: len(kept)] == kept


async def test_a_session_of_an_older_normaliser_is_brought_up_to_date(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(latency=0.06) as fake:
        says(fake, REPEATED, *TEXTS)
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(12), config) as session:
            folder = session.folder
            await run_until(session, 4)
        with written_otherwise(folder / "session.db") as plain:
            right = plain.execute("SELECT structure FROM accepted_case ORDER BY seq").fetchall()
            plain.execute("UPDATE accepted_case SET structure=ifnull(structure, 0) + 1")
        about = folder / NAMES[0]
        about.write_text(about.read_text().replace('"normaliser":', '"normalizer":'))
        says(fake, REPEATS[0], *TEXTS[20:])
        async with await Session.open(folder) as session:
            rejected = await run_until(session, 99)
            assert [event.nearest_case_id for event in rejected] == ["category_1-00001"]
        plain = sqlite3.connect(folder / "session.db")
        assert plain.execute("SELECT structure FROM accepted_case ORDER BY seq").fetchall()[: len(right)] == right
        plain.close()


async def test_the_same_case_from_32_workers_wins_once(make_plan: Plans, make_config: Configs) -> None:
    """Bursts: every worker brings the same texts at the same time."""
    texts = [text for text in (REPEATED, *TEXTS[::3][:9]) for _ in range(32)]
    async with FakeOpenAI(latency=0.02) as fake:
        says(fake, *texts, *(text for text in TEXTS if text not in texts))
        config = make_config(base_url=fake.url, batch_size=1, max_workers=32, max_attempts=100)
        async with await Session.create(make_plan(20), config) as session:
            assert (await session.run()).state == "complete"
            found = [case.inputs["query"] for case in await session.cases.page(0, 100)]
            assert len(found) == 20
            assert all(found.count(text) == 1 for text in {REPEATED, *TEXTS[::3][:9]})


async def test_flags_and_scores_are_kept_with_the_case(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        says(fake, REPEATED, REPEATED.replace("two days", "nine weeks"), *TEXTS)
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(3), config) as session:
            await session.run()
            cases = await session.cases.page(0, 10)
            flag = cases[1].tags["flags"][0]
            assert (flag["kind"], flag["case_id"], flag["differs"]) == ("contrast", "category_1-00001", ["quantity"])
            assert 0.6 <= flag["score"] < 1 and "flags" not in cases[0].tags
            await session.cases.annotate("category_1", 2, note="look again")
            assert (await session.cases.get("category_1", 2)).tags["flags"] == [flag]
            edited = await session.cases.edit("category_1", 2, {"query": TEXTS[30]}, {"polite": True})
            assert "flags" not in edited.tags
            seqs = [case.seq for case in cases]
        plain = sqlite3.connect(session.folder / "session.db")
        rows = plain.execute("SELECT seq, near_seq, semantic_seq FROM likeness ORDER BY seq").fetchall()
        plain.close()
        assert [row[0] for row in rows] == [seqs[0], seqs[2]] and rows[0][1:] == (None, None)


async def test_a_person_keeps_and_edits_during_a_run(make_plan: Plans, make_config: Configs) -> None:
    """What a person lets in counts at once: workers may not write it again."""
    async with FakeOpenAI(latency=0.05) as fake:
        says(fake, TEXTS[0], TEXTS[1], TEXTS[2], REPEATS[0], REPEATS[1], *TEXTS[4:])
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(10), config) as session:
            events = session.events()
            run = asyncio.create_task(session.run())
            async for event in events:
                if event.type == "case_accepted":
                    await session.cases.edit("category_1", 1, {"query": REPEATED}, {"polite": True})
                    break
            await run
            page = await session.rejections.page(0, 10)
            assert {(r.nearest_case_id, r.stage) for r in page} == {
                ("category_1-00001", "structural"), ("category_1-00001", "near"),
            }  # fmt: skip


async def test_pages_of_fingerprints(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(30, 20), make_config()) as session:
        await session.run()
        after, seqs = 0, list[int]()
        while (page := await session.diversity.fingerprints(after, 7)) is not None:
            seqs += page.seqs.tolist()
            after = seqs[-1]
            assert page.vectors.shape == (len(page.seqs), 256) and len(page.categories) == len(page.seqs)
        assert seqs == sorted(seqs) and len(seqs) == 50
        (session.folder / NAMES[1]).unlink()
    async with await Session.open(session.folder) as session:
        page = await session.diversity.fingerprints()
        assert page is not None and page.seqs.tolist() == seqs


async def test_pages_while_it_runs(make_plan: Plans, make_config: Configs, tmp_path: Path) -> None:
    async with await Session.create(make_plan(400), make_config(offline_pace=900)) as session:
        run = asyncio.create_task(session.run())
        seen, after = 0, 0
        while not run.done():
            page = await session.diversity.fingerprints(after)
            if page is not None:
                seen, after = seen + len(page.seqs), int(page.seqs[-1])
            await asyncio.sleep(0.02)
        while (page := await session.diversity.fingerprints(after)) is not None:
            seen, after = seen + len(page.seqs), int(page.seqs[-1])
        assert seen == 400
