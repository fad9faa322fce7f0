"""``dsbuilder mlflow``: the pages in a browser, and sending what waits, told by the exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from dsbuilder_tui.cli.main import main

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_sync_says_by_its_code_whether_all_has_arrived(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", "--example", "travel_assistant", "--checkpoint-dir", "s", "--plain", "--max-dataset-size", "100"]
    assert main([*run, "--no-mlflow"]) == 0
    capsys.readouterr()
    where = ["--checkpoint-dir", "s", "--json", "--mlflow-tracking-uri"]
    assert main(["mlflow", "sync", *where, f"http://127.0.0.1:{free_port()}"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["waiting"] == 60 and told["synced"] == 0 and "no connection" in told["error"]
    assert main(["mlflow", "sync", "--checkpoint-dir", "s", "--json"]) == 0  # into the database of dsbuilder's own
    told = json.loads(capsys.readouterr().out)
    assert told["finished"] and told["synced"] == 60
    assert main(["mlflow", "results", "--checkpoint-dir", "s"]) == 0
    example = capsys.readouterr().out.partition("Evaluate with:\n")[2]
    assert "mlflow.genai.evaluate" in example and compile(example, "as it is printed", "exec")


def test_sync_and_ui_keep_to_their_own_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mlflow", "ui", "--json"]) != 0 and main(["mlflow", "sync", "--port", "1"]) != 0
    with pytest.raises(SystemExit, match="2"):
        main(["mlflow", "ui", "--port", "70000"])
    assert "'70000' is not a whole number from 0 to 65,535" in capsys.readouterr().err
    assert main(["mlflow", "ui", "--mlflow-tracking-uri", "http://me:secret@there:5000"]) == 0
    told = capsys.readouterr().out
    assert "http://there:5000/#/experiments" in told and "secret" not in told


@pytest.mark.slow
def test_ui_serves_on_this_machine_alone_and_ends_with_its_process(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "dsbuilder_tui", "mlflow", "ui", "--port", str(port)]
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + 200
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
    finally:
        process.kill()
        process.wait()
    assert f"http://127.0.0.1:{port}/#/experiments" in process.communicate()[0]
    assert list(Path.cwd().iterdir()) == []


def test_a_dataset_is_imported_extended_and_resumed_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", "--example", "travel_assistant", "--checkpoint-dir", "s", "--plain", "--max-dataset-size", "100"]
    assert main([*run, "--mlflow"]) == 0
    assert main(["import", "mlflow:travel_assistant_v1", "--checkpoint-dir", "s"]) == 2
    told = capsys.readouterr().err
    assert "writes the dataset travel_assistant_v1 already" in told and "Traceback" not in told
    assert main(["import", "mlflow:travel_assistant_v1", "--checkpoint-dir", "other", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["instances_created"] == 60 and "goes into the dataset travel_assistant_v1 (d-" in told["notes"][-1]
    assert main(["resume", "mlflow:travel_assistant_v1", "--checkpoint-dir", "third", "--plain"]) == 0
    assert main(["import", "mlflow:travel_assistant_v1", "--format", "rows", "--checkpoint-dir", "rows"]) == 0
    extend = ["run", "--extend", "mlflow:travel_assistant_v1", "--more", "3", "--checkpoint-dir", "more", "--plain"]
    assert main([*extend, "--no-mlflow", "--out", "more.jsonl"]) == 0
    assert len(Path("more.jsonl").read_text().splitlines()) == 63
    capsys.readouterr()
    gone = f"http://127.0.0.1:{free_port()}"
    for line, code in {
        ("mlflow:nothing",): 2,
        ("mlflow:nothing", "--format", "checkpoint"): 2,
        ("mlflow:travel_assistant_v1", "--format", "rows", "--as-copy"): 2,
        ("rows.jsonl", "--as-copy"): 2,
        ("mlflow:travel_assistant_v1", "--tracking-uri", gone): 1,
    }.items():
        assert main(["import", *line, "--checkpoint-dir", "none"]) == code, line
        told = capsys.readouterr().err
        assert told.startswith("dsbuilder: ") and len(told.splitlines()) == 1, told
    assert not Path("none").exists() or not any(Path("none").iterdir())
