"""``python -m tests.bench.rows``: files of rows read, deduplicated, imported and extended, and the memory of each.

Asserts nothing. What a row takes is measured against the first size.

The rows are those of ``tests.bench.dedup``. A million takes a quarter of an hour: ``--rows 20000 100000`` without it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.bench import ENVIRONMENT, ROOT
from tests.bench.dedup import memory, write

_HEADS = ["rows", "", "wall s", "CPU s", "rows a CPU s", "own MB", "mapped MB", "own KB a row more"]
_READ = (
    "import sys; from dsbuilder_tui.sources.rows.dataset_rows import Source; "
    "print(sum(1 for _ in Source(sys.argv[1]).checked_rows()))"
)


def _commands(rows: Path, folder: Path) -> dict[str, list[str]]:
    place = ["--checkpoint-dir", str(folder / "sessions"), "--max-dataset-size", "10000000"]
    command = ["-m", "dsbuilder_tui"]
    return {
        "read": ["-c", _READ, str(rows)],
        "dedup": [*command, "dedup", str(rows), "--out", str(folder / "kept.jsonl")],
        "import": [*command, "import", str(rows), *place],
        "extend": [*command, "run", "--extend", str(rows), "--more", "20", "--provider", "offline", "--plain", *place],
    }


def _measured(words: list[str]) -> dict[str, float]:
    """Seconds by the clock and of the processor, and MB at most: the program's own and of mapped files."""
    before, begun, peak = os.times(), time.perf_counter(), {"RssAnon": 0, "RssFile": 0}
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT
    ) as process:  # fmt: skip
        assert process.stderr is not None
        while process.poll() is None:
            now = memory(process.pid)
            peak = {name: max(value, now.get(name, 0)) for name, value in peak.items()}
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(process.stderr.read())
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": time.perf_counter() - begun, "CPU": cpu, **{name: value / 2**20 for name, value in peak.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[20_000, 100_000, 1_000_000], help="the first is the measure"
    )
    parser.add_argument("--only", nargs="*", choices=("read", "dedup", "import", "extend"))
    given = parser.parse_args()
    print("\nFiles of rows")
    show(_HEADS)
    base: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        for rows in given.rows:
            folder = Path(name) / str(rows)
            folder.mkdir()
            write(source := folder / "rows.jsonl", rows, 10)
            for act, words in _commands(source, folder).items():
                if given.only and act not in given.only:
                    continue
                found = _measured(words)
                least = base.setdefault(act, found["RssAnon"])
                more = (found["RssAnon"] - least) * 1024 / (rows - given.rows[0]) if rows > given.rows[0] else 0.0
                show(
                    [rows, act, found["wall"], found["CPU"], f"{rows / found['CPU']:,.0f}", found["RssAnon"], found["RssFile"], more]
                )  # fmt: skip


def show(cells: Sequence[Any]) -> None:
    """Print a row of the table at once: a million rows take long."""
    words = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
    print("  " + "  ".join(word.rjust(max(9, len(head))) for word, head in zip(words, _HEADS, strict=True)), flush=True)


if __name__ == "__main__":
    main()
