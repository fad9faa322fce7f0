"""One measured run in a process of its own; prints one JSON line. ``bench.py`` starts it."""

from __future__ import annotations

import time

_BEGAN = time.time()

import argparse  # noqa: E402
import asyncio  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import tempfile  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

from dsbuilder_tui.cli.process_tuning import tune_process  # noqa: E402

if TYPE_CHECKING:
    from dsbuilder_tui import DatasetPlanInput


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _written() -> int:
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


async def _lateness(late: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        late.append(max(0.0, loop.time() - due))


def plan_of(cases: int) -> DatasetPlanInput:
    """The plan of the tables: so many cases in four categories."""
    from dsbuilder_tui import DatasetCategory, DatasetPlanInput

    share, rest = divmod(cases, 4)
    return DatasetPlanInput(
        dataset_name="bench",
        categories=[
            DatasetCategory(
                name=f"category_{n}", description="Order status", count=share + (n < rest),
                example_inputs="Where is my order #12345?", expectations={"polite": True},
            )
            for n in range(4)
        ],
    )  # fmt: skip


async def build(given: argparse.Namespace) -> dict[str, float]:
    from dsbuilder_tui import DatasetBuilderConfig, Session
    from dsbuilder_tui.models.providers import worker_model

    plan = plan_of(given.cases)
    first: list[float] = []

    retries: Counter[str] = Counter()
    refused_at: list[float] = []

    def watch(event: object) -> None:
        kind = getattr(event, "type", "")
        if not first and kind == "batch_started":
            first.append(time.time())
        if kind == "retry_scheduled":
            retries[event.kind] += 1  # type: ignore[attr-defined]
            if event.kind == "rate_limit":  # type: ignore[attr-defined]
                refused_at.append(time.time())

    late: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            judge="off",
            checkpoint_dir=Path(folder), max_dataset_size=10**7, max_workers=given.workers, batch_size=given.batch,
            provider="openai" if given.url else "offline", base_url=given.url or None,
            mlflow_tracking_uri=None if given.mlflow == "off" else f"sqlite:///{folder}/mlflow.db",
            mlflow_trace_calls=given.mlflow == "trace",
        )  # fmt: skip
        async with await Session.create(plan, config) as session:
            session.subscribe(watch)
            watcher = asyncio.create_task(_lateness(late)) if given.lateness else None
            model = worker_model(config)  # start-up is what "first request" tells
            cpu, wall = _cpu(), time.monotonic()
            if given.seconds:
                asyncio.get_running_loop().call_later(given.seconds, session.request_pause)
                asyncio.get_running_loop().call_later(given.seconds, session.drop_in_flight)
            result = await session.run(model)
            wall, cpu = time.monotonic() - wall, _cpu() - cpu
            await model.close()
            if watcher:
                watcher.cancel()
            calls = await session.calls.count()
            size = sum(f.stat().st_size for f in session.folder.iterdir())
    late.sort()
    return {
        "wall": wall,
        "cpu": cpu,
        "accepted": result.accepted,
        "calls": calls + sum(retries.values()),
        "refused": retries["rate_limit"],
        "refused_late": sum(at > (first[0] if first else 0) + 10 for at in refused_at),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "first_s": (first[0] if first else 0) - given.spawned,
        "late_p99_ms": 1000 * late[int(len(late) * 0.99)] if late else 0.0,
        "written_mb": _written() / 1e6,
        "file_mb": size / 1e6,
    }


async def pressure(given: argparse.Namespace) -> dict[str, float]:
    """A run whose disk takes ``--slow`` seconds more for each commit; memory of the process's own at a tenth, at half and at the end."""
    from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
    from dsbuilder_tui.store.session_store import SessionStore

    commit = SessionStore.commit

    async def slow(self: SessionStore, *args: object) -> object:
        await asyncio.sleep(given.slow)
        return await commit(self, *args)  # type: ignore[arg-type]

    SessionStore.commit = slow  # type: ignore[method-assign, assignment]
    category = DatasetCategory(name="c", count=given.cases, example_inputs="Where is my order #12345?")
    marks: dict[str, float] = {}

    def watch(event: object) -> None:
        done = getattr(event, "accepted", 0) if getattr(event, "type", "") == "case_accepted" else 0
        for name, share in (("tenth_mb", 10), ("half_mb", 2), ("end_mb", 1)):
            if done == given.cases // share:
                marks[name] = _own_mb()

    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            judge="off",
            checkpoint_dir=Path(folder), max_dataset_size=10**7, max_workers=given.workers, batch_size=given.batch,
            provider="openai", base_url=given.url, enable_diversity_check=not given.alone,
        )  # fmt: skip
        plan = DatasetPlanInput(dataset_name="bench", categories=[category])
        async with await Session.create(plan, config) as session:
            session.subscribe(watch)
            wall = time.monotonic()
            result = await session.run()
            wall = time.monotonic() - wall
    return {"wall": wall, "accepted": result.accepted, **marks}


def _own_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


async def persist(given: argparse.Namespace) -> dict[str, float]:
    """Cases straight into the store, in commits of 20, then the time to open the session again."""
    from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
    from dsbuilder_tui.domain.case import AcceptedCase
    from dsbuilder_tui.store.rows import Changes

    category = DatasetCategory(name="c", count=given.cases, example_inputs="x")
    plan = DatasetPlanInput(dataset_name="bench", categories=[category])
    text = "Where is my order? " * 34
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(checkpoint_dir=Path(folder), max_dataset_size=10**7)
        async with await Session.create(plan, config) as session:
            store = session._files.store
            start, before = time.monotonic(), _written()
            for first in range(1, given.cases + 1, given.batch):
                cases = [
                    AcceptedCase(
                        seq=store.next_seq(),
                        category="c",
                        ordinal=n,
                        inputs={"query": f"{text}{n}"},
                        expectations={"polite": True},
                        tags={
                            "attributes": {"tone": "polite", "length": "short", "persona": "student"},
                            "model": "m",
                            "template": "Where is my order {id}?",
                            "perturbation": "none",
                        },
                        created_at=1.0,
                        structure=n,
                    )
                    for n in range(first, min(first + given.batch, given.cases + 1))
                ]
                await store.commit(Changes(accepted=cases))
            wall, written = time.monotonic() - start, _written() - before
        opened = []
        for _ in range(5):
            start = time.monotonic()
            session = await Session.open("bench", config)
            await session.summary()
            opened.append(time.monotonic() - start)
            await session.aclose()
        size = sum(f.stat().st_size for f in (Path(folder) / "bench").iterdir())
    return {"wall": wall, "written_mb": written / 1e6, "file_mb": size / 1e6, "open_ms": 1000 * sorted(opened)[2]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("build", "persist", "pressure"))
    parser.add_argument("--url", default="")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--spawned", type=float, default=_BEGAN)
    parser.add_argument("--lateness", action="store_true")
    parser.add_argument("--mlflow", choices=("off", "log", "trace"), default="off", help="into a database of its own")
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--alone", action="store_true", help="compare nothing")
    given = parser.parse_args()
    tune_process()  # as the command does
    work = {"build": build, "persist": persist, "pressure": pressure}[given.what]
    print(json.dumps(asyncio.run(work(given))))


if __name__ == "__main__":
    main()
