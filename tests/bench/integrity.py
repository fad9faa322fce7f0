"""``python -m tests.bench.integrity``: what sums, marks and digests cost. CPU seconds, since the machine may be at other work.

Asserts nothing. ARGS: ``--cases`` of the run that is measured with and without them, ``--large`` of the session that is
opened and closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.bench import ENVIRONMENT, ROOT, endpoint, table


def _variant(name: str) -> None:
    """Take out of this process what is measured."""
    if name == "all":
        return
    from dsbuilder_tui.store import database
    from dsbuilder_tui.store.commit_mark import CommitMark
    from dsbuilder_tui.store.table_sums import TableSums, read_seal

    def begin(sums: Any, connection: Any) -> None:
        sums._connection, sums.seal, sums._changed = connection, read_seal(connection), {}

    TableSums.__init__ = begin  # type: ignore[method-assign]
    TableSums.write = lambda sums, closed=False: sums.seal  # type: ignore[method-assign,assignment]
    CommitMark.write = lambda mark, noted: None  # type: ignore[method-assign]
    database.file_digest = lambda *given: ""  # type: ignore[assignment]
    database.table_damages = lambda *given: []  # type: ignore[assignment]
    database.Database._still_there = lambda one: None  # type: ignore[method-assign]


async def _run(cases: int, url: str) -> dict[str, float]:
    from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session

    category = DatasetCategory(
        name="c", count=cases, description="Order status", example_inputs="Where is my order #12345?",
        expectations={"polite": True},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            judge="off",
            checkpoint_dir=Path(folder), max_dataset_size=10**7, max_workers=8, batch_size=20,
            provider="openai" if url else "offline", base_url=url or None,
        )  # fmt: skip
        await Session.prepare()
        session = await Session.create(DatasetPlanInput(dataset_name="bench", categories=[category]), config)
        begun = time.process_time()
        await session.run()
        await session.aclose()
        return {"cpu": time.process_time() - begun}


async def _large(cases: int) -> dict[str, float]:
    """A session of so many cases, opened, exported and closed."""
    from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
    from dsbuilder_tui.domain.case import AcceptedCase
    from dsbuilder_tui.session.repair import examine_session
    from dsbuilder_tui.store.rows import Changes

    text, found = "Where is my order? " * 12, {}
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(checkpoint_dir=Path(folder), max_dataset_size=10**7)
        plan = DatasetPlanInput(
            dataset_name="bench", categories=[DatasetCategory(name="c", count=cases, example_inputs="x")]
        )
        session = await Session.create(plan, config)
        store = session._files.store
        for first in range(1, cases + 1, 20_000):
            rows = [
                AcceptedCase(
                    seq=store.next_seq(), category="c", ordinal=n, inputs={"query": f"{text}{n}"},
                    expectations={"polite": True}, tags={"model": "m"}, created_at=1.0, structure=n,
                )
                for n in range(first, min(first + 20_000, cases + 1))
            ]  # fmt: skip
            await store.commit(Changes(accepted=rows))
        async with _measured(found, "close"):
            await session.aclose()
        found["file MB"] = (Path(folder) / "bench" / "session.db").stat().st_size / 1e6
        opened = []
        for _ in range(5):
            begun = time.process_time()
            session = await Session.open("bench", config)
            opened.append(time.process_time() - begun)
            await session.aclose()
        found["open"] = statistics.median(opened)
        session = await Session.open("bench", config)
        async with _measured(found, "compare"):
            await session.checked()
        async with _measured(found, "export"):
            await session.export(Path(folder) / "out.jsonl")
        await session.aclose()
        async with _measured(found, "doctor"):
            await examine_session("bench", config)
    return found


class _measured:
    def __init__(self, found: dict[str, float], name: str) -> None:
        self._found, self._name = found, name

    async def __aenter__(self) -> None:
        self._begun = time.process_time()

    async def __aexit__(self, *error: object) -> None:
        self._found[self._name] = time.process_time() - self._begun


def _measure(*flags: object) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.integrity", *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--large", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--variant", choices=("all", "none"), help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.variant:
        _variant(given.variant)
        print(json.dumps(asyncio.run(_run(given.cases, given.url))))
        return
    if given.one:
        print(json.dumps(asyncio.run(_large(given.one))))
        return
    rows: list[list[Any]] = []
    with endpoint("--latency", "0.05") as url:
        for writer, flags in (("built-in writer", ()), ("an endpoint", ("--url", url))):
            runs = [
                [_measure("--variant", name, "--cases", given.cases, *flags)["cpu"] for name in ("none", "all")]
                for _ in range(given.repeat)
            ]
            without, whole = (statistics.median(column) for column in zip(*runs, strict=True))
            rows.append([writer, given.cases, without, whole, 100 * (whole / without - 1)])
    table("Sums, marks and digest of a run (CPU s)", ["writer", "cases", "without", "with", "more %"], rows)
    found = [(cases, _measure("--one", cases)) for cases in given.large]
    if found:
        names = list(found[0][1])
        table(
            "A large session (CPU s)", ["cases", *names], [[cases, *(m[name] for name in names)] for cases, m in found]
        )


if __name__ == "__main__":
    main()
