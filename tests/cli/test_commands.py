"""The commands as a person or a script meets them: real processes, real exit codes."""

from __future__ import annotations

import csv
import json
import re
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import command, events, fake_endpoint, read_until, rest, start

PLAN = """
dataset_name: shop
categories:
  - name: orders
    count: {first}
    example_inputs: "Where is my order #12345?"
    expectations: {{contains_order_id: true}}
  - name: refunds
    count: {second}
    example_inputs: ["I want a refund for order #12345", "Can I return my order #12345?"]
"""


@pytest.fixture
def here() -> Path:
    return Path.cwd()


def plan(here: Path, first: int = 20, second: int = 10, name: str = "plan.yaml") -> Path:
    (here / name).write_text(PLAN.format(first=first, second=second))
    return here / name


def fails(code: int, *words: str, done: Any) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    for word in words:
        assert word in said


def test_the_main_job(here: Path) -> None:
    done = command("run", "--example", "customer_service", "--max-dataset-size", "500", "--out", "out.jsonl", cwd=here)
    assert done.returncode == 0, done.stderr
    assert "built-in offline writer" in done.stdout and "OPENAI_API_KEY" in done.stdout
    assert "Complete: 500 cases" in done.stdout and f"Dataset:     {here}/out.jsonl" in done.stdout
    records = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert len({record["inputs"]["query"] for record in records}) == 500
    counts: dict[str, int] = {}
    for record in records:
        counts[record["tags"]["category"]] = counts.get(record["tags"]["category"], 0) + 1
        assert set(record) == {"inputs", "expectations", "tags"} and set(record["inputs"]) == {"query"}
    assert counts == {"order_status": 200, "refunds": 200, "product_info": 100}
    for record in records:
        expected = dict(record["expectations"])
        assert expected.pop("expected_facts") and expected.pop("guidelines"), "as the plan has them written"
        if record["tags"]["category"] == "order_status":
            is_whole = bool(re.search(r"#\d{5}", record["inputs"]["query"]))
            calls = expected.pop("expected_tool_calls", [])
            assert expected == ({"contains_order_id": True} if is_whole else {}), "what a message lacks is not expected"
            assert calls[:1] == ([{"name": "lookup_order"}] if is_whole else []), "a second request may have its own"


def test_json_lines_are_events(here: Path) -> None:
    done = command("run", plan(here), "--json", "--checkpoint-dir", "s", cwd=here)
    found = events(done.stdout)
    assert all(list(event)[:2] == ["type", "ts"] and event["ts"].endswith("Z") for event in found)
    assert found[0]["type"] == "run_started" and found[0]["planned"] == 30
    accepted = [event for event in found if event["type"] == "case_accepted"]
    assert len(accepted) == 30
    assert {"case_id", "category", "slot", "text", "accepted", "planned", "seq", "batch"} <= set(accepted[0])
    assert {event["case_id"] for event in accepted} == {
        *(f"orders-{n:05d}" for n in range(1, 21)), *(f"refunds-{n:05d}" for n in range(1, 11)),
    }  # fmt: skip
    assert next(event for event in found if event["type"] == "run_finished")["accepted"] == 30
    assert "offline writer" in next(event for event in found if event["type"] == "notice")["text"]


def test_sessions_show_export_import_resume(here: Path) -> None:
    place = ("--checkpoint-dir", "s")
    assert "no session" in command("sessions", *place, cwd=here).stdout
    assert json.loads(command("sessions", "--json", *place, cwd=here).stdout) == []
    assert command("run", plan(here), *place, cwd=here).returncode == 0
    listed = json.loads(command("sessions", "--json", *place, cwd=here).stdout)
    assert [(s["id"], s["dataset_name"], s["state"], s["accepted"], s["planned"]) for s in listed] == [
        ("shop", "shop", "complete", 30, 30)
    ]
    table = command("sessions", *place, cwd=here).stdout
    assert "shop" in table and "30/30" in table and "complete" in table
    shown = command("show", "shop", *place, cwd=here).stdout
    assert "30 of 30 cases" in shown and "orders-00001" in shown
    assert (
        "How different the cases are:" in shown and "planned cells (an axis value in a category) hold a case" in shown
    )
    as_json = json.loads(command("show", "--json", "--cases", "2", *place, cwd=here).stdout)
    assert (as_json["state"], as_json["instances_created"], len(as_json["cases"])) == ("complete", 30, 2)
    overall = as_json["diversity"]["overall"]
    assert overall["cases"] == 30 and overall["cells_filled"] == overall["cells"] > 0
    for name in ("a.jsonl", "a.json", "a.csv", "a.parquet", "a_checkpoint.json"):
        done = command("export", "shop", "--out", name, *place, cwd=here)
        assert done.returncode == 0 and "Wrote 30 cases" in done.stdout
    with (here / "a.csv").open(newline="") as handle:
        assert len(list(csv.DictReader(handle))) == 30
    data = json.loads((here / "a_checkpoint.json").read_text())
    data["created_instances"] = data["created_instances"][:12]
    (here / "b.json").write_text(json.dumps(data))
    done = command("import", "b.json", *place, cwd=here)
    assert done.returncode == 0 and "Imported 12 of 30 cases as shop-2" in done.stdout
    assert "dsbuilder resume shop-2 --checkpoint-dir s" in done.stdout
    assert command("resume", "shop-2", *place, "--out", "c.jsonl", cwd=here).returncode == 0
    assert len((here / "c.jsonl").read_text().splitlines()) == 30
    done = command("resume", *place, cwd=here)
    assert done.returncode == 0 and "shop-2 is complete already" in done.stdout


