"""``dsbuilder dedup`` over a million short texts. ``python tests/bench/dedup.py --rows 1000000``. Asserts nothing.

A fifth of the rows are planted repeats of an earlier row: as it was, with another id, in other case and punctuation, with one
word changed, with two words swapped. Which row recurs follows Zipf's law. The other rows are words of a list of about a
thousand, the frequent ones more often, 8 to 16 of them. Memory is read from /proc: anonymous pages are the program's own, file pages
are mapped files, which the system takes back when it needs the room.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

import numpy as np
import orjson

from dsbuilder_tui.dedup import dedup_pass
from dsbuilder_tui.dedup.local_comparison import LocalComparison
from dsbuilder_tui.dedup.outputs import Outputs
from dsbuilder_tui.diversity.thresholds import rules_for
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import Source

ROOT = Path(__file__).resolve().parents[2]
VARIES = {"seconds", "cpu_seconds", "rows_per_second", "peak_memory_bytes"}
KINDS = ("same", "id", "case", "word", "swap")


def write(path: Path, rows: int, categories: int, seed: int = 7) -> None:
    """The dataset; each record says in its tags whether it is planted, and how."""
    from faker.providers.lorem.en_US import Provider

    chance = random.Random(seed)
    words = list(dict.fromkeys(Provider.word_list))
    weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(words))))
    first: list[tuple[int, list[str]]] = []  # those that recur: category, words
    with path.open("wb") as out:
        for number in range(rows):
            planted = None
            if first and chance.random() < 0.2:
                category, text = first[min(int(chance.paretovariate(0.6)) - 1, len(first) - 1)]
                planted = chance.choice(KINDS)
            else:
                category = chance.randrange(categories)
                text = chance.choices(words, cum_weights=weights, k=chance.randint(8, 16))
                if len(first) < 100_000:
                    first.append((category, text))
            query = f"{' '.join(_changed(text, planted, words, chance))}, order #{chance.randrange(10**5, 10**6)}."
            record = {
                "inputs": {"query": query.upper() if planted == "case" else query},
                "expectations": {"category": category},
                "tags": {"case_id": f"row-{number:07d}", "category": f"category_{category}", "planted": planted},
            }
            out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _changed(text: list[str], planted: str | None, words: list[str], chance: random.Random) -> list[str]:
    text, place = list(text), chance.randrange(len(text) - 1)
    if planted == "word":
        text[place] = chance.choice(words)
    elif planted == "swap":
        text[place], text[place + 1] = text[place + 1], text[place]
    return text


def memory(pid: int) -> dict[str, int]:
    """Resident bytes by kind, as the system counts them now."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("Rss", "VmRSS")))
    return {name: int(value.split()[0]) * 1024 for name, value in fields.items()}


def run(source: Path, folder: str, more: list[str]) -> tuple[Counter[str], dict[str, Any]]:
    """The most memory of each kind while it ran, and its report."""
    command = [sys.executable, "-m", "dsbuilder_tui", "dedup", str(source), "--json", *more]
    for flag, name in (("--out", "kept"), ("--dropped", "dropped"), ("--flagged", "flagged")):
        command += [flag, str(Path(folder) / f"{name}.jsonl")]
    peak = Counter[str]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        while process.poll() is None:
            for name, value in memory(process.pid).items():
                peak[name] = max(peak[name], value)
            time.sleep(0.2)
        assert process.stdout is not None
        report = json.loads(process.stdout.read() or "null")
    if process.returncode:
        raise SystemExit(process.returncode)
    return peak, report


def on_a_cluster(source: Path, folder: Path, alone: Mapping[str, Any], more: list[str]) -> None:
    """The same pass on a cluster: its figures, and that its files and its report are those of the machine alone."""
    files = [folder / f"{name}.jsonl" for name in ("kept", "dropped", "flagged")]
    for path in files:
        path.rename(path.with_suffix(".alone"))
    started = time.perf_counter()
    peak, report = run(source, str(folder), [*more, "--runner", "ray"])
    wall = time.perf_counter() - started
    same = [path.read_bytes() == path.with_suffix(".alone").read_bytes() for path in files]
    differs = {name for name in alone if alone[name] != report[name]} - VARIES
    print(f"on a cluster: files the same {same}, the report differs in {sorted(differs) or 'nothing'}")
    print(
        f"  wall {wall:,.1f} s; CPU of the driver {report['cpu_seconds']:,.1f} s, of the nodes "
        f"{report['cluster']['cpu_seconds']:,.1f} s; {report['cluster']['peak_memory_bytes_a_node'] / 2**20:,.0f} MB a node"
    )
    for name, value in sorted(peak.items()):
        print(f"  driver's peak {name:<8} {value / 2**20:>7,.0f} MB, {value / report['rows']:,.0f} bytes a row")


