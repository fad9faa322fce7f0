"""``dsbuilder dedup`` as a person or a script meets it: real processes, real files, real exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.process import COMMAND, ROOT, command, start

FIRST = {"inputs": {"query": "Where is my order #12345?"}, "tags": {"case_id": "one", "category": "orders"}}
AGAIN = {"inputs": {"query": "where is my order #54321"}, "tags": {"case_id": "two", "category": "orders"}}
OTHER = {"inputs": {"query": "I would like to speak to a person"}, "tags": {"category": "orders"}}


@pytest.fixture
def here() -> Path:
    return Path.cwd()


def data(here: Path, *records: Any, name: str = "data.jsonl") -> Path:
    (here / name).write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records))
    return here / name


def test_the_report_and_the_files(here: Path) -> None:
    source = data(here, FIRST, AGAIN, OTHER, "damaged\n")
    done = command("dedup", source, "--out", "kept.jsonl", "--dropped", "dropped.jsonl", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "3 rows, 2 kept, 1 dropped (33.3 %)" in done.stdout
    assert "line 2  [structural 1.00]  where is my order #54321" in done.stdout
    assert "as line 1 (one)  Where is my order #12345?" in done.stdout
    assert "line 4: not JSON" in done.stdout and f"{here}/kept.jsonl" in done.stdout
    assert [json.loads(line) for line in (here / "kept.jsonl").read_text().splitlines()] == [FIRST, OTHER]
    (dropped,) = [json.loads(line) for line in (here / "dropped.jsonl").read_text().splitlines()]
    assert dropped["record"] == AGAIN and dropped["match"]["id"] == "one"
    assert done.stderr == ""


def test_without_files_it_only_reports(here: Path) -> None:
    data(here, FIRST, AGAIN)
    done = command("dedup", "data.jsonl", cwd=here)
    assert done.returncode == 0 and "--out FILE" in done.stdout
    assert [path.name for path in here.iterdir() if path.is_file()] == ["data.jsonl"]


def test_what_a_run_has_let_in_is_clean(here: Path) -> None:
    command("run", "--example", "customer_service", "--max-dataset-size", "500", "--out", "out.jsonl",
            "--checkpoint-dir", "s", cwd=here)  # fmt: skip
    (seed,) = (here / "s").glob("*_checkpoint.json")
    for source in ("out.jsonl", seed):
        done = command("dedup", source, "--check", "--out", "kept.jsonl", cwd=here)
        assert done.returncode == 0 and "500 rows, 500 kept, 0 dropped." in done.stdout, done.stdout + done.stderr
        assert (here / "kept.jsonl").read_bytes() == (here / "out.jsonl").read_bytes()


def test_json_is_one_report(here: Path) -> None:
    data(here, FIRST, AGAIN, OTHER)
    done = command("dedup", "data.jsonl", "--json", cwd=here)
    report = json.loads(done.stdout)
    assert (report["rows"], report["kept"], report["dropped"]["structural"]) == (3, 2, 1)
    assert report["first"]["dropped"][0]["match"] == {"line": 1, "id": "one", "text": FIRST["inputs"]["query"]}
    assert report["rows_per_second"] > 0 and report["peak_memory_bytes"] > 2**20 and done.stderr == ""


def test_check_is_for_scripts(here: Path) -> None:
    data(here, FIRST, AGAIN)
    assert command("dedup", "data.jsonl", "--check", cwd=here).returncode == 3
    data(here, FIRST, OTHER, name="clean.jsonl")
    assert command("dedup", "clean.jsonl", "--check", cwd=here).returncode == 0
    data(here, FIRST, "damaged\n", name="damaged.jsonl")
    assert command("dedup", "damaged.jsonl", "--check", cwd=here).returncode == 3


def test_a_pipe_with_named_fields(here: Path) -> None:
    content = "".join(json.dumps({"messages": [{"content": text}], "lang": lang}) + "\n"
                      for text, lang in (("Hello there", "en"), ("hello there!", "en"), ("Hello there", "de")))  # fmt: skip
    flags = ["--field", "messages.0.content", "--category-field", "lang", "--out", "kept.jsonl", "--json"]
    done = subprocess.run([*COMMAND, "dedup", "-", *flags], cwd=here, input=content, text=True, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"] == "standard input"
    lines = content.splitlines(keepends=True)
    assert (here / "kept.jsonl").read_text() == lines[0] + lines[2]
    assert (
        json.loads(command("dedup", "kept.jsonl", "--field", "messages", "--across", "--json", cwd=here).stdout)["kept"]
        == 1
    )


def test_settings_from_flags_and_files(here: Path) -> None:
    def rules(*flags: str) -> Any:
        done = command("dedup", "data.jsonl", "--json", *flags, cwd=here)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["rules"]

    data(here, FIRST, AGAIN)
    (here / "dsbuilder.toml").write_text("near_threshold = 0.8\nmax_dataset_size = 1\n")
    assert (rules()["near"], rules()["stages"]) == (0.8, ["structural", "near", "semantic"])
    told = rules("--near", "0.9", "--semantic", "0.97", "--stages", "near,structural", "--diversity-window", "5")
    assert (told["near"], told["semantic"], told["stages"], told["window"]) == (0.9, 0.97, ["structural", "near"], 5)
    assert rules("--set", "diversity_across=true")["across"] is True


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl does not exist"),
        (["empty"], "is a folder without a dataset"),
        (["data.jsonl", "--out", "data.jsonl"], "is the file to read, too"),
        (["data.jsonl", "--field", "text"], "no field text; its fields are inputs, tags"),
        (["data.jsonl", "--near", "2"], "must be at most 1"),
        (["data.jsonl", "--stages", "psychic"], "psychic"),
        (["data.jsonl", "--set", "embedding_model=./nowhere"], "nowhere"),
        ([], "FILE"),
    ],
)
def test_what_cannot_be_used_is_said(here: Path, flags: list[str], words: str) -> None:
    (here / "empty").mkdir()
    data(here, FIRST)
    done = command("dedup", *flags, cwd=here)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in here.iterdir() if path.is_file()] == ["data.jsonl"]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing_half_written(here: Path, kind: signal.Signals) -> None:
    os.mkfifo(here / "pipe")
    (here / "kept.jsonl").write_text("old\n")
    process = start("dedup", "pipe", "--out", "kept.jsonl", "--dropped", "dropped.jsonl", cwd=here)
    with (here / "pipe").open("w") as pipe:  # it has begun when it opens the pipe, and never comes to the end
        pipe.write("".join(json.dumps({"inputs": f"{n}"}) + "\n" for n in range(2000)))
        pipe.flush()
        assert process.poll() is None
        process.send_signal(kind)
        assert process.wait(60) == 4
    assert process.stderr and process.stdout
    assert "no file was written" in process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    assert sorted(path.name for path in here.iterdir()) == ["kept.jsonl", "pipe"]
    assert (here / "kept.jsonl").read_text() == "old\n"


def test_hostile_text_is_text(here: Path) -> None:
    evil = "\x1b]52;c;AAAA\x07\x1b[2J\u202eorder"
    data(here, {"inputs": evil, "id": evil}, {"inputs": evil}, f"{evil}\n", {evil: 1})
    for flags in ([], ["--json"], ["--plain"]):
        done = command("dedup", "data.jsonl", *flags, cwd=here)
        assert done.returncode == 0, done.stderr
        assert not set(done.stdout + done.stderr) & set("\x1b\x07\u202e\x9b")
    done = command("dedup", "data.jsonl", "--field", evil + "2", cwd=here)
    assert done.returncode == 2 and not set(done.stderr) & set("\x1b\x07\u202e")


def test_it_needs_no_terminal_library(here: Path) -> None:
    data(here, FIRST, AGAIN)
    code = (
        "import sys;from dsbuilder_tui.cli.main import main;main(['dedup','data.jsonl']);"
        "print([m for m in ('textual','rich','agents','openai','aiohttp','faker') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, text=True, capture_output=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("plain", [True, False])
def test_progress_in_a_terminal_is_drawn_over_and_taken_away(here: Path, plain: bool) -> None:
    data(here, *({"inputs": f"Where is parcel number {n} of mine?"} for n in range(300)))
    flags = ["dedup", "data.jsonl", "--stages", "structural", *(["--plain"] if plain else [])]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *flags], cwd=here, env=env, encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and "\x1b" not in child.before
    # What a person sees in the end: of each line what was written after the last return to its beginning.
    screen = [line.rpartition("\r")[2] for line in child.before.replace("\r\n", "\n").split("\n")]
    assert any("300 rows, " in line and "kept" in line for line in screen)
    assert not any(line.startswith("  ") and "dropped, " in line for line in screen)
    assert (" dropped, " in child.before) is not plain