def test_examples_config_doctor_version_help(here: Path) -> None:
    assert "customer_service: 500 cases" in command("examples", cwd=here).stdout
    assert {p["name"] for p in json.loads(command("examples", "--json", cwd=here).stdout)} >= {"customer_service"}
    env = {"OPENAI_API_KEY": "sk-canary-1", "DSBUILDER_SEED": "4"}
    shown = command("config", "--batch-size", "7", cwd=here, env=env).stdout
    for word in (
        "batch_size",
        "flag",
        "environment (DSBUILDER_SEED)",
        "environment (OPENAI_API_KEY)",
        "Sessions are in",
    ):
        assert word in shown
    assert "canary" not in shown
    settings = json.loads(command("config", "--json", "--batch-size", "7", cwd=here, env=env).stdout)["settings"]
    assert settings["batch_size"] == {"value": 7, "source": "flag"}
    assert settings["api_key"] == {"value": "set", "source": "environment (OPENAI_API_KEY)"}
    assert settings["model"] == {"value": "gpt-4o", "source": "default"}
    assert command("doctor", cwd=here).returncode == 0
    assert command("--version", cwd=here).stdout.startswith("dsbuilder 0.")
    assert "exit codes" in command("--help", cwd=here).stdout
    assert "The app needs a terminal" in command(cwd=here).stdout


