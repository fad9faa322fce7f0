"""What is done to real processes, and what must be true of the folder afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.crash.damage import DATABASE, NAME, build, put_back, told
from tests.crash.faults import ClockSteps, Fault, Faulty, Kill, Limit, revise
from tests.support.old_session import downgrade
from tests.support.process import ROOT, events
from tests.support.warm_process import Forked

CASES = 150
_PATIENCE = 900  # seconds: on a busy machine a process with the lowest priority gets hardly any
_STORE, _SESSION = "dsbuilder_tui.store", "dsbuilder_tui.session"
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


# Kills


def _kill(rng: random.Random, functions: Sequence[str], calls: int, longest: float = 0.02) -> Kill:
    how = rng.random()
    seconds = rng.uniform(0, longest) if how < 0.5 else 0.0
    return Kill(rng.choice(functions), rng.randint(1, calls), seconds, at_its_end=how > 0.8)


def kill_a_run(
    functions: Sequence[str], calls: int, *, most: int = 4
) -> Callable[[Ground, random.Random, Tally], None]:
    """Kill one run again and again at these functions, or anywhere when there are none, and let it end then."""

    def scenario(ground: Ground, rng: random.Random, tally: Tally) -> None:
        announced: list[str] = []
        with ground.folder() as folder:
            (folder / "out.jsonl").write_text(OLDER)  # which is not to be taken for the dataset
            for _ in range(min(most, ground.most)):
                begun = (folder / "s" / NAME / DATABASE).exists()
                what = ["resume", NAME] if begun else ["run", ground.plan]
                faults, meanwhile = (), None
                if functions:
                    faults = (_kill(rng, functions, calls),)
                else:
                    meanwhile = _killed_somewhere(rng)
                end = do(
                    folder, *what, *settings(ground), "--out", "out.jsonl", "--json", faults=faults, meanwhile=meanwhile
                )
                tally.done += 1
                tally.killed += end.code == -signal.SIGKILL
                tally.require(end.code in (0, -signal.SIGKILL), "while it was killed:", end.code, end.err)
                announced += end.announced
                look(folder, announced, tally)
                if end.code == 0:
                    break
            tally.require(len(set(announced)) == len(announced), "a case was announced twice")
            finish(ground, folder, tally)

    return scenario


def _killed_somewhere(rng: random.Random) -> Callable[[Forked], None]:
    lines = rng.choice((0, rng.randint(1, 40), rng.randint(1, 250)))
    wait = rng.uniform(0, 0.5) if not lines else rng.uniform(0, 0.02)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        time.sleep(wait)
        process.kill()

    return meanwhile


def kill_an_export(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """An older file of the name stays, or the whole dataset is there."""
    functions = [
        f"{_SESSION}.files:write_cases", f"{_STORE}.export.formats:_digest",
        f"{_STORE}.database:Database.damages", "os:fsync", "pathlib:Path.replace", f"{_STORE}.database:Database._close",
    ]  # fmt: skip
    with ground.folder() as folder:
        ground.copy(folder)
        out = folder / "out.jsonl"
        out.write_text(OLDER)
        end = do(folder, "export", NAME, "--out", out, "--checkpoint-dir", "s", faults=[_kill(rng, functions, 1, 0.05)])
        tally.done += 1
        tally.killed += end.code == -signal.SIGKILL
        there = out.read_bytes()
        tally.require(there in (OLDER.encode(), ground.reference), "half a file")
        tally.require(end.code != 0 or there == ground.reference, "exit 0 with", there[:40])
        look(folder, [], tally)
        again = do(folder, "export", NAME, "--out", out, "--checkpoint-dir", "s")
        tally.require(again.code == 0 and out.read_bytes() == ground.reference, "export again", again.err)
        tally.require(not list(folder.glob(".*.tmp")), "a temporary file is left")


def checkpoint_file(folder: Path, cases: int) -> Path:
    """A file that can be imported."""
    instances = [
        {
            "inputs": {"query": f"Question {number} about parcel {number * 7}"},
            "expectations": {},
            "tags": {"category": "c"},
        }
        for number in range(1, cases + 1)
    ]
    path = folder / "taken_checkpoint.json"
    plan = {"dataset_name": "taken", "categories": [{"name": "c", "count": cases}]}
    path.write_text(json.dumps({"dataset_name": "taken", "dataset_plan": plan, "created_instances": instances}))
    return path


def kill_an_import(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """All of the file is a session, or nothing is."""
    functions = [
        f"{_SESSION}.files:SessionFiles._take_in", f"{_STORE}.database:Database._transaction",
        f"{_STORE}.database:Database._close", f"{_STORE}.catalog:name_held", f"{_STORE}.catalog:move_together",
        f"{_STORE}.catalog:write_status",
    ]  # fmt: skip
    size = 1500
    with ground.folder() as folder:
        source = checkpoint_file(folder, size)
        given = ("import", source, "--checkpoint-dir", "s", "--max-dataset-size", size)
        end = do(folder, *given, faults=[_kill(rng, functions, 1, 0.1)])
        tally.done += 1
        tally.killed += end.code == -signal.SIGKILL
        for _ in range(2):
            listed = do(folder, "sessions", "--json", "--checkpoint-dir", "s")
            tally.require(listed.code == 0, "sessions:", listed.err)
            found = json.loads(listed.out or "[]")
            tally.require(all(listing["accepted"] == size for listing in found), "not whole:", found)
            again = do(folder, *given)
            tally.require(again.code == 0, "import again:", again.err)
        tally.require(not list((folder / "s").glob(".new-*")), "half a session is left")


def kill_a_migration(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """A session of an older format is that, or one of today."""
    functions = [
        f"{_STORE}.database:Database._migrate", f"{_STORE}.database:recounted", f"{_STORE}.database:write_seal",
        f"{_STORE}.commit_mark:CommitMark.remove", f"{_STORE}.database:TableSums",
    ]  # fmt: skip
    with ground.folder() as folder:
        session = ground.copy(folder)
        version = rng.randint(1, 6)
        (session / "session.mark").unlink()
        downgrade(session / DATABASE, version)
        for _ in range(rng.randint(1, 3)):
            end = do(folder, "show", NAME, "--checkpoint-dir", "s", faults=[_kill(rng, functions, 1, 0.01)])
            tally.done += 1
            tally.killed += end.code == -signal.SIGKILL
            tally.require(end.code in (0, -signal.SIGKILL), "show:", version, end.err)
        finish(ground, folder, tally, "--out", "out.jsonl")


def kill_a_revision(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """The plan is the old one or the new one; a revision that was said to be done is there."""
    functions = [
        f"{_SESSION}.plans:SessionPlans._revise", f"{_STORE}.plans:PlanTable.revise",
        f"{_STORE}.database:Database._transaction", f"{_STORE}.commit_mark:CommitMark.write",
        f"{_STORE}.database:Database._close", f"{_STORE}.database:file_digest",
    ]  # fmt: skip
    with ground.folder() as folder:
        session = ground.copy(folder)
        end = do(folder, session, 20, faults=[_kill(rng, functions, 1, 0.005)], work=revise)
        tally.done += 1
        tally.killed += end.code == -signal.SIGKILL
        tally.require(end.code in (0, -signal.SIGKILL), "revise:", end.err)
        look(folder, [], tally)
        again = do(folder, "resume", NAME, *settings(ground), "--out", "out.jsonl", "--json")
        tally.require(again.code == 0, "resume:", again.err)
        count = len((folder / "out.jsonl").read_text().splitlines())
        allowed = {ground.cases + 20} if "revised" in end.out else {ground.cases, ground.cases + 20}
        tally.require(count in allowed, "cases:", count, "of", allowed)
        tally.require(
            set(ground.reference.splitlines()) <= set((folder / "out.jsonl").read_bytes().splitlines()),
            "a case is another",
        )


def kill_an_index_rebuild(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """Fingerprints that are lost are made again, however often that is cut off."""
    store = "dsbuilder_tui.diversity"
    functions = [
        f"{store}.fingerprint_file:FingerprintFile.add", f"{store}.fingerprint_file:FingerprintFile._cut_to_whole",
        f"{store}.mmap_array:MappedArray._grow", f"{store}.mmap_array:MappedArray.close",
        f"{store}.fingerprint_file:FingerprintFile.keep",
    ]  # fmt: skip
    with ground.folder() as folder:
        session = ground.copy(folder)
        before = do(folder, "show", NAME, "--json", "--checkpoint-dir", "s")
        for path in session.glob("fingerprints*"):
            path.unlink()
        for _ in range(2):
            end = do(folder, "show", NAME, "--checkpoint-dir", "s", faults=[_kill(rng, functions, 1, 0.01)])
            tally.done += 1
            tally.killed += end.code == -signal.SIGKILL
            tally.require(end.code in (0, -signal.SIGKILL), "show:", end.err)
        after = do(folder, "show", NAME, "--json", "--checkpoint-dir", "s")
        same = after.code == before.code == 0 and _figures(after) == _figures(before)
        tally.require(same, "other figures", after.err)
        finish(ground, folder, tally, "--out", "out.jsonl")


def _figures(end: Ended) -> object:
    overall = json.loads(end.out)["diversity"]["overall"]
    return {name: overall[name] for name in ("cases", "compared", "variety", "mean_likeness")}


# Other faults


def run_with(faults: Callable[[random.Random], Sequence[Fault]]) -> Callable[[Ground, random.Random, Tally], None]:
    """A run with faults ends in a sentence or with its dataset; without them it goes on as if nothing had happened."""

    def scenario(ground: Ground, rng: random.Random, tally: Tally) -> None:
        with ground.folder() as folder:
            given = (*settings(ground), "--out", "out.jsonl", "--json")
            end = do(folder, "run", ground.plan, *given, faults=faults(rng))
            _after_a_fault(ground, folder, end, tally)

    return scenario


def fail_in_the_middle(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """From some instant on the disk takes nothing more."""
    lines = rng.randint(1, 200)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        if process.running:
            size = rng.choice((120_000, 200_000))  # more than what is said takes
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with ground.folder() as folder:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(folder, "run", ground.plan, *given, meanwhile=meanwhile)
        _after_a_fault(ground, folder, end, tally)


def delete_in_the_middle(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """The database, its log or the folder is deleted while it runs: the run ends with an error, or had ended."""
    lines = rng.randint(1, 150)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        session = folder / "s" / NAME
        match rng.randrange(3):
            case 0:
                shutil.rmtree(session, ignore_errors=True)
            case 1:
                (session / DATABASE).unlink(missing_ok=True)
            case _:
                (session / f"{DATABASE}-wal").unlink(missing_ok=True)

    with ground.folder() as folder:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(folder, "run", ground.plan, *given, meanwhile=meanwhile)
        tally.done += 1
        tally.killed += end.code != 0
        ended = '"run_finished"' in end.out
        tally.require(end.code != 0 or ended, "exit 0 into nothing")
        tally.require("unexpected" not in end.err and "Traceback" not in end.err, "not foreseen:", end.err)


def fill_a_disk(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """A small disk that is full; with more room it goes on."""
    with ground.folder() as folder, _mounted(folder / "disk", rng.randint(150, 1500)) as disk:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(disk, "run", ground.plan, *given)
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        _after_a_fault(ground, disk, end, tally)


def make_a_disk_read_only(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """Killed, and then mounted to be read: it says so; mounted to be written it goes on."""
    with ground.folder() as folder, _mounted(folder / "disk", 64_000) as disk:
        given = (*settings(ground), "--out", folder / "out.jsonl", "--json")
        end = do(disk, "run", ground.plan, *given, meanwhile=_killed_somewhere(rng))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        place = ("--checkpoint-dir", "s")
        for command in (
            ("sessions", *place),
            ("show", NAME, *place),
            ("export", NAME, "--out", folder / "x.jsonl", *place),
            ("resume", NAME, *given),
        ):
            told_ = do(disk, *command)
            tally.require("unexpected" not in told_.err and "Traceback" not in told_.err, command[0], told_.err)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        tally.done += 1
        tally.killed += 1
        look(disk, end.announced, tally)
        begun = (disk / "s" / NAME / DATABASE).exists()
        last = do(disk, *(["resume", NAME] if begun else ["run", ground.plan]), *given)
        tally.require(
            last.code == 0 and (folder / "out.jsonl").read_bytes() == ground.reference, "at the end:", last.err
        )


@contextmanager
def _mounted(place: Path, kilobytes: int) -> Iterator[Path]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _after_a_fault(ground: Ground, folder: Path, end: Ended, tally: Tally) -> None:
    tally.done += 1
    tally.killed += end.code != 0
    # A library that is given no memory may abort: that is as a kill.
    tally.require(end.code >= 0 or end.code == -signal.SIGABRT, "a signal:", end.code, end.err)
    tally.require("unexpected" not in end.err and "Traceback" not in end.err, "not foreseen:", end.err)
    tally.require(end.code == 0 or end.err.strip() != "", "no sentence; exit", end.code)
    look(folder, end.announced, tally)
    finish(ground, folder, tally, "--out", "out.jsonl")


Scenario = Callable[[Ground, random.Random, Tally], None]

_DATABASE = f"{_STORE}.database:Database"
# Each with its share of a hundred kills.
KILLS: dict[str, tuple[int, Scenario]] = {
    "anywhere in a run": (26, kill_a_run((), 0, most=6)),
    "commit": (16, kill_a_run((f"{_DATABASE}._transaction", f"{_STORE}.commit_mark:CommitMark.write", f"{_STORE}.database:write_seal", f"{_STORE}.table_sums:write_seal"), 12)),
    "closing, log folded": (8, kill_a_run((f"{_DATABASE}._close", f"{_DATABASE}._note_digest", f"{_STORE}.database:file_digest"), 2)),
    "checkpoint": (6, kill_a_run(("dsbuilder_tui.generation.journal:Journal.checkpoint",), 2)),
    "creation": (8, kill_a_run((f"{_STORE}.session_store:SessionStore.create", f"{_STORE}.catalog:unborn_folder", f"{_STORE}.catalog:name_held", f"{_STORE}.catalog:move_together", f"{_STORE}.catalog:write_status", f"{_STORE}.lock:SessionLock.acquire"), 1)),
    "end of a run": (12, kill_a_run((f"{_SESSION}.files:SessionFiles.conclude", f"{_SESSION}.files:SessionFiles.note_status", f"{_SESSION}.dataset_file:DatasetFile.write", f"{_SESSION}.files:write_cases", f"{_STORE}.export.formats:_digest"), 1)),
    "export": (6, kill_an_export),
    "import": (6, kill_an_import),
    "migration": (5, kill_a_migration),
    "revision": (4, kill_a_revision),
    "index rebuild": (3, kill_an_index_rebuild),
}  # fmt: skip
FAULTS: dict[str, Scenario] = {
    "full disk": fill_a_disk,
    "files that may not grow": run_with(lambda rng: [Limit(resource.RLIMIT_FSIZE, rng.choice((120_000, 200_000, 300_000)))]),
    "disk fails in the middle": fail_in_the_middle,
    "read-only remount": make_a_disk_read_only,
    "clock steps": run_with(lambda rng: [ClockSteps(rng.randrange(1000), 48)]),
    "no descriptors left": run_with(lambda rng: [Limit(resource.RLIMIT_NOFILE, rng.randint(1, 30))]),
    "no memory left": run_with(lambda rng: [Limit(resource.RLIMIT_AS, rng.randint(1, 250) * 1_000_000)]),
    "files deleted": delete_in_the_middle,
}  # fmt: skip
_MOUNTS = ("full disk", "read-only remount")


def without_mounts(scenarios: dict[str, Scenario]) -> dict[str, Scenario]:
    """The scenarios that can be had here: without the right to mount a disk some of them cannot."""
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as name:
            if not subprocess.run(["mount", "-t", "tmpfs", "tmpfs", name], capture_output=True, check=False).returncode:
                subprocess.run(["umount", name], check=True)
                return scenarios
    return {name: scenario for name, scenario in scenarios.items() if name not in _MOUNTS}
