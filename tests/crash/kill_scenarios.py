"""Kills at chosen instants of a run, an export, an import, a migration, a revision, and of making an index again."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.crash.damage import DATABASE, NAME
from tests.crash.faults import Kill, reject, revise
from tests.crash.ground import OLDER, Ended, Ground, Scenario, Tally, do, finish, killed_somewhere, look, settings
from tests.support.old_session import downgrade

_STORE, _SESSION = "dsbuilder_tui.store", "dsbuilder_tui.session"
_DATABASE = f"{_STORE}.database:Database"


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
                    meanwhile = killed_somewhere(rng)
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


def kill_an_export(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """An older file of the name stays, or the whole dataset is there."""
    functions = [
        f"{_SESSION}.dataset_export:write_cases", f"{_STORE}.export.formats:_digest",
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


_MOVING = (
    f"{_STORE}.head_move:_leave", f"{_STORE}.head_move:_enter", f"{_STORE}.head_move:_split", f"{_STORE}.head_move:_swap",
    f"{_DATABASE}._transaction", f"{_STORE}.commit_mark:CommitMark.write", f"{_DATABASE}._close",
    f"{_SESSION}.files:SessionFiles.write_seed_file", f"{_SESSION}.files:SessionFiles.note_status",
)  # fmt: skip


def _data(folder: Path, tally: Tally, *what: object) -> Any:
    """What a command says as JSON; it must not fail."""
    end = do(folder, *what, "--json", "--checkpoint-dir", "s")
    tally.require(end.code == 0, f"{what[0]}:", end.err)
    return json.loads(end.out or "null")


def _point(folder: Path, tally: Tally, rng: random.Random) -> dict[str, Any]:
    return rng.choice([point for point in _data(folder, tally, "checkpoints", NAME) if point["cause"] != "finish"])  # type: ignore[no-any-return]


def _killed(folder: Path, tally: Tally, rng: random.Random, functions: Sequence[str], *what: object) -> Ended:
    end = do(folder, *what, "--checkpoint-dir", "s", faults=[_kill(rng, functions, rng.choice((1, 1, 2)), 0.01)])
    tally.done += 1
    tally.killed += end.code == -signal.SIGKILL
    tally.require(end.code in (0, -signal.SIGKILL), f"{what[0]}:", end.err)
    look(folder, [], tally)
    return end


def _said(path: Path) -> dict[str, str]:
    """What each case says, by its name."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return {r["tags"]["case_id"]: json.dumps([r["inputs"], r["expectations"]]) for r in records}


def _exported(folder: Path, tally: Tally, *what: object) -> Path:
    end = do(folder, "export", NAME, "--out", "now.jsonl", "--checkpoint-dir", "s", *what)
    tally.require(end.code == 0, "export:", end.err)
    return folder / "now.jsonl"


