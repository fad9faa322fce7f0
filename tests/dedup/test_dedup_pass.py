"""The gate over a file: what is kept, dropped and flagged, and that the files say why."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import dsbuilder_tui
from dsbuilder_tui.dedup import DedupReport, Progress, deduplicate
from dsbuilder_tui.dedup import local_comparison as running
from dsbuilder_tui.domain.errors import ConfigError, InputError, StorageError
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

LONG = "My parcel with the two blue shirts and the grey hat has not come yet, can you find out where it is today"
OTHER = "I would like to open a savings account for my daughter and need to know which papers to bring along"


def record(text: str, category: str = "orders", expectations: Any = None, **more: Any) -> dict[str, Any]:
    return {"inputs": {"query": text}, "expectations": expectations or {}, "tags": {"category": category}, **more}


@pytest.fixture
def data() -> Callable[..., Path]:
    def write(*records: Any, name: str = "data.jsonl") -> Path:
        Path(name).write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records), "utf-8")
        return Path(name)

    return write


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_bytes().splitlines()]


def run(source: Path | str, **more: Any) -> DedupReport:
    return deduplicate(source, out="kept.jsonl", dropped="dropped.jsonl", flagged="flagged.jsonl", **more)


def test_each_stage_drops_and_says_why(data: Callable[..., Path]) -> None:
    light = LONG.replace("today", "please")
    source = data(
        record("Where is my order #12345?", id="first"),
        record("where is my order #98765"),
        record(LONG),
        record(OTHER),
        record(light),
    )
    report = run(source)
    assert (report.rows, report.kept, report.dropped) == (5, 3, {"structural": 1, "near": 1})
    assert Path("kept.jsonl").read_bytes().splitlines() == [source.read_bytes().splitlines()[n] for n in (0, 2, 3)]
    first, second = read("dropped.jsonl")
    assert set(first) == {"line", "record", "reason", "stage", "score", "threshold", "match"}
    assert first["line"] == 2 and first["record"] == json.loads(source.read_text().splitlines()[1])
    assert (first["stage"], first["score"], first["threshold"]) == ("structural", 1.0, 1.0) and first["reason"]
    assert first["match"] == {"line": 1, "id": "first", "text": "Where is my order #12345?"}
    assert second["stage"] == "near" and second["score"] >= second["threshold"] == 0.7
    assert second["match"] == {"line": 3, "id": None, "text": LONG}
    assert [pair.line for pair in report.first_dropped] == [2, 5]
    assert read("flagged.jsonl") == [] and not report.clean


def test_the_semantic_stage(data: Callable[..., Path]) -> None:
    source = data(record("Please cancel my hotel booking"), record("Cancel the booking of my hotel please"))
    config = DatasetBuilderConfig(diversity_stages="semantic", semantic_threshold=0.7)
    report = run(source, config=config)
    assert report.dropped == {"semantic": 1}
    assert read("dropped.jsonl")[0]["stage"] == "semantic"
    assert run(source, config=DatasetBuilderConfig(diversity_stages="structural")).dropped == {}


def test_contradictions_are_kept_and_flagged(data: Callable[..., Path]) -> None:
    source = data(
        record("Can I return it?", expectations={"allowed": True}, case_id="yes"),
        record("Can I return it?", expectations={"allowed": False}),
        record("can I return it", expectations={"allowed": True}),
    )
    report = run(source)
    assert (report.kept, report.dropped, report.flagged) == (2, {"structural": 1}, {"contradiction": 1})
    (flagged,) = read("flagged.jsonl")
    assert flagged["line"] == 2 and flagged["record"]["expectations"] == {"allowed": False}
    (flag,) = flagged["flags"]
    assert (flag["kind"], flag["differs"]) == ("contradiction", ["expectations"])
    assert flag["match"] == {"line": 1, "id": "yes", "text": "Can I return it?"}
    assert report.first_flagged["contradiction"][0].match.id == "yes"
    said = "\n".join(report.lines())
    assert "Contradictions: 1 " in said and said.count("Can I return it?") >= 2


def test_contrast_pairs_are_kept_and_flagged(data: Callable[..., Path]) -> None:
    source = data(record(LONG), record(LONG.replace("two", "seven")), record(LONG.replace("has not", "has")))
    report = run(source)
    assert report.kept == 3 and report.flagged["contrast"] == 2
    assert report.differs["quantity"] == 2 and report.differs["negation"] == 1
    kinds = [[flag["kind"] for flag in line["flags"]] for line in read("flagged.jsonl")]
    assert len(kinds) == 2 and all("contrast" in group for group in kinds)
    assert "quantity" in "\n".join(report.lines())


def test_categories_are_scopes_unless_across(data: Callable[..., Path]) -> None:
    source = data(record("Hello there", "a"), record("Hello there", "b"), record("hello there!", "b"))
    assert (run(source).kept, run(source).scopes) == (2, 2)
    assert run(source, config=DatasetBuilderConfig(diversity_across=True)).kept == 1
    assert run(source, category_field="inputs.query").dropped == {"structural": 1}


def test_a_window(data: Callable[..., Path]) -> None:
    texts = ["Where is it?", LONG, OTHER, "Cancel my plan", "where is it"]
    source = data(*(record(text) for text in texts))
    assert run(source).kept == 4
    assert run(source, config=DatasetBuilderConfig(diversity_window=2)).kept == 5


def test_any_lines_with_named_fields(data: Callable[..., Path]) -> None:
    source = data(
        {"q": "How do I pay?", "a": "By card"},
        {"q": "how do I pay", "a": "By card"},
        {"q": "How do I pay?", "a": "You cannot"},
    )
    report = run(source, fields=["q"], expectations_field="a")
    assert (report.dropped, report.flagged) == ({"structural": 1}, {"contradiction": 1})
    assert run(source, fields=["q", "a"]).dropped == {"structural": 1}
    with pytest.raises(InputError, match=r"no field inputs; its fields are q, a.*--field"):
        run(source)


def test_bad_lines_are_left_out_or_passed_on(data: Callable[..., Path]) -> None:
    bad = "".join(f"broken {n}\n" for n in range(12))
    source = data(record(LONG), bad, record(OTHER), "\n")
    report = run(source)
    assert (report.bad, report.kept) == (13, 2)
    assert [line for line, _ in report.first_bad] == list(range(2, 12))
    assert len(read("kept.jsonl")) == 2 and read("dropped.jsonl") == []
    assert run(source, keep_bad=True).bad == 13
    assert Path("kept.jsonl").read_bytes() == source.read_bytes()


def test_many_bad_lines_behind_one_another(data: Callable[..., Path]) -> None:
    report = run(data(record(LONG), "no json\n" * 600))
    assert (report.rows, report.kept, report.bad) == (1, 1, 600)


def test_what_only_tolerant_readers_take_is_strict_json_in_our_files(data: Callable[..., Path]) -> None:
    loose = '{"inputs": "half \\ud83d a face", "score": NaN}\n'
    source = data(loose, loose.upper().replace("INPUTS", "inputs").replace("NAN", "NaN").replace("UD83D", "ud83d"))
    assert run(source).dropped == {"structural": 1}
    assert Path("kept.jsonl").read_text() == loose
    (dropped,) = [orjson.loads(line) for line in Path("dropped.jsonl").read_bytes().splitlines()]
    assert dropped["record"] == {"inputs": "HALF \ufffd A FACE", "SCORE": None}


def test_nothing_that_can_be_compared(data: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="Line 1: not JSON"):
        run(data("what\n", "is this\n"))
    with pytest.raises(InputError, match="Line 2: no field text; its fields are inputs"):
        run(data("what\n", record("x")), fields=["text"])
    assert not list(Path().glob("*kept*"))
    report = run(data())
    assert (report.rows, report.clean, Path("kept.jsonl").read_bytes()) == (0, True, b"")


def test_the_kept_file_needs_no_second_pass(data: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    words = "card bank loan fee rate app login code phone bill date name limit cash fund tax".split()
    texts = [" ".join(chance.choices(words, k=chance.randint(1, 5))) for _ in range(600)]
    source = data(*(record(text, chance.choice("ab")) for text in texts))
    report = run(source)
    assert report.repeats > 50 and report.kept + report.repeats == 600
    before = {name: Path(name).read_bytes() for name in ("kept.jsonl", "dropped.jsonl", "flagged.jsonl")}
    assert run(source).dropped == report.dropped
    assert before == {name: Path(name).read_bytes() for name in before}
    monkeypatch.setattr(running, "_BATCH", 7)  # how rows are read decides nothing
    run(source)
    assert before == {name: Path(name).read_bytes() for name in before}
    Path("again.jsonl").write_bytes(before["kept.jsonl"])
    assert run("again.jsonl").repeats == 0


def test_matches_are_earlier_rows_that_were_kept(data: Callable[..., Path]) -> None:
    chance = random.Random(5)
    texts = [
        f"{chance.choice('pay send get'.split())} {chance.choice('now later'.split())} order #{n}" for n in range(1500)
    ]
    source = data(*(record(text, id=f"r{n}") for n, text in enumerate(texts, 1)))
    run(source)
    kept = {json.loads(line)["id"]: json.loads(line) for line in Path("kept.jsonl").read_text().splitlines()}
    dropped = read("dropped.jsonl")
    assert len(kept) + len(dropped) == 1500
    for line in dropped:
        match = line["match"]
        assert match["line"] < line["line"] and match["id"] == f"r{match['line']}"
        assert kept[match["id"]]["inputs"]["query"] == match["text"]


def test_packed_in_and_out(data: Callable[..., Path]) -> None:
    source = data(record(LONG), record(LONG), record(OTHER))
    Path("in.jsonl.gz").write_bytes(gzip.compress(source.read_bytes()))
    report = deduplicate("in.jsonl.gz", out="kept.jsonl.gz", dropped="dropped.jsonl")
    assert report.kept == 2 and read("dropped.jsonl")[0]["match"] == {"line": 1, "id": None, "text": LONG}
    lines = source.read_bytes().splitlines(keepends=True)
    assert gzip.decompress(Path("kept.jsonl.gz").read_bytes()) == lines[0] + lines[2]


def test_standard_input(data: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    content = data(record(LONG), record(LONG)).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    report = run("-")
    assert (report.source, report.kept, report.repeats) == ("standard input", 1, 1)
    assert read("dropped.jsonl")[0]["match"]["text"] == LONG


def test_our_own_exports_and_checkpoints(data: Callable[..., Path]) -> None:
    records = [record(LONG), record(LONG, case_id="x"), record(OTHER)]
    Path("d_checkpoint.json").write_text(json.dumps({"dataset_plan": {}, "created_instances": records}, indent=2))
    report = run("d_checkpoint.json")
    assert report.kept == 2 and read("kept.jsonl") == [records[0], records[2]]
    assert read("dropped.jsonl")[0]["line"] == 2 and read("dropped.jsonl")[0]["record"]["case_id"] == "x"


@pytest.mark.parametrize("name", ["out", "dropped", "flagged"])
def test_names_that_would_overwrite(data: Callable[..., Path], tmp_path: Path, name: str) -> None:
    source = data(record(LONG))
    before = source.read_bytes()
    Path("link.jsonl").symlink_to(source)
    Path("hard.jsonl").hardlink_to(source)
    for same in (source, f"./{source}", "link.jsonl", "hard.jsonl", source.absolute()):
        with pytest.raises(InputError, match="is the file to read, too"):
            deduplicate(source, **{name: same})
    other = "dropped" if name == "out" else "out"
    with pytest.raises(InputError, match="too"):
        deduplicate(source, **{name: "x.jsonl", other: "./x.jsonl"})
    for folder in (tmp_path, ""):
        with pytest.raises(InputError, match="is a folder"):
            deduplicate(source, **{name: folder})
    with pytest.raises(InputError, match="not an ordinary file"):
        deduplicate(source, **{name: "/dev/null"})
    with pytest.raises(InputError, match="not the name of a file"):
        deduplicate(source, **{name: "-"})
    with pytest.raises(StorageError, match="is not a folder"):
        deduplicate(source, **{name: source / "inside.jsonl"})
    assert source.read_bytes() == before


def test_a_full_disk_leaves_the_old_files(data: Callable[..., Path]) -> None:
    resource = pytest.importorskip("resource")
    chance = random.Random(1)
    source = data(*(record(f"{chance.random()} {LONG} {n}" * 5, str(n)) for n in range(1500)))
    Path("kept.jsonl").write_text("old\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    config = DatasetBuilderConfig(diversity_stages="structural")
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"(kept.jsonl|tmp).* could not be written"):
            run(source, config=config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert Path("kept.jsonl").read_text() == "old\n"
    assert sorted(path.name for path in Path().iterdir()) == ["data.jsonl", "kept.jsonl"]


def test_an_interrupt_leaves_no_file(data: Callable[..., Path]) -> None:
    source = data(*(record(f"{LONG} {n}", str(n)) for n in range(2000)))

    def interrupt(progress: Progress) -> None:
        assert progress.rows
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, progress=interrupt)
    assert [path.name for path in Path().iterdir()] == ["data.jsonl"]


def test_progress_grows_to_the_end(data: Callable[..., Path]) -> None:
    source = data(*(record(f"{LONG} {n % 400}", str(n % 400)) for n in range(1000)), "bad\n")
    seen: list[Progress] = []
    report = run(source, progress=seen.append)
    assert [p.rows for p in seen] == sorted(p.rows for p in seen) and seen[-1].rows == 1000
    assert (seen[-1].share, seen[-1].dropped, seen[-1].bad) == (1.0, report.repeats, 1)


def test_the_report_is_json_and_hides_nothing_dangerous(data: Callable[..., Path]) -> None:
    hostile = "\x1b[2J\u202e evil \x9b31m " + LONG
    source = data(
        record(hostile, id="\x1b]0;x\x07"),
        record(hostile),
        "\x1b[31mnot json\n",
        record(hostile, expectations={"\x1b": 1}),
    )
    report = run(source)
    said = "\n".join(report.lines())
    assert "evil" in said and not any((ord(c) < 32 and c != "\n") or c in "\x7f\x9b\u202e" for c in said)
    told = json.loads(json.dumps(report.as_dict()))
    assert told["dropped"] == {"total": 1, "structural": 1, "near": 0, "semantic": 0}
    assert told["rows"] == 3 and told["contradictions"] == 1 and told["bad_lines"]["first"][0]["line"] == 3
    assert told["first"]["dropped"][0]["match"]["line"] == 1 and told["rules"]["near"] == 0.7
    assert told["files"].keys() == {"kept", "dropped", "flagged"}


def test_how_alike_the_kept_rows_are(data: Callable[..., Path]) -> None:
    alike = [record(f"Where is my {thing} now?") for thing in ("parcel", "train", "teacher", "invoice", "dinner")]
    unlike = [record(t) for t in (LONG, OTHER, "Bonjour", "Prime numbers below 90", "Paint the old fence green")]
    one, other = run(data(*alike)).likeness, run(data(*unlike)).likeness
    assert one.nearest and other.nearest and one.nearest > other.nearest
    assert one.mean and other.mean is not None and one.mean > other.mean
    assert one.vendi and other.vendi and one.vendi < other.vendi <= other.vendi_most == 5
    without = run(data(*alike), config=DatasetBuilderConfig(diversity_stages="structural,near")).likeness
    assert (without.nearest, without.mean, without.vendi) == (None, None, None)


def test_a_model_that_is_not_there(data: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="embedding_model"):
        run(data(record(LONG)), config=DatasetBuilderConfig(embedding_model="./nowhere"))


def test_it_is_in_the_public_api() -> None:
    assert dsbuilder_tui.deduplicate is deduplicate and "deduplicate" in dsbuilder_tui.__all__


@pytest.mark.parametrize("piece", ["[]", "1"])
@pytest.mark.parametrize(
    "shape",
    ['{"inputs": {"query": "x", "y": [%s]}}\n', '[{"inputs": {"query": "x", "y": [%s]}}]', '{"rows": [{"x": [%s]}]}'],
)
def test_a_record_of_millions_of_parts_is_refused_before_it_is_built(tmp_path: Path, piece: str, shape: str) -> None:
    path = tmp_path / ("rows.jsonl" if shape.endswith("\n") else "rows.json")
    path.write_text(shape % ",".join([piece] * 3_000_000))
    tracemalloc.start()
    with pytest.raises(InputError, match="a million parts"):
        deduplicate(path)
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_partners_of_our_datasets_are_no_repeats_of_their_own_case(data: Callable[..., Path]) -> None:
    def one(name: str, text: str, side: str, other: str, kind: str) -> dict[str, Any]:
        pair = {"id": "orders-00001", "kind": kind, "side": side, "other": other}
        return record(text) | {"tags": {"category": "orders", "case_id": name, "pair": pair}}

    light = LONG.replace("today", "please")
    source = data(
        one("orders-00001", LONG, "original", "orders-00002", "same"),
        one("orders-00002", light, "partner", "orders-00001", "same"),
        record(light.replace("please", "now")),
        one("orders-00004", OTHER, "original", "orders-00005", "contrast"),
        one("orders-00005", OTHER, "partner", "orders-00004", "contrast"),  # the very same text
    )
    report = run(source)
    assert (report.kept, report.dropped) == (3, {"near": 1, "structural": 1})
    assert [row["line"] for row in read("dropped.jsonl")] == [3, 5]