def test_doctor_and_an_endpoint(here: Path) -> None:
    with fake_endpoint() as fake:
        done = command("doctor", "--base-url", fake.url, cwd=here)
        assert done.returncode == 0 and "JSON schema: honoured" in done.stdout
        assert "✓ embeddings: built in: 256 numbers a text" in done.stdout
        fake.script = ["no_model"]
        fails(
            5,
            "not among",
            "--worker-model",
            done=command("doctor", "--base-url", fake.url, "--worker-model", "x", cwd=here),
        )
        fake.rates = {"unauthorized": 1.0}
        fails(5, "API key", "OPENAI_API_KEY", done=command("doctor", "--base-url", fake.url, cwd=here))
        report = json.loads(command("doctor", "--json", "--base-url", fake.url, cwd=here).stdout)
        assert {check["status"] for check in report} == {"ok", "problem"}
    fails(1, "cannot be reached", done=command("doctor", "--base-url", "http://127.0.0.1:9/v1", cwd=here))
    (here / "file").write_text("")
    fails(1, "it is a file", done=command("doctor", "--checkpoint-dir", "file/below", cwd=here))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], ["PLAN", "--example"]),
        (["run", "nowhere.yaml"], ["no plan file nowhere.yaml", "dsbuilder examples"]),
        (["run", "--example", "nope"], ["'nope'", "customer_service"]),
        (["run", "--example", "customer_service"], ["500", "--max-dataset-size 500"]),
        (["run", "plan.yaml", "--batch-size", "many"], ["batch_size", "'many'", "whole number"]),
        (["run", "plan.yaml", "--set", "nope=1"], ["'nope=1'", "dsbuilder config"]),
        (["run", "plan.yaml", "--set", "api_key=sk-1"], ["OPENAI_API_KEY"]),
        (["run", "plan.yaml", "--out", "x.txt"], ["'.txt'", ".jsonl"]),
        (["run", "plan.yaml", "--out", "/proc/x.jsonl"], ["/proc/x.jsonl", "cannot be written"]),
        (["run", "plan.yaml", "--out", "."], ["is a folder"]),
        (["run", "plan.json", "--out", "plan.json"], ["is the plan itself"]),
        (["run", "bad.yaml"], ["bad.yaml", "line 2", "not valid YAML"]),
        (["run", "twice.yaml"], ["twice.yaml", "'count' stands twice"]),
        (["run", "binary.yaml"], ["binary.yaml", "not UTF-8"]),
        (["run", "empty.yaml"], ["empty.yaml", "holds nothing"]),
        (["run", "bad.json"], ["bad.json", "not JSON"]),
        (["resume", "nope", "--checkpoint-dir", "s"], ["no session called 'nope'"]),
        (["resume", "--checkpoint-dir", "s"], ["There is no session in"]),
        (["export", "--out", "x.jsonl", "--checkpoint-dir", "s"], ["There is no session in"]),
        (["import", "nowhere.json"], ["nowhere.json", "does not exist"]),
        (["run", "rows.yaml"], ["no file nowhere.csv"]),
        (["run", "fields.yaml"], ["things.csv", "no field 'prize'", "its fields are name, price"]),
        (["frobnicate"], ["invalid choice"]),
        (["run", "plan.yaml", "--out", ""], ["--out '' names no file"]),
        (["run", "--extend", "things.csv", "--more", "2", "--yes"], ["--yes", "--prompt"]),
        (["sessions", "--checkpoint-dir", "plan.yaml"], ["plan.yaml is not a folder"]),
        (["show", "--cases", "-1"], ["--cases: '-1' is not a whole number from 0 on"]),
        (["undo", "--steps", "0"], ["--steps: '0' is not a whole number from 1 on"]),
        (["compare", "a", "b", "--most", "9" * 30], ["--most", "is not a whole number"]),
        (["check", "plan.json", "--fix", "."], ["--fix '.' is not the name of a file"]),
        (["serve", "nope", "--checkpoint-dir", "s"], ["no session called 'nope'"]),
        (["run", "plan.yaml", "--checkpoint-dir", ""], ["checkpoint_dir", "must not be empty"]),
    ],
)
def test_bad_input_is_exit_code_two(here: Path, arguments: list[str], words: list[str]) -> None:
    plan(here)
    (here / "bad.yaml").write_text("a: 1\n  b: : 2\n")
    (here / "twice.yaml").write_text("dataset_name: d\ncategories:\n  - name: a\n    count: 1\n    count: 2\n")
    (here / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (here / "empty.yaml").write_text("")
    about = "dataset_name: d\ncategories:\n  - {name: a, count: 1, example_inputs: x, rows: %s}\n"
    (here / "rows.yaml").write_text(about % "nowhere.csv")
    (here / "things.csv").write_text("name,price\nTea cup,3.90\n")
    (here / "fields.yaml").write_text(about % "{file: things.csv, fields: [name, prize]}")
    (here / "bad.json").write_text("{")
    (here / "plan.json").write_text(
        '{"dataset_name": "d", "categories": [{"name": "a", "count": 1, "example_inputs": "x"}]}'
    )
    fails(2, *words, done=command(*arguments, cwd=here))
    assert not any((here / "home").rglob("session.db"))


def test_an_unwritable_checkpoint_folder(here: Path) -> None:
    (here / "file").write_text("")
    fails(1, "--checkpoint-dir", done=command("run", plan(here), "--checkpoint-dir", "file/below", cwd=here))


def test_finished_short_is_exit_code_three(here: Path) -> None:
    (here / "narrow.yaml").write_text(
        "dataset_name: narrow\ncategories:\n  - {name: only, count: 6, example_inputs: '注文番号12345はどこですか？'}\n"
    )
    done = command("run", "narrow.yaml", "--checkpoint-dir", "s", cwd=here)
    fails(3, "Finished short", "exhausted", "--retry-exhausted", "has no phrases for", done=done)
    fails(3, "finished short", done=command("resume", "--checkpoint-dir", "s", cwd=here))


def test_a_refusing_endpoint_is_exit_code_five(here: Path) -> None:
    with fake_endpoint(script=["unauthorized"]) as fake:
        done = command(
            "run",
            plan(here),
            "--base-url",
            fake.url,
            "--max-workers",
            1,
            cwd=here,
            env={"OPENAI_API_KEY": "sk-canary-77"},
        )
        fails(5, "does not accept the API key", "dsbuilder resume shop", done=done)
        assert "canary" not in done.stdout + done.stderr
    fails(5, "Set OPENAI_API_KEY", done=command("run", plan(here), "--provider", "openai", cwd=here))


def test_the_newest_session_is_the_one_last_worked_on(here: Path) -> None:
    place = ("--checkpoint-dir", "s", "--json")
    with fake_endpoint(latency=0.1) as fake:
        slow = start("run", plan(here), *place, "--base-url", fake.url, "--batch-size", 2, "--max-workers", 1, cwd=here)
        read_until(slow, '"case_accepted"')
        slow.kill()
        rest(slow)
        time.sleep(0.05)
        assert command("run", plan(here), *place, cwd=here).returncode == 0
        listed = json.loads(command("sessions", *place, cwd=here).stdout)
        assert [(s["id"], s["state"]) for s in listed] == [("shop-2", "complete"), ("shop", "interrupted")]
        listed = json.loads(command("sessions", *place, cwd=here).stdout)
        assert [s["id"] for s in listed] == ["shop-2", "shop"]
        note = command("run", plan(here), "--checkpoint-dir", "s", cwd=here).stdout
        assert "shop is unfinished" in note and "dsbuilder resume shop" in note
        done = command("resume", "shop", "--checkpoint-dir", "s", "--provider", "offline", cwd=here)
        assert done.returncode == 0 and "was cut off; all" in done.stdout and "another writer" in done.stdout


def test_another_writer_is_not_slipped_in(here: Path) -> None:
    place = ("--checkpoint-dir", "s")
    with fake_endpoint(script=["ok", "unauthorized"]) as fake:
        env = {"OPENAI_BASE_URL": fake.url}
        begun = command("run", plan(here), *place, "--batch-size", 5, "--max-workers", 1, cwd=here, env=env)
        assert begun.returncode == 5
    fails(2, "gpt-4o-mini", "--provider offline", done=command("resume", *place, cwd=here))
    assert command("resume", *place, "--provider", "offline", cwd=here).returncode == 0


def test_a_dataset_that_is_whole_but_was_never_written(here: Path) -> None:
    place = ("--checkpoint-dir", "s")
    assert command("run", plan(here), *place, "--out", "out.jsonl", cwd=here).returncode == 0
    (here / "out.jsonl").unlink()
    done = command("resume", *place, "--json", cwd=here)
    assert done.returncode == 0 and [e["type"] for e in events(done.stdout)] == ["export_written", "run_finished"]
    assert len((here / "out.jsonl").read_text().splitlines()) == 30


def test_flags_of_the_first_run_are_used_again(here: Path) -> None:
    with fake_endpoint() as fake:
        script = ["--base-url", fake.url, "--batch-size", 3, "--max-workers", 1, "--checkpoint-dir", "s", "--seed", 5]
        fake.script = ["ok", "ok", "unauthorized"]
        assert command("run", plan(here), *script, "--out", "out.jsonl", cwd=here).returncode == 5
        done = command("resume", "--checkpoint-dir", "s", cwd=here)
        assert done.returncode == 0 and f"Dataset:     {here}/out.jsonl" in done.stdout
        sizes = [int(str(body["messages"]).split("Slots (")[1].split(")")[0]) for body in fake.bodies]
        assert max(sizes) == 3 and sizes[:6] == [3] * 6
        assert len((here / "out.jsonl").read_text().splitlines()) == 30
        plain = sqlite3.connect(here / "s" / "shop" / "session.db")
        stored = " ".join(str(row) for row in plain.execute("SELECT * FROM meta"))
        plain.close()
        assert fake.url in stored
        fails(2, "planned with seed 5", done=command("resume", "--checkpoint-dir", "s", "--seed", 6, cwd=here))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_pauses(here: Path, name: str) -> None:
    with fake_endpoint(latency=0.2) as fake:
        process = start(
            "run", plan(here), "--base-url", fake.url, "--batch-size", 2, "--max-workers", 2, "--checkpoint-dir", "s", "--json",
            cwd=here,
        )  # fmt: skip
        heard = read_until(process, '"case_accepted"')
        process.send_signal(getattr(signal, name))
        out, err = rest(process)
        assert process.returncode == 4
        assert "dsbuilder resume shop --checkpoint-dir s" in err and "Traceback" not in err
        found = events(heard + out)
        kinds = [event["type"] for event in found]
        assert kinds.index("run_pausing") < kinds.index("run_paused")
        assert (here / "s" / "shop_checkpoint.json").exists()
        done = command("resume", "--checkpoint-dir", "s", "--json", cwd=here)
        assert done.returncode == 0
        accepted = [e["case_id"] for e in found + events(done.stdout) if e["type"] == "case_accepted"]
        assert len(accepted) == len(set(accepted)) == 30


def test_a_second_signal_leaves_at_once(here: Path) -> None:
    with fake_endpoint(script=["ok", "ok"], rates={"hang": 1.0}) as fake:
        process = start(
            "run", plan(here), "--base-url", fake.url, "--batch-size", 2, "--max-workers", 2, "--checkpoint-dir", "s", "--plain",
            "--set", "drain_timeout=60", cwd=here,
        )  # fmt: skip
        while len(fake.bodies) < 4:
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None, "the first signal drains"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=40)  # well before the 60 s of drain_timeout
        assert process.returncode == 4
        assert "draining 2 in flight" in out and "4 of 30 cases are saved" in out and "dsbuilder resume shop" in out
        assert "Traceback" not in err
    assert json.loads(command("sessions", "--json", "--checkpoint-dir", "s", cwd=here).stdout)[0]["accepted"] == 4


