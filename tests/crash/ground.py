"""The ground of all scenarios: a plan, a process in a folder, and what must be true of the folder afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.crash.damage import DATABASE, NAME, build, put_back, told
from tests.crash.faults import Fault, Faulty
from tests.support.process import ROOT, events
from tests.support.warm_process import Forked

CASES = 150
_PATIENCE = 900  # seconds: on a busy machine a process with the lowest priority gets hardly any
OLDER = "older\n"  # what lies where a dataset is to go


@dataclass
class Tally:
    """How often something was done, how often the process died of it, and what was wrong afterwards."""

    done: int = 0
    killed: int = 0
    wrong: list[str] = field(default_factory=list)

    def require(self, true: bool, what: str, *more: object) -> None:
        if not true:
            self.wrong.append(f"{what} {' '.join(map(str, more))}"[:600])


class Ground:
    """What all scenarios start from: a plan, the dataset that it becomes, and a session that is finished."""

    def __init__(self, root: Path, cases: int = CASES, most: int = 6) -> None:
        """``most`` bounds how often one session is killed."""
        self.root, self.cases, self.most = root, cases, most
        self.closed = asyncio.run(build(root / "finished", cases, running=False))
        self.reference = self.closed.with_name("reference.jsonl").read_bytes()
        self.plan = root / "plan.yaml"
        with closing(sqlite3.connect(self.closed / DATABASE)) as plain:
            (text,) = plain.execute("SELECT plan FROM plan_revision").fetchone()
        self.plan.write_text(yaml.safe_dump(_without_total(json.loads(text))))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.root, prefix="trial-") as name:
            yield Path(name)

    def copy(self, folder: Path) -> Path:
        """The finished session, in a folder of its own."""
        return put_back(self.closed, folder / "s")


def _without_total(plan: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in plan.items() if key != "total_instances"}


def settings(ground: Ground) -> tuple[str, ...]:
    return (
        "--checkpoint-dir", "s", "--provider", "offline", "--max-workers", "4", "--batch-size", "20",
        "--max-dataset-size", str(ground.cases + 100), "--set", "checkpoint_interval=10",
    )  # fmt: skip


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def announced(self) -> list[str]:
        return [event["case_id"] for event in events(self.out) if event.get("type") == "case_accepted"]


def do(
    folder: Path,
    *arguments: object,
    faults: Sequence[Fault] = (),
    work: Callable[[list[str]], None] | None = None,
    meanwhile: Callable[[Forked], None] | None = None,
) -> Ended:
    """A process in this folder, to its end."""
    job = Faulty(tuple(faults)) if work is None else Faulty(tuple(faults), work)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as said:
        process = Forked(job, [str(argument) for argument in arguments], folder, env, Path(said))
        if meanwhile is not None:
            meanwhile(process)
        return Ended(process.wait(_PATIENCE), process.out, process.err)


def look(folder: Path, announced: Sequence[str], tally: Tally) -> None:
    """Compare a copy of a session that may have been killed with what was announced. The session itself stays as it is."""
    session = folder / "s" / NAME
    if not (session / DATABASE).exists():
        tally.require(not announced, "the session is gone")
        return
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / NAME
        shutil.copytree(session, copy)
        end = told("doctor", NAME, "--checkpoint-dir", name)
        tally.require(end.code == 0, "doctor:", end.out, end.err)
        with closing(sqlite3.connect(copy / DATABASE)) as plain:
            tally.require(plain.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the pages")
            rows = plain.execute(
                "SELECT c.name, a.ordinal FROM accepted_case a JOIN category c ON c.id=a.category_id"
            ).fetchall()
    there = [f"{name}-{ordinal:05d}" for name, ordinal in rows]
    tally.require(len(set(there)) == len(there), "a slot was filled twice")
    tally.require(set(announced) <= set(there), f"{len(set(announced) - set(there))} announced cases are gone")


def finish(ground: Ground, folder: Path, tally: Tally, *more: object) -> None:
    """Have the session, or a first one, brought to its end: the dataset is what it would have been without a fault."""
    begun = (folder / "s" / NAME / DATABASE).exists()
    what = ["resume", NAME] if begun else ["run", ground.plan, "--out", "out.jsonl"]
    end = do(folder, *what, *settings(ground), "--json", *more)
    tally.require(end.code == 0, "at the end:", end.code, end.err)
    out = folder / "out.jsonl"
    tally.require(out.exists() and out.read_bytes() == ground.reference, "another dataset", out.exists())
    look(folder, [], tally)


def killed_somewhere(rng: random.Random) -> Callable[[Forked], None]:
    lines = rng.choice((0, rng.randint(1, 40), rng.randint(1, 250)))
    wait = rng.uniform(0, 0.5) if not lines else rng.uniform(0, 0.02)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        time.sleep(wait)
        process.kill()

    return meanwhile


Scenario = Callable[[Ground, random.Random, Tally], None]
