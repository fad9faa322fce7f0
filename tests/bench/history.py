"""``python -m tests.bench.history``: what a long history costs: points, branches, exports, memory. Asserts nothing.

Makes sessions of so many cases through the store, with a checkpoint every two thousandth of them, a branch that was left behind
and edits on both, and prints medians. The processor's time stands beside the clock's, since the machine may be at other work.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.bench.bench import ENVIRONMENT, ROOT, table

_CATEGORIES = 10
_POINTS = 2_000
_WORDS = (
    "order",
    "refund",
    "parcel",
    "invoice",
    "address",
    "delivery",
    "return",
    "voucher",
    "account",
    "courier",
    "size",
    "gift",
)


async def fill(folder: Path, cases: int) -> None:
    """A session called ``bench`` of so many cases, a tenth of which are left behind on a branch and written again."""
    from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
    from dsbuilder_tui.domain.branch import CheckpointCause

    plan = DatasetPlanInput(
        dataset_name="bench",
        categories=[
            DatasetCategory(name=f"c{n}", count=-(-cases // _CATEGORIES), example_inputs="x", attributes={"tone": ["calm", "angry"]})
            for n in range(_CATEGORIES)
        ],
    )  # fmt: skip
    session = await Session.create(plan, _config(folder))
    try:
        await _write(session, 0, cases, cases)
        point = await session.checkpoints.by_count(cases * 9 // 10)
        await session.branches.rewind(point.id, keep_as="left")
        await _write(session, point.accepted, cases, cases)
        for name in (category.name for category in session.plan.categories):
            case = await session.cases.get(name, 2)
            await session.cases.edit(name, 2, {"query": f"{case.inputs['query']} edited"}, case.expectations)
        await session._files.checkpoint(CheckpointCause.ASKED)
    finally:
        await session.aclose()


async def _write(session: Any, first: int, last: int, whole: int) -> None:
    from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint
    from dsbuilder_tui.store.rows import Changes

    store, step = session._files.store, max(1, whole // _POINTS)
    for start in range(first, last, step):
        end = min(start + step, last)
        rows = [
            AcceptedCase(
                seq=store.next_seq(), category=f"c{n % _CATEGORIES}", ordinal=n // _CATEGORIES + 1,
                inputs={"query": _text(n)}, expectations={"polite": True},
                tags={"model": "m", "attributes": {"tone": "calm" if n % 2 else "angry"}}, created_at=1.0, structure=n,
            )
            for n in range(start, end)
        ]  # fmt: skip
        point = Checkpoint(
            id=store.next_checkpoint(), seq=store.seq, reason="interval", accepted=end,
            planned=session.plan.total_instances, created_at=time.time(),
        )  # fmt: skip
        await store.commit(Changes(accepted=rows, checkpoints=[point]))


def _text(n: int) -> str:
    words = (_WORDS[(n >> (shift * 3)) * 7919 % len(_WORDS)] for shift in range(6))
    return f"Where is my {' '.join(words)} of number {n}? I have been waiting for {n % 97} days now."


def _config(folder: Path) -> Any:
    from dsbuilder_tui import DatasetBuilderConfig

    return DatasetBuilderConfig(
        checkpoint_dir=folder, max_dataset_size=10**7, provider="offline", judge="off", enable_checkpointing=False
    )


def _resident() -> float:
    """MB of the program's own, without mapped files."""
    gc.collect()
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[1]) / 1024


async def _timed(act: Callable[[int], Awaitable[object]], times: int) -> float:
    """The median of so many, in ms; the first one is not counted."""
    found = []
    for number in range(times + 1):
        begun = time.perf_counter()
        await act(number)
        found.append(1000 * (time.perf_counter() - begun))
    return statistics.median(found[1:])


