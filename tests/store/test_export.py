"""Files that leave a session, and files that become one."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError, PlanError, StorageError
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.store.export.formats import format_of
from dsbuilder_tui.store.files import atomic_write
from dsbuilder_tui.store.imports.seed_checkpoint import read_seed_checkpoint
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


@pytest.fixture
async def finished(make_plan: Plans, make_config: Configs) -> Any:
    async with await Session.create(make_plan(12, 8), make_config(seed=5)) as session:
        await session.run()
        yield session


async def test_every_format_holds_the_same_cases_in_slot_order(finished: Session, tmp_path: Path) -> None:
    for ending in ("jsonl", "json", "csv", "parquet"):
        assert await finished.export(tmp_path / f"out.{ending}") == 20
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert json.loads((tmp_path / "out.json").read_text()) == lines
    assert [r["tags"]["slot"] for r in lines] == [*range(1, 13), *range(1, 9)]
    assert set(lines[0]) == {"inputs", "expectations", "tags"}
    assert set(lines[0]["inputs"]) == {"query"} and lines[0]["expectations"] == {"polite": True}
    assert {"case_id", "category", "slot", "attributes", "model", "template", "perturbation"} == set(lines[0]["tags"])
    with (tmp_path / "out.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["inputs.query"] for row in rows] == [r["inputs"]["query"] for r in lines] == [
        row["inputs.query"] for row in table
    ]  # fmt: skip
    assert rows[0]["attributes.tone"] == lines[0]["tags"]["attributes"]["tone"] == table[0]["attributes.tone"]
    assert [row["slot"] for row in table] == [r["tags"]["slot"] for r in lines]


async def test_the_seed_format_has_the_documented_members(finished: Session) -> None:
    path = finished.folder.parent / "support_checkpoint.json"
    data = json.loads(path.read_text())
    documented = {
        "dataset_name", "instances_created", "total_instances_planned", "created_instances", "dataset_plan", "timestamp",
    }  # fmt: skip
    assert documented <= set(data)
    assert (data["dataset_name"], data["instances_created"], data["total_instances_planned"]) == ("support", 20, 20)
    assert len(data["created_instances"]) == 20
    assert data["dataset_plan"]["categories"][0]["name"] == "category_1"


async def test_an_export_can_be_imported_and_continued(tmp_path: Path, make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(30, 10), make_config(seed=9, max_workers=2, batch_size=5)) as session:

        def pause_in_the_middle(event: Any) -> None:
            if event.type == "batch_started" and event.batch == 4:
                session.request_pause(Pause("enough"))

        session.subscribe(pause_in_the_middle)
        result = await session.run()
        assert result.state == "paused" and 10 <= result.accepted < 40
        exported = session.folder.parent / "support_checkpoint.json"
        await session.run()
        whole = tmp_path / "whole.jsonl"
        await session.export(whole)
        part = tmp_path / "elsewhere" / "part_checkpoint.json"
        part.parent.mkdir()
        data = json.loads(exported.read_text())
        data["created_instances"] = data["created_instances"][: result.accepted]
        part.write_text(json.dumps(data))
    original = part.read_bytes()
    other = make_config(checkpoint_dir=tmp_path / "other")
    async with await Session.import_dataset(part, other) as session:
        assert (await session.summary()).instances_created == result.accepted
        assert session.seed == 9
        assert (await session.run()).accepted == 40
        again = tmp_path / "again.jsonl"
        await session.export(again)
    assert part.read_bytes() == original
    texts = [json.loads(line)["inputs"]["query"] for line in again.read_text().splitlines()]
    assert len(set(texts)) == 40


def seed_file(tmp_path: Path, **changes: Any) -> Path:
    plan = {"dataset_name": "old", "categories": [{"name": "a", "count": 3}, {"name": "b", "count": 2}]}
    data: dict[str, Any] = {
        "dataset_name": "old",
        "instances_created": 2,
        "total_instances_planned": 5,
        "created_instances": [{"category": "a", "inputs": {"query": "x"}}, {"tags": {"category": "b"}, "inputs": "y"}],
        "dataset_plan": plan,
        "timestamp": "2025-11-02T14:30:00",
    } | changes
    path = tmp_path / "old_checkpoint.json"
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}))
    return path


def test_a_seed_file_of_the_original_shape(tmp_path: Path) -> None:
    seed = read_seed_checkpoint(seed_file(tmp_path))
    assert [(c.category, c.ordinal, c.inputs) for c in seed.cases] == [
        ("a", 1, {"query": "x"}),
        ("b", 1, {"query": "y"}),
    ]
    assert seed.notes == []
    other = seed_file(tmp_path, created_instances=[{"category": "a", "inputs": {"question": "x", "locale": "de"}}])
    assert list(read_seed_checkpoint(other).plan.input_fields) == ["question", "locale"]


def test_missing_members_are_mended_when_they_can_be(tmp_path: Path) -> None:
    plan = {"categories": [{"name": "a", "count": 3}]}
    path = seed_file(
        tmp_path, dataset_plan=plan, instances_created=9, total_instances_planned=..., timestamp=..., dataset_name=...,
        created_instances=[{"inputs": {"query": "x"}}],
    )  # fmt: skip
    seed = read_seed_checkpoint(path)
    assert seed.plan.dataset_name == "old" and len(seed.cases) == 1
    assert any("instances_created says 9" in note for note in seed.notes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset_plan": ...}, "dataset_plan is missing"),
        (
            {"dataset_plan": {"dataset_name": "x", "categories": [{"name": "a"}]}},
            r"dataset_plan.categories\[0\].count: missing",
        ),
        ({"created_instances": {}}, "created_instances must be a list"),
        ({"created_instances": [7]}, r"created_instances\[0\] must be an object"),
        ({"created_instances": [{"category": "zzz", "inputs": {"q": 1}}]}, r"'zzz' is not in the plan \(a, b\)"),
        (
            {"created_instances": [{"category": "a", "inputs": {"q": "x"}}, {"category": "a", "inputs": {"r": "x"}}]},
            r"created_instances\[0\]: its inputs have the keys q, the plan's are query.*input_fields",
        ),
        ({"created_instances": [{"category": "a"}]}, r"created_instances\[0\]: inputs is missing"),
        (
            {"created_instances": [{"category": "b", "inputs": {"q": str(n)}} for n in range(3)]},
            "1 more instances than",
        ),
    ],
)
def test_seed_files_with_mistakes_are_explained(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises((InputError, PlanError), match=words):
        read_seed_checkpoint(seed_file(tmp_path, **changes))


@pytest.mark.parametrize("first", [True, False], ids=["plan first", "plan last"])
def test_a_large_seed_file_is_read_one_case_after_another(tmp_path: Path, first: bool) -> None:
    count, path = 20_000, tmp_path / "large_checkpoint.json"
    plan = json.dumps({"dataset_name": "large", "categories": [{"name": "a", "count": count + 3}]})
    with path.open("w") as file:
        file.write(f'{{"dataset_plan": {plan}, "created_instances": [' if first else '{"created_instances": [')
        for number in range(count):
            case = {
                "inputs": {"question": f"{number} " + "x" * 1000},
                "tags": {"category": "a", "slot": number + 2, "n": number},
            }
            file.write(("," if number else "") + json.dumps(case))
        file.write("]}" if first else f'], "dataset_plan": {plan}}}')
    tracemalloc.start()
    try:
        seed = read_seed_checkpoint(path)
        ordinals = [case.ordinal for case in seed.cases]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ordinals == list(range(2, count + 2)) and list(seed.plan.input_fields) == ["question"]
    assert seed.cases[-1].tags == {"n": count - 1} and len(seed.cases[5:8]) == 3
    assert peak < path.stat().st_size // 2, "the file is never in memory as a whole"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"dataset_plan": {}, "created_instances": [{"inputs": NaN}]}', "is not JSON"),
        ('{"dataset_plan": {}, "created_instances": [{"a": 1}, {"b": ]}', r"after created_instances\[0\], is not JSON"),
        ('{"dataset_plan": {}, "created_instances": [], }', "is not JSON"),
        ('{"dataset_plan": {}, "created_instances": []} {}', "something follows its end"),
        ('{"created_instances": [' + "[" * 100_000 + "]}", "is nested too deeply"),
        ('{"created_instances": [{"a": "' + "x" * (34 * 2**20) + '"}]}', "is a value of more than 16 MB"),
        ("[1, 2]", "holds a list, not an object"),
    ],
    ids=["NaN", "a hole", "a comma", "two values", "depth", "length", "an array"],
)
def test_a_seed_file_that_stops_being_json_says_where(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "x_checkpoint.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_seed_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1,2]", b"\xff\xfe"])
def test_files_that_are_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json"):
        read_seed_checkpoint(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_seed_checkpoint(tmp_path / "nowhere.json")


def test_endings() -> None:
    assert [format_of(Path(name)) for name in ("a.jsonl", "A.JSON", "a.csv", "a.parquet", "a_checkpoint.json")] == [
        "jsonl", "json", "csv", "parquet", "checkpoint",
    ]  # fmt: skip
    assert format_of(Path("a.txt"), "csv") == "csv"
    with pytest.raises(InputError, match=r"'\.txt'.*--format"):
        format_of(Path("a.txt"))


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as handle:
        handle.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir() if f.is_file()] == ["f.json"]
    with pytest.raises(StorageError, match="could not be written"), atomic_write(path / "below" / "x"):
        pass


@pytest.mark.parametrize(("diversity", "told"), [("off", True), ("on", False)])
async def test_inputs_that_would_be_merged_are_told_at_export(
    diversity: str, told: bool, make_plan: Plans, make_config: Configs, tmp_path: Path
) -> None:
    """Where a category's diversity is off, and its inputs repeat: their number, before the file is handed on."""
    async with FakeOpenAI(duplicate_rate=0.9 if told else 0.0) as fake:
        plan = make_plan(30, 10, diversity=diversity)
        async with await Session.create(plan, make_config(base_url=fake.url, batch_size=5, judge="off")) as session:
            await session.run()
            notices: list[str] = []
            session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
            await session.export(tmp_path / "out.jsonl")
    inputs = [json.dumps(json.loads(line)["inputs"]) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    repeats = len(inputs) - len(set(inputs))
    assert (repeats > 0) == told and len(notices) == told
    if told:
        assert notices[0].startswith(f"{repeats} case") and "MLflow would merge them" in notices[0]