def parts(source: Path) -> tuple[dict[str, int], int]:
    """Bytes that each part of a pass over a file holds at its end, and its kept rows."""
    held: dict[str, int] = {}
    let_go = LocalComparison._let_go

    def measure(comparison: LocalComparison) -> None:
        comparer = comparison._comparer
        assert comparer is not None
        scopes = comparer._scopes.values()
        held.update(
            {
                "shared hashes": _size(comparer._lsh),
                "signs of vectors": sum(_size(scope.signs) for scope in scopes),
                "rows of categories": _size(comparer._scopes) - sum(_size(scope.signs) for scope in scopes),
                "ids": _size(one._tally.ids),
                "places in the file": _size(rows._places._newest),
                "the rest of the tally": _size(one._tally) - _size(one._tally.ids),
                "mapped: fingerprints": comparer.file.rows.nbytes,
                "mapped: words": comparer.file._tokens.rows.nbytes,
            }
        )
        let_go(comparison)

    config = DatasetBuilderConfig()
    rules = rules_for(config)
    comparison = LocalComparison(config, rules, lambda text: None)
    with Source(source) as rows, Outputs(source, {}) as outputs, mock.patch.object(LocalComparison, "_let_go", measure):
        one = dedup_pass._Run(rows, outputs, config, rules, comparison, False, None)
        return held, one.go().kept


def _size(thing: Any, seen: set[int] | None = None) -> int:
    """Bytes of a thing and of all it holds, each counted once; of code nothing."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type | ModuleType | FunctionType):
        return 0
    seen.add(id(thing))
    inner: Iterable[Any] = ()
    if isinstance(thing, np.ndarray):
        return int(thing.nbytes) + 112 if thing.base is None else 112 + _size(thing.base, seen)
    if isinstance(thing, Mapping):
        inner = itertools.chain(thing, thing.values())
    elif isinstance(thing, list | tuple | set | frozenset):
        inner = thing
    else:
        names = itertools.chain.from_iterable(getattr(kind, "__slots__", ()) for kind in type(thing).__mro__)
        inner = [getattr(thing, name, None) for name in names] + [getattr(thing, "__dict__", None)]
    return sys.getsizeof(thing) + sum(_size(one, seen) for one in inner)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=50)
    parser.add_argument("--parts", type=int, default=100_000, help="rows of the pass that is taken to pieces")
    parser.add_argument(
        "--ray", action="store_true", help="the same on a local cluster of Ray, too, and whether it is the same"
    )
    parser.add_argument("--file", type=Path, help="a dataset to use in place of a new one; made when it is not there")
    parser.add_argument("more", nargs="*", help="flags for dedup, behind --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.file or Path(folder) / "rows.jsonl"
        if not source.exists():
            write(source, given.rows, given.categories)
        small = Path(folder) / "small.jsonl"
        small.write_bytes(b"".join(itertools.islice(source.open("rb"), 1000)))
        base, _ = run(small, folder, given.more)
        small.write_bytes(b"".join(itertools.islice(source.open("rb"), given.parts)))
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, report = run(source, folder, given.more)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        planted, caught, lost = Counter[str](), Counter[str](), 0
        for line in (Path(folder) / "dropped.jsonl").open("rb"):
            kind = orjson.loads(line)["record"]["tags"]["planted"]
            caught[kind] += 1
            lost += kind is None
        for line in source.open("rb"):
            planted[orjson.loads(line)["tags"]["planted"]] += 1
        held, kept = parts(small)
        if given.ray:
            on_a_cluster(source, Path(folder), report, given.more)
    print(f"{report['rows']:,} rows, {report['kept']:,} kept, dropped {report['dropped']}, flagged: contradictions "
          f"{report['contradictions']}, contrast {report['contrasts']}, similar {report['similar']}")  # fmt: skip
    for kind in KINDS:
        print(f"  planted {kind:<5} {planted[kind]:>8,}  dropped {100 * caught[kind] / max(1, planted[kind]):6.2f} %")
    print(f"  others        {planted[None]:>8,}  dropped {100 * lost / max(1, planted[None]):6.2f} %")
    print(
        f"wall {wall:,.1f} s, CPU {cpu:,.1f} s, {report['rows'] / wall:,.0f} rows/s, {report['rows'] / cpu:,.0f} a CPU second"
    )
    for name, value in sorted(peak.items()):
        more = (value - base[name]) / 1024 / max(1, report["kept"])
        print(f"  peak {name:<8} {value / 2**20:>7,.0f} MB, {more:5.2f} KB a kept row beyond a run of 1,000 rows")
    print(f"  likeness {report['likeness']}")
    for name, value in sorted(held.items(), key=lambda part: -part[1]):
        print(f"  {name:<22} {value / kept:>7.1f} bytes a kept row, of {kept:,}")


if __name__ == "__main__":
    main()