async def points(folder: Path) -> dict[str, float]:
    """Milliseconds that points of the history take."""
    from dsbuilder_tui import Session
    from dsbuilder_tui.domain.errors import SessionInUse
    from dsbuilder_tui.tui.checkpoints.branch_lines import BranchDrawing, Selection, branch_lines

    found: dict[str, float] = {}
    async with await Session.open("bench", _config(folder)) as session:
        await session.checked()
        numbers = [point.id for point in await session.checkpoints.all(10**6)]
        there = numbers[:: max(1, len(numbers) // 40)]
        taken = f"{time.time():.0f}"
        found["fork"] = await _timed(lambda n: session.branches.fork(there[n], f"fork-{taken}-{n}"), 20)
        found["preview"] = await _timed(lambda n: session.checkpoints.preview(there[n]), 30)
        found["500 points"] = await _timed(lambda n: session.checkpoints.all(500), 20)
        branches, newest = await session.branches.all(), await session.checkpoints.all(500)
        lines = branch_lines(branches, newest)

        async def paint(n: int) -> None:
            BranchDrawing(lines, Selection("main", newest[-1 - n].id), 120, 12).paint()

        found["drawn"] = await _timed(paint, 20)

        async def refused(n: int) -> None:
            try:
                await Session.open("bench", _config(folder))
            except SessionInUse:
                return
            raise AssertionError

        found["refused"] = await _timed(refused, 5)
    return found


async def whole(folder: Path, cases: int) -> dict[str, float]:
    """What goes over all cases."""
    from dsbuilder_tui import Session

    found: dict[str, float] = {}
    async with await Session.open("bench", _config(folder)) as session:
        await session.checked()
        begun, cpu = time.perf_counter(), time.process_time()
        await session.export(folder / "bench_checkpoint.json", "checkpoint")
        found["export s/100k"] = (time.perf_counter() - begun) / cases * 1e5
        found["CPU"] = (time.process_time() - cpu) / cases * 1e5
        points = await session.checkpoints.all(10**6)
        middle = next(point for point in points if point.accepted >= cases // 2)
        begun, cpu = time.perf_counter(), time.process_time()
        await session.export(folder / "middle_checkpoint.json", "checkpoint", at=middle.id)
        found["past s/100k"] = (time.perf_counter() - begun) / middle.accepted * 1e5
        found["past CPU"] = (time.process_time() - cpu) / middle.accepted * 1e5
    return found


async def compared(folder: Path, cases: int) -> dict[str, float]:
    """What the comparison of two branches holds and takes."""
    from dsbuilder_tui import Session

    async with await Session.open("bench", _config(folder)) as session:
        await session.checked()
        base, cpu = _peak(), time.process_time()
        comparison = await session.branches.compare("left", "main")
        found = {"MB": _peak() - base, "CPU s": time.process_time() - cpu}
        return found | {name: float(count) for name, count in comparison.counts.items()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def memory(folder: Path, cases: int) -> dict[str, float]:
    """MB of an open session: as it is opened, when all figures were shown, and when a run went on."""
    from dsbuilder_tui import DatasetPlanInput, Session

    found: dict[str, float] = {}
    await Session.prepare()
    begun = _resident()
    async with await Session.open("bench", _config(folder)) as session:
        await session.checked()
        found["open"] = _resident() - begun
        await session.summary()
        await session.diversity.coverage()
        found["figures"] = _resident() - begun
        plan = session.plan
        categories = [c.model_copy(update={"count": c.count + 20}) for c in plan.categories]
        await session.plans.revise(DatasetPlanInput(dataset_name=plan.dataset_name, categories=categories))
        await session.run()
        found["run"] = _resident() - begun
    return found


def _process(what: str, folder: Path, cases: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "tests.bench.history",
        "--one",
        what,
        "--folder",
        str(folder),
        "--cases",
        str(cases),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


async def _one(what: str, folder: Path, cases: int) -> dict[str, float]:
    match what:
        case "fill":
            await fill(folder, cases)
            return {}
        case "points":
            return await points(folder)
        case "export":
            return await whole(folder, cases)
        case "compare":
            return await compared(folder, cases)
        case _:
            return await memory(folder, cases)


_TITLES = {
    "points": "Points of the history (ms)",
    "export": "The seed-format file (s for 100,000 cases)",
    "compare": "Two branches compared",
    "memory": "An open session (MB of its own)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 200_000, 1_000_000])
    parser.add_argument("--only", nargs="*", choices=list(_TITLES), default=list(_TITLES))
    parser.add_argument("--kept", type=Path, help="folder in which the sessions are kept, to be measured again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(asyncio.run(_one(given.one, given.folder, given.cases))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        rows: dict[str, list[list[Any]]] = {what: [] for what in given.only}
        heads: dict[str, list[str]] = {}
        for cases in given.sizes:
            folder = (given.kept or Path(temporary)) / str(cases)
            if not folder.exists():
                folder.mkdir(parents=True)
                _process("fill", folder, cases)
            for what in given.only:
                found = _process(what, folder, cases)
                heads[what] = ["cases", *found]
                rows[what].append([cases, *found.values()])
        for what in given.only:
            table(_TITLES[what], heads[what], rows[what])


if __name__ == "__main__":
    main()
