"""Dollars and the budget on the command line: real processes against a fake endpoint."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.process import command, events, fake_endpoint

PLAN = """
dataset_name: shop
categories:
  - {name: orders, count: 20, example_inputs: "Where is my order #12345?"}
"""
MILLS = json.dumps({"tiny": {"input": 100, "output": 0}})  # a cent a call of the fake endpoint


def test_a_run_says_what_it_costs_and_stops_at_its_budget() -> None:
    here = Path.cwd()
    (here / "plan.yaml").write_text(PLAN)
    with fake_endpoint() as fake:
        place = ("--checkpoint-dir", "s", "--base-url", fake.url)
        few = ("--worker-model", "tiny", "--batch-size", "2", "--max-workers", "1", "--set", f"prices={MILLS}")
        done = command("run", "plan.yaml", *few, "--budget", "0.03", *place, cwd=here)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "Pausing (the budget of $0.03 is used up)" in done.stdout
        assert "Warning: The budget of $0.03 is used up ($0.03 spent)" in done.stdout and "--budget" in done.stdout
        again = command("resume", "shop", *place, cwd=here)
        assert again.returncode == 2 and "The budget of $0.03 is used up" in again.stderr
        more = command("resume", "shop", "--budget", "9", "--json", *place, cwd=here)
        assert more.returncode == 0, more.stdout + more.stderr
        told = events(more.stdout)
    calls = len(fake.bodies)
    assert all(event["dollars"] == 0.01 for event in told if event["type"] == "batch_finished")
    assert next(event for event in told if event["type"] == "run_finished")["dollars"] == round(calls * 0.01, 9)
    shown = command("show", "shop", "--checkpoint-dir", "s", "--json", cwd=here)
    cost = json.loads(shown.stdout)["cost"]
    assert cost["dollars"] == cost["workers"]["dollars"] == round(calls * 0.01, 9)
    assert cost["workers"]["models"][0]["model"] == "tiny" and cost["main_agent"]["models"] == []
    words = command("show", "shop", "--checkpoint-dir", "s", cwd=here).stdout  # the prices of its runs are remembered
    assert f"Cost: ${calls * 0.01:.2f}; " in words and "with gpt-4o throughout" in words
    assert '"tiny": {"input": 100.0' in command("config", "--set", f"prices={MILLS}", cwd=here).stdout


def test_the_last_lines_of_a_run_name_its_cost() -> None:
    here = Path.cwd()
    (here / "plan.yaml").write_text(PLAN)
    dear = ("--worker-model", "gpt-4.1", "--batch-size", "1")
    with fake_endpoint() as fake:
        done = command("run", "plan.yaml", "--checkpoint-dir", "s", "--base-url", fake.url, *dear, cwd=here)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("Cost:        $0.00") and "less than with gpt-4o throughout" in line for line in lines)
    assert any("tokens, $0.00" in line for line in lines)
    with fake_endpoint() as fake:
        own = ("--worker-model", "llama3.1", "--base-url", fake.url)
        done = command("run", "plan.yaml", *own, "--checkpoint-dir", "t", cwd=here)
    assert "tokens, price of llama3.1 unknown (set it under [prices])" in done.stdout