def test_two_processes_on_one_session(here: Path) -> None:
    with fake_endpoint(rates={"hang": 1.0}) as fake:
        owner = start("run", plan(here), "--base-url", fake.url, "--checkpoint-dir", "s", "--json", cwd=here)
        while not fake.in_flight:
            time.sleep(0.02)
        for what in (["resume", "shop"], ["export", "shop", "--out", "x.jsonl"]):
            fails(1, f"in use by process {owner.pid}", done=command(*what, "--checkpoint-dir", "s", cwd=here))
        listed = json.loads(command("sessions", "--json", "--checkpoint-dir", "s", cwd=here).stdout)
        assert [(s["state"], s["pid"]) for s in listed] == [("running", owner.pid)]
        shown = json.loads(command("show", "shop", "--json", "--checkpoint-dir", "s", cwd=here).stdout)
        assert (shown["session"], shown["state"], shown["total_instances_planned"]) == ("shop", "running", 30)
        assert "running in process" in command("show", "shop", "--checkpoint-dir", "s", cwd=here).stdout
        owner.kill()
        owner.communicate()
    assert command("resume", "--checkpoint-dir", "s", "--provider", "offline", cwd=here).returncode == 0


def test_a_closed_pipe_pauses_quietly(here: Path) -> None:
    with fake_endpoint(latency=0.05) as fake:
        process = start("run", plan(here, 200, 100), "--max-dataset-size", 1000, "--base-url", fake.url, "--batch-size", 2,
                        "--checkpoint-dir", "s", "--json", cwd=here)  # fmt: skip
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=30) == 4
        assert "dsbuilder resume shop" in err and "Traceback" not in err
        process.stderr.close()


