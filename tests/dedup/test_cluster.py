"""A pass on a cluster is the pass of this machine: the same files byte for byte, and the same report."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from dsbuilder_tui.clusters.ray_cluster import RayCluster
from dsbuilder_tui.dedup import DedupReport, deduplicate
from dsbuilder_tui.dedup import cluster_comparison as running
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.support.ray_cluster import LoopbackCluster, loopback_cluster

WORDS = "card bank loan fee rate app login code phone bill date name limit cash fund tax not two seven May".split()
PASSAGE = "Our terms of use say that a parcel may be returned within thirty days, that the fee is borne by the sender, and so on."
FILES = ("kept.jsonl", "dropped.jsonl", "flagged.jsonl")
_VARIES = ("seconds", "cpu_seconds", "rows_per_second", "peak_memory_bytes", "cluster")


pytestmark = pytest.mark.timeout(600)  # Ray starts many processes, which takes long where much else is going on


@pytest.fixture(scope="module")
def cluster() -> Iterator[LoopbackCluster]:
    with joined("one", "two") as nodes:
        yield nodes


@contextmanager
def joined(*names: str) -> Iterator[LoopbackCluster]:
    """A cluster with all nodes of these names there; this process stays connected, so that no pass looks for it anew."""
    with loopback_cluster(*names) as nodes:
        connection = asyncio.run(RayCluster.join(nodes.address))
        try:
            while len(asyncio.run(connection.nodes())) < len(names):
                time.sleep(0.05)
            yield nodes
        finally:
            asyncio.run(connection.leave())


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PIECE", 23)


def rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Short texts out of few words, in few categories: every stage drops some, many are as near as each other."""
    chance = random.Random(seed)
    return [
        {
            "inputs": {"query": " ".join(chance.choices(WORDS, k=chance.randint(0, 6))) + f" #{chance.randint(1, 99)}"},
            "expectations": {"allowed": chance.random() < 0.5},
            "tags": {"category": chance.choice("ab"), "case_id": f"r{chance.randint(1, count)}"},
        }
        for _ in range(count)
    ]


