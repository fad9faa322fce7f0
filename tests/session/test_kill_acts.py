"""SIGKILL right after a person's act: what the call returned for is on disk, and no slot is filled twice."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.plan import parse_plan
from tests.session.test_curation import check
from tests.support.process import ROOT

PLAN = {
    "dataset_name": "acts",
    "categories": [{"name": "a", "count": 400, "example_inputs": ["Where is my order #12345?", "Stop it"]}],
}
# Runs, and withdraws, edits or pins every fourth case as it comes in; says so when the call has returned.
SCRIPT = """
import asyncio, sys
from dsbuilder_tui import DatasetBuilderConfig, Session

async def main():
    async with await Session.open("acts", DatasetBuilderConfig(checkpoint_dir=sys.argv[1], max_workers=3)) as session:
        acts = set()

        async def act(slot, seq, number):
            if number % 3 == 0:
                await session.cases.withdraw("a", slot, "odd")
                print("gone", seq, flush=True)
            elif number % 3 == 1:
                await session.cases.edit("a", slot, {"query": f"Edited {'x' * slot}"}, {})
                print("edited", seq, flush=True)
            else:
                await session.cases.annotate("a", slot, pinned=True)
                print("pinned", seq, flush=True)

        def watch(event):
            if event.type == "case_accepted" and event.seq % 4 == 0:
                task = asyncio.create_task(act(event.slot, event.seq, event.seq // 4))
                acts.add(task)
                task.add_done_callback(acts.discard)

        session.subscribe(watch)
        await session.run()
        await asyncio.gather(*acts)

asyncio.run(main())
"""


async def test_an_act_that_returned_survives_a_kill(tmp_path: Path) -> None:
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", max_dataset_size=1000)
    async with await Session.create(parse_plan(PLAN), config):
        pass
    rng = random.Random(3)
    done: list[list[str]] = []
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stdout
        heard = [process.stdout.readline() for _ in range(rng.randint(1, 25))]
        process.kill()
        heard += process.stdout.readlines()
        process.wait()
        done += [line.split() for line in heard if line.endswith("\n")]
        plain = sqlite3.connect(tmp_path / "s" / "acts" / "session.db")
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        there = dict(plain.execute("SELECT seq, tags FROM accepted_case"))
        gone = {seq for (seq,) in plain.execute("SELECT seq FROM withdrawn_case")}
        counted = plain.execute("SELECT accepted, rejected FROM progress").fetchone()
        rejected = plain.execute("SELECT count(*) FROM rejection").fetchone()[0]
        plain.close()
        assert counted == (len(there), rejected) and not gone & set(there)
        for what, number in done:
            if what == "gone":
                assert int(number) in gone
            else:
                assert f'"{what}":true' in there[int(number)]
    assert {what for what, _ in done} == {"gone", "edited", "pinned"}
    async with await Session.open("acts", config) as session:
        assert (await session.run()).state == "complete"
        await check(session)
        assert [case.ordinal async for case in session.cases.all()] == list(range(1, 401))