def test_hostile_words_from_an_endpoint_stay_words(here: Path) -> None:
    with fake_endpoint(script=["no_model"], models=("a\x1b[2Jb",)) as fake:
        done = command("run", plan(here), "--base-url", fake.url, "--worker-model", "x\x1b]0;title\x07y", cwd=here)
        assert done.returncode == 5 and "\x1b" not in done.stdout + done.stderr and "␛" in done.stderr
        done = command("doctor", "--base-url", fake.url, cwd=here)
        assert "\x1b" not in done.stdout


def test_a_damaged_session_and_its_repair(here: Path) -> None:
    place = ("--checkpoint-dir", "s")
    assert command("run", plan(here), *place, cwd=here).returncode == 0
    plain = sqlite3.connect(here / "s" / "shop" / "session.db")
    plain.execute("UPDATE accepted_case SET inputs = CAST(x'7b22ff227d' AS TEXT) WHERE ordinal = 3 AND category_id = 1")
    plain.commit()
    plain.close()
    fails(1, "orders-00003", "--repair", "--skip-damaged", done=command("export", "--out", "x.jsonl", *place, cwd=here))
    done = command("export", "--out", "x.jsonl", "--skip-damaged", *place, cwd=here)
    assert done.returncode == 0 and "Wrote 29 cases" in done.stdout and "orders-00003" in done.stdout
    done = command("resume", "--repair", "--out", "y.jsonl", *place, cwd=here)
    assert done.returncode == 0 and "Set aside 1 damaged case" in done.stdout
    assert len((here / "y.jsonl").read_text().splitlines()) == 30


def test_an_unknown_character_set_is_no_obstacle(here: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = command("run", plan(here), "--checkpoint-dir", "s", cwd=here, env=env)
    assert done.returncode == 0, done.stderr