def kill_a_rewind(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """The session is where it was, or at the checkpoint with everything else on a branch; and it ends as it would have."""
    functions = (*_MOVING, f"{_SESSION}.branches:SessionBranches._rewind", f"{_STORE}.branches:BranchTable.rewind")
    with ground.folder() as folder:
        ground.copy(folder)
        point = _point(folder, tally, rng)
        end = _killed(folder, tally, rng, functions, "rewind", NAME, "--to", point["id"], "--keep-as", "whole", "--yes")
        found = {branch["name"]: branch for branch in _data(folder, tally, "branches", NAME)}
        moved = "whole" in found
        tally.require(moved or end.code != 0, "it was said to be done, and is not")
        tally.require(found["main"]["accepted"] == (point["accepted"] if moved else ground.cases), "counts:", found)
        there = _exported(folder, tally, *(("--branch", "whole") if moved else ()))
        tally.require(there.read_bytes() == ground.reference, "what it held is another dataset")
        whole = _said(there)
        then = _said(_exported(folder, tally, "--at", point["id"]))
        tally.require(len(then) == point["accepted"] and then.items() <= whole.items(), "the checkpoint")
        finish(ground, folder, tally, "--out", "out.jsonl")
        if moved:
            again = _killed(folder, tally, rng, functions, "resume", NAME, "--branch", "whole", "--plain")
            current = next(b["name"] for b in _data(folder, tally, "branches", NAME) if b["current"])
            tally.require(current == "whole" or again.code != 0, "it was said to be on the branch")
            tally.require(_exported(folder, tally).read_bytes() == ground.reference, "another dataset behind a switch")


def kill_a_fork(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """There is the branch, or there is none; the session stays where it is."""
    functions = (f"{_STORE}.branches:BranchTable.fork", *_MOVING[4:7])
    with ground.folder() as folder:
        ground.copy(folder)
        point = _point(folder, tally, rng)
        end = _killed(folder, tally, rng, functions, "fork", NAME, "--at", point["id"], "--name", "aside")
        found = {branch["name"]: branch for branch in _data(folder, tally, "branches", NAME)}
        tally.require("aside" in found or end.code != 0, "it was said to be done, and is not")
        tally.require(_exported(folder, tally).read_bytes() == ground.reference, "another dataset")
        if "aside" in found:
            tally.require(found["aside"]["accepted"] == point["accepted"], "counts:", found)
            finish(ground, folder, tally, "--branch", "aside", "--out", "out.jsonl")


def kill_an_undo(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """Each act is undone or not, and an undo that was said to be done is; the rest of them leads back to the dataset."""
    functions = (
        *_MOVING[4:7], f"{_SESSION}.undo_log:UndoLog._step", f"{_SESSION}.undo_log:UndoLog._act",
        f"{_STORE}.undo_log:put_back", f"{_STORE}.act_rows:Returning.carry_out", f"{_STORE}.act_rows:Returning.of_act",
        f"{_STORE}.branches:BranchTable.exchange", *_MOVING[:3],
    )  # fmt: skip
    with ground.folder() as folder:
        session = ground.copy(folder)
        end = do(folder, session, work=reject)
        tally.require("rejected" in end.out, "the acts:", end.err)
        acted = _said(_exported(folder, tally))
        tally.require(len(acted) == ground.cases - 1, "a case less:", len(acted))
        point = _point(folder, tally, rng)
        rewound = do(folder, "rewind", NAME, "--to", point["id"], "--yes", "--checkpoint-dir", "s")
        tally.require(rewound.code == 0, "rewind:", rewound.err)
        end = _killed(folder, tally, rng, functions, "undo", NAME, "--steps", "4")
        steps = _data(folder, tally, "undo", NAME, "--list")
        left = sum(step["state"] == "done" for step in steps)
        tally.require(len(steps) == 4 and (left == 0 or end.code != 0), "it was said to be done, and is not:", steps)
        if left:
            _data(folder, tally, "undo", NAME, "--steps", left)
        tally.require(_exported(folder, tally).read_bytes() == ground.reference, "undone, it is another dataset")
        _data(folder, tally, "redo", NAME, "--steps", "3")
        tally.require(_said(_exported(folder, tally)) == acted, "redone, it is another dataset")
        look(folder, [], tally)


def kill_a_merge(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """All cases of the branch are there, or none of them; merged again, it is what it would have been."""
    functions = (
        *_MOVING[4:], f"{_SESSION}.branches:SessionBranches._merge", f"{_STORE}.branches:BranchTable.merge",
        f"{_STORE}.branches:apply", f"{_STORE}.branches:write_checkpoints", "dsbuilder_tui.generation.merge_gate:MergeGate.judge",
        "dsbuilder_tui.diversity.fingerprint_file:FingerprintFile.add",
    )  # fmt: skip
    with ground.folder() as folder:
        ground.copy(folder)
        point = _point(folder, tally, rng)
        do(folder, "rewind", NAME, "--to", point["id"], "--keep-as", "whole", "--yes", "--checkpoint-dir", "s")
        end = _killed(folder, tally, rng, functions, "merge", NAME, "--branch", "whole")
        count = len(_said(_exported(folder, tally)))
        tally.require(count in (point["accepted"], ground.cases), "half a merge:", count, "of", ground.cases)
        tally.require(count == ground.cases or end.code != 0, "it was said to be done, and is not")
        again = _data(folder, tally, "merge", NAME, "--branch", "whole")
        tally.require(len(again["came"]) == ground.cases - count and not again["turned_away"], "merged again:", again)
        whole = _said(_exported(folder, tally))
        kept = _said(_exported(folder, tally, "--branch", "whole"))
        tally.require(whole == kept and len(whole) == ground.cases, "another dataset")
        look(folder, [], tally)


def kill_a_reconciliation(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """MLflow holds what the session holds when all has been sent again, wherever the sending was cut off behind a rewind."""
    functions = (
        f"{_STORE}.outbox:OutboxTable.done", f"{_STORE}.outbox:OutboxTable.batch",
        "dsbuilder_tui.tracking.remote_target:RemoteTarget.call", "dsbuilder_tui.tracking.outbox_drain:OutboxDrain._reconcile",
        "dsbuilder_tui.tracking.outbox_drain:OutboxDrain._finish",
    )  # fmt: skip
    with ground.folder() as folder:
        ground.copy(folder)
        database = ("--mlflow-tracking-uri", f"sqlite:///{folder}/mlflow.db")
        sync = ("mlflow", "sync", NAME, *database)
        tally.require(do(folder, *sync, "--checkpoint-dir", "s").code == 0, "the first sending")
        point = _point(folder, tally, rng)
        do(folder, "rewind", NAME, "--to", point["id"], "--keep-as", "whole", "--yes", "--checkpoint-dir", "s")
        for _ in range(2):
            _killed(folder, tally, rng, functions, *sync)
        end = do(folder, *sync, "--checkpoint-dir", "s")
        tally.require(end.code == 0, "sync:", end.err)
        with closing(sqlite3.connect(folder / "mlflow.db")) as plain:
            rows = plain.execute("SELECT inputs, tags FROM evaluation_dataset_records").fetchall()
        there = sorted((json.loads(tags)["case_id"], json.dumps(json.loads(inputs))) for inputs, tags in rows)
        own = [json.loads(line) for line in _exported(folder, tally).read_text().splitlines()]
        tally.require(
            there == sorted((r["tags"]["case_id"], json.dumps(r["inputs"])) for r in own), "MLflow:", len(there)
        )


# Each with its share of a hundred kills.
KILLS: dict[str, tuple[int, Scenario]] = {
    "anywhere in a run": (26, kill_a_run((), 0, most=6)),
    "commit": (16, kill_a_run((f"{_DATABASE}._transaction", f"{_STORE}.commit_mark:CommitMark.write", f"{_STORE}.database:write_seal", f"{_STORE}.table_sums:write_seal"), 12)),
    "closing, log folded": (8, kill_a_run((f"{_DATABASE}._close", f"{_DATABASE}._note_digest", f"{_STORE}.database:file_digest"), 2)),
    "checkpoint": (6, kill_a_run(("dsbuilder_tui.generation.journal:Journal._point",), 2)),
    "creation": (8, kill_a_run((f"{_STORE}.session_store:SessionStore.create", f"{_STORE}.catalog:unborn_folder", f"{_STORE}.catalog:name_held", f"{_STORE}.catalog:move_together", f"{_STORE}.catalog:write_status", f"{_STORE}.lock:SessionLock.acquire"), 1)),
    "end of a run": (12, kill_a_run((f"{_SESSION}.files:SessionFiles.conclude", f"{_SESSION}.files:SessionFiles.note_status", f"{_SESSION}.dataset_file:DatasetFile.write", f"{_SESSION}.dataset_export:write_cases", f"{_STORE}.export.formats:_digest"), 1)),
    "export": (6, kill_an_export),
    "import": (6, kill_an_import),
    "migration": (5, kill_a_migration),
    "revision": (4, kill_a_revision),
    "index rebuild": (3, kill_an_index_rebuild),
    "rewind": (6, kill_a_rewind),
    "fork": (3, kill_a_fork),
    "merge": (6, kill_a_merge),
    "undo": (6, kill_an_undo),
    "reconciliation": (3, kill_a_reconciliation),
}  # fmt: skip
