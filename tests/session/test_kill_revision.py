"""SIGKILL while the plan is revised again and again: the old plan or the new one is there, whole."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from tests.session.test_curation import check
from tests.support.process import ROOT

COUNTS = {"a": 300, "b": 40}
SCRIPT = """
import asyncio, itertools, sys
from dsbuilder_tui import DatasetBuilderConfig, Session
from tests.session.test_kill_revision import plan

async def main():
    async with await Session.open("revised", DatasetBuilderConfig(checkpoint_dir=sys.argv[1])) as session:
        for turn in itertools.count():
            counts = ({"a": 60}, {"a": 300, "b": 40}, {"a": 90, "b": 7, "c": 120}, {"a": 700, "c": 3})[turn % 4]
            number = await session.plans.revise(plan(**counts))
            print(number, flush=True)

asyncio.run(main())
"""


def plan(**counts: int) -> DatasetPlanInput:
    example = ["Where is my order #12345?", "Stop it"]
    categories = [{"name": name, "count": count, "example_inputs": example} for name, count in counts.items()]
    return parse_plan({"dataset_name": "revised", "categories": categories})


async def test_a_revision_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", max_dataset_size=1000)
    async with await Session.create(plan(a=50), config) as session:
        await session.run()
    rng, heard_of = random.Random(11), 1
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MAX_DATASET_INSTANCES": "1000"},
        )  # fmt: skip
        assert process.stdout
        heard = [process.stdout.readline() for _ in range(rng.randint(1, 12))]
        process.kill()
        heard += process.stdout.readlines()
        process.wait()
        heard_of = max([heard_of, *(int(line) for line in heard if line.endswith("\n"))])
        plain = sqlite3.connect(tmp_path / "s" / "revised" / "session.db")
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        told = plain.execute("SELECT count(*) FROM history WHERE kind='plan_revised'").fetchone()[0]
        plain.close()
        async with await Session.open("revised", config) as session:
            assert session.plans.revision in (heard_of, heard_of + 1) and told == session.plans.revision - 1
            retired = await session._files.store.slots.retired()
            for category in session.plan.categories:
                gone = retired.get(category.name, [])
                assert all(1 <= n <= category.count + len(gone) for n in gone) and len(set(gone)) == len(gone)
                if category.name == "a":
                    assert not set(gone) & set(range(1, 51)), "they are filled"
    async with await Session.open("revised", config) as session:
        await session.plans.revise(plan(**COUNTS))
        assert (await session.run()).state == "complete"
        await check(session)
        assert [c.ordinal async for c in session.cases.all() if c.category == "a"] == list(range(1, 301))