def lines(records: list[dict[str, Any]]) -> bytes:
    damaged = [b"broken\n", b"\xff\xfe\n", b"\n", b'{"inputs": 3', b'{"inputs": "half \\ud83d", "score": NaN}\r\n']
    told = [json.dumps(record).encode() + b"\n" for record in records]
    for place, line in enumerate(damaged):
        told.insert(1 + place * len(told) // len(damaged), line + b"\n" * (not line.endswith(b"\n")))
    return b"".join(told)


def as_csv(records: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["question", "answer", "category"])
    table.writerows(
        [r["inputs"]["query"], "yes\nindeed" if r["expectations"]["allowed"] else "no", r["tags"]["category"]]
        for r in records
    )
    return out.getvalue().encode()


def questions(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """About passages that many have in common: a scope each."""
    return [
        {"question": f"{r['inputs']['query']}?", "context": PASSAGE + str(place % 3), "answer": "yes"}
        for place, r in enumerate(records)
    ]


def chats(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"messages": [{"role": "system", "content": PASSAGE}, {"role": "user", "content": r["inputs"]["query"]}]} for r in records]  # fmt: skip


def pairs(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for place, record in enumerate(records[: len(records) // 2]):
        name, other = f"p-{place}", f"q-{place}"
        for id_, side, partner in ((name, "original", other), (other, "partner", name)):
            pair = {"id": name, "kind": "same", "side": side, "other": partner}
            text = record["inputs"]["query"] + (" please" if side == "partner" else "")
            found.append({"inputs": {"query": text}, "tags": {"case_id": id_, "category": "a", "pair": pair}})
    return found


def folder(path: Path) -> None:
    path.mkdir()
    for place, split in enumerate(("train", "test")):
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist(rows(60, 5 + place)), path / f"{split}-00000-of-00001.parquet"
        )


def one_text(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Three texts that contradict themselves: each shares more hashes with those before it than are looked at."""
    return [
        {"inputs": f"May I return the {'lamp cup rug'.split()[place % 3]} within 30 days?", "expectations": {"days": place // 2}}
        for place, _ in enumerate(records)
    ]  # fmt: skip


MAKERS: dict[str, Callable[[Path], object]] = {
    "rows.jsonl": lambda path: path.write_bytes(lines(rows(600))),
    "rows.jsonl.gz": lambda path: path.write_bytes(gzip.compress(lines(rows(90, 2)))),
    "rows.json": lambda path: path.write_text(json.dumps(questions(rows(90, 3)), indent=1)),
    "rows.csv": lambda path: path.write_bytes(as_csv(rows(90, 4))),
    "folder": folder,
    "chats.yaml": lambda path: path.write_text(yaml.safe_dump(chats(rows(60, 6)))),
    "pairs.jsonl": lambda path: path.write_bytes(lines(pairs(rows(80, 7)))),
    "one_text.jsonl": lambda path: path.write_bytes(lines(one_text(rows(150)))),
    "none.jsonl": lambda path: path.write_bytes(b""),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "rows.jsonl": {"semantic_threshold": 0.8},
    "rows.jsonl.gz": {"diversity_scope": "window", "diversity_window": 40},
    "rows.csv": {"diversity_across": True, "diversity_stages": "structural,near"},
    "rows.json": {"diversity_stages": "structural,near"},
    "folder": {"diversity_stages": "near"},
    "chats.yaml": {"diversity_stages": "structural"},
    "pairs.jsonl": {"diversity_stages": "structural,near"},
}


def outcome(source: str, **more: Any) -> tuple[dict[str, Any], list[bytes], DedupReport]:
    report = deduplicate(source, out=FILES[0], dropped=FILES[1], flagged=FILES[2], **more)
    told = {name: value for name, value in report.as_dict().items() if name not in _VARIES}
    return told, [Path(name).read_bytes() for name in FILES], report


def on(cluster: LoopbackCluster, **more: Any) -> DatasetBuilderConfig:
    return DatasetBuilderConfig(runner="ray", ray_address=cluster.address, **more)


@pytest.mark.parametrize("name", MAKERS)
def test_it_finds_what_this_machine_finds(cluster: LoopbackCluster, name: str) -> None:
    MAKERS[name](Path(name))
    settings = SETTINGS.get(name, {})
    keeps = {"keep_bad": name == "rows.jsonl"}
    told, files, _ = outcome(name, config=DatasetBuilderConfig(**settings), **keeps)
    assert (told, files) == outcome(name, config=on(cluster, **settings), **keeps)[:2]
    if name == "rows.jsonl":
        assert min(told["dropped"].values()) > 0 and told["contradictions"] and told["similar"] and told["bad_lines"]
    assert sorted(path.name for path in Path().iterdir()) == sorted((name, *FILES))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_it_finds_the_same_in_any_file(cluster: LoopbackCluster, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(running, "_PIECE", chance.choice((1, 7, 64, 1024)))
    shapes = (lambda records: records, questions, chats, pairs, one_text)
    mixed = [record for shape in chance.sample(shapes, 2) for record in shape(rows(chance.randint(1, 250), seed))]
    chance.shuffle(mixed)
    Path("rows.jsonl").write_bytes(lines(mixed))
    stages = ["structural", "near", "semantic"]
    settings: dict[str, Any] = {
        "diversity_stages": ",".join(chance.sample(stages, chance.randint(1, 3))),
        "semantic_threshold": chance.choice((0.7, 0.9)), "near_threshold": chance.choice((0.4, 0.7)),
        "diversity_across": chance.random() < 0.3,
        "diversity_scope": chance.choice(("history", "window")), "diversity_window": chance.randint(1, 60),
    }  # fmt: skip
    assert (
        outcome("rows.jsonl", config=DatasetBuilderConfig(**settings))[:2]
        == outcome("rows.jsonl", config=on(cluster, **settings))[:2]
    )


def test_standard_input_is_read_once(cluster: LoopbackCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    content = lines(rows(50, 8))
    settings = {"diversity_stages": "structural"}
    found = []
    for config in (DatasetBuilderConfig(**settings), on(cluster, **settings)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        found.append(outcome("-", config=config)[:2])
    assert found[0] == found[1]
    with pytest.raises(InputError, match="cannot be read a second time"):
        deduplicate("-", work_folder="work", config=on(cluster))


def test_an_ended_run_is_gone_on_with(cluster: LoopbackCluster) -> None:
    Path("rows.jsonl").write_bytes(lines(rows(300, 9)))
    settings = {"semantic_threshold": 0.8}
    expected = outcome("rows.jsonl", config=DatasetBuilderConfig(**settings))[:2]
    for path in FILES:
        Path(path).unlink()
    said: list[str] = []

    def interrupt(progress: Any) -> None:
        if progress.rows > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome("rows.jsonl", config=on(cluster, **settings), progress=interrupt, tell=said.append)
    work = Path("kept.jsonl.work")
    assert said == [] and {path.name for path in work.iterdir()} >= {
        "decisions.jsonl",
        "fingerprints.rows",
        "work.json",
    }
    with (work / "decisions.jsonl").open("ab") as torn:
        torn.write(b'0123456789abcdef {"items": 2, "ke')
    told, files, report = outcome("rows.jsonl", config=on(cluster, **settings), tell=said.append)
    assert (told, files) == expected
    assert report.cluster is not None and report.cluster.resumed > 100
    assert said == [f"{report.cluster.resumed} rows were compared before; it goes on behind them."]
    assert report.cluster.nodes == 2 and not work.exists()


@pytest.mark.parametrize("changes_file", [False, True])
def test_what_is_no_more_the_same_begins_anew(cluster: LoopbackCluster, changes_file: bool) -> None:
    source, settings = Path("rows.jsonl"), {"diversity_stages": "near", "near_threshold": 0.7}
    source.write_bytes(lines(rows(100)))

    def interrupt(progress: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome(source.name, config=on(cluster, **settings), progress=interrupt)
    if changes_file:
        source.write_bytes(lines(rows(110)))
    else:
        settings["near_threshold"] = 0.6
    said: list[str] = []
    found = outcome(source.name, config=on(cluster, **settings), tell=said.append)[:2]
    assert len(said) == 1 and "begins anew" in said[0] and ("file" in said[0]) == changes_file
    assert found == outcome(source.name, config=DatasetBuilderConfig(**settings))[:2]


def test_a_folder_of_somebody_else_is_left_alone(cluster: LoopbackCluster) -> None:
    Path("rows.jsonl").write_bytes(lines(rows(10)))
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    with pytest.raises(InputError, match="other things in it"):
        deduplicate("rows.jsonl", work_folder="mine", config=on(cluster))
    assert [path.name for path in Path("mine").iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match="work folder is of a pass on a cluster"):
        deduplicate("rows.jsonl", work_folder="mine")
