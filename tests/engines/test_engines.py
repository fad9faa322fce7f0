"""Real engines, as a person would use them: run, doctor, kill and resume, budget. ``make test-engine``, some minutes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engines.conftest import GATEWAY_KEY
from tests.support.process import command, events, start

# A quiet machine is through with all of it in three minutes; a busy one is waited for.
_PATIENCE = 840  # seconds
pytestmark = [pytest.mark.engine, pytest.mark.timeout(_PATIENCE + 60)]

EXHAUSTED = 3  # the exit code of a dataset that is short: a model of 135 million parameters may do no better

PLAN = """
dataset_name: shop
description: questions to a web shop
attributes: {tone: [polite, angry], channel: [e-mail, chat]}
categories:
  - name: order_status
    count: %d
    description: customers who ask where their parcel is
    example_inputs: ["Where is my order #12345?"]
    expectations: {polite: true}
  - name: refunds
    count: %d
    description: customers who want their money back
    example_inputs: ["I want a refund for my shoes."]
    expectations: {polite: true}
"""


def prepared(folder: Path, each: int, url: str, *more: str, model: str = "smol") -> list[str]:
    (folder / "plan.yaml").write_text(PLAN % (each, each))
    return [
        "plan.yaml", "--checkpoint-dir", "c", "--out", "o.jsonl", "--json", "--base-url", url, "--model", model,
        "--worker-model", model, "--batch-size", "2", "--max-workers", "2",
        # A schema lets small models write white space without end.
        "--set", "max_output_tokens=150", *more,
    ]  # fmt: skip


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines()]


def told(out: str, kind: str) -> list[dict[str, Any]]:
    return [event for event in events(out) if event["type"] == kind]


def run_to_its_end(folder: Path, *arguments: str, **env: str) -> str:
    process = start(*arguments, cwd=folder, env=env)
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode in (0, EXHAUSTED), (process.returncode, out[-2000:], err)
    assert "Traceback" not in err
    return out


def sound(folder: Path, out: str, planned: int) -> None:
    """Exact counts, nothing twice, tokens counted, calls bounded."""
    end, found = told(out, "run_finished")[-1], rows(folder)
    assert end["accepted"] == len(found)
    assert end["accepted"] + end["exhausted"] == planned
    assert len({json.dumps(row["inputs"], sort_keys=True) for row in found}) == len(found)
    assert end["prompt_tokens"] and end["completion_tokens"]
    assert len(told(out, "batch_finished")) <= planned * 7


def test_a_dataset_by_llama_cpp(llama: str, tmp_path: Path) -> None:
    out = run_to_its_end(tmp_path, "run", *prepared(tmp_path, 3, llama))
    sound(tmp_path, out, 6)
    assert len(rows(tmp_path)) >= 2


def test_doctor_knows_llama_cpp(llama: str, tmp_path: Path) -> None:
    done = command("doctor", "--base-url", llama, "--model", "smol", "--worker-model", "smol", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # It lists the name of a file, and answers under any.
    for line in ("· worker model: smol is not in the endpoint's list", "✓ completion: smol answers, in a stream"):
        assert line in done.stdout, done.stdout


def test_doctor_tries_embeddings(llama: str, embeddings: str, tmp_path: Path) -> None:
    def doctor(model: str, url: str) -> str:
        chosen = ("--set", f"embedding_model={model}", "--set", f"embedding_base_url={url}")
        done = command("doctor", "--provider", "offline", *chosen, cwd=tmp_path)
        assert "Traceback" not in done.stderr
        return next(line for line in done.stdout.splitlines() if " embeddings: " in line)

    assert "multilingual-e5-small-q4: 384 numbers a text" in doctor("multilingual-e5-small-q4", embeddings)
    refused = doctor("smol", llama)
    assert refused.startswith("✗ embeddings: There is no embeddings service at"), refused


def test_killed_and_resumed(llama: str, tmp_path: Path) -> None:
    process = start("run", *prepared(tmp_path, 2, llama), cwd=tmp_path)
    accepted: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        if (event := json.loads(line))["type"] == "case_accepted":
            accepted.append(event["case_id"])
            if len(accepted) == 1:
                break
    process.kill()
    process.communicate()
    out = run_to_its_end(tmp_path, "resume", "shop", "--checkpoint-dir", "c", "--json", "--base-url", llama)
    sound(tmp_path, out, 4)
    assert set(accepted) <= {row["tags"]["case_id"] for row in rows(tmp_path)}


def test_a_budget_holds(llama: str, tmp_path: Path) -> None:
    prices = json.dumps({"smol": {"input": 100, "output": 100}})
    process = start("run", *prepared(tmp_path, 50, llama, "--budget", "0.2", "--set", f"prices={prices}"), cwd=tmp_path)
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 4, (process.returncode, err)
    paused = told(out, "run_paused")[-1]
    assert paused["cause"] == "budget"
    spent = [event["dollars"] for event in told(out, "batch_finished")]
    # It may be passed by what was in flight: two calls.
    assert 0.2 <= sum(spent) <= 0.2 + 3 * max(spent)


def test_a_dataset_through_litellm(gateway: str, tmp_path: Path) -> None:
    key = {"OPENAI_API_KEY": GATEWAY_KEY}
    out = run_to_its_end(tmp_path, "run", *prepared(tmp_path, 1, gateway), **key)
    sound(tmp_path, out, 2)
    models = ("--model", "smol", "--worker-model", "smol")
    done = command("doctor", "--base-url", gateway, *models, cwd=tmp_path, env=key)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_peer_that_fails_and_repeats_itself_costs_little(faulty: str, tmp_path: Path) -> None:
    began = time.monotonic()
    process = start("run", *prepared(tmp_path, 20, faulty, model="gpt-4o-mini"), cwd=tmp_path)
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode in (EXHAUSTED, 4), (process.returncode, err)
    assert "Traceback" not in err
    # One text for every slot: a case a category at most, and an end long before each slot is tried in vain.
    assert len(told(out, "case_accepted")) <= 2, time.monotonic() - began
    assert len(told(out, "batch_finished")) <= 20 * 2 * 6


def test_embeddings_by_e5(embeddings: str, tmp_path: Path) -> None:
    plan = prepared(tmp_path, 30, "unused")[:6]
    chosen = ("--set", "embedding_model=multilingual-e5-small-q4")
    process = start(
        "run", *plan, "--provider", "offline", *chosen, "--set", f"embedding_base_url={embeddings}", cwd=tmp_path
    )
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode in (0, EXHAUSTED), err
    end = told(out, "run_finished")[-1]
    assert end["accepted"] + end["exhausted"] == 60 and end["accepted"] >= 50
