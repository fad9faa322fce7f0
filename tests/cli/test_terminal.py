"""The live display in a real pseudo-terminal."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pexpect
import pytest

from tests.support.process import COMMAND, ROOT, command, fake_endpoint

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def spawn(arguments: list[str], here: Path, size: tuple[int, int]) -> pexpect.spawn:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    return pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], *arguments], cwd=here, env=env, dimensions=size, encoding="utf-8", timeout=60
    )


@pytest.mark.parametrize("size", [(24, 80), (36, 120), (12, 40)])
def test_a_run_is_shown_live(size: tuple[int, int]) -> None:
    here = Path.cwd()
    child = spawn(
        ["run", "--example", "customer_service", "--max-dataset-size", "500", "--checkpoint-dir", "s"], here, size
    )
    child.expect("Complete: 500 cases")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_many_categories_leave_room_for_the_total(tmp_path: Path) -> None:
    here = Path.cwd()
    lines = ["dataset_name: many", "categories:"]
    lines += [
        f"  - {{name: a rather long category name {n}, count: 3, example_inputs: 'Where is my order #12345?'}}"
        for n in range(30)
    ]
    (here / "many.yaml").write_text("\n".join(lines))
    with fake_endpoint(latency=0.3) as fake:
        child = spawn(["run", "many.yaml", "--base-url", fake.url, "--checkpoint-dir", "s"], here, (24, 80))
        child.expect("categories more")
        child.expect("Ctrl.C pauses")
        child.kill(signal.SIGINT)
        child.expect("Paused: ")
        child.expect("dsbuilder resume many")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 4
    listed = command("sessions", "--checkpoint-dir", "s", cwd=here).stdout
    assert "many" in listed and "paused" in listed


def test_escapes_in_what_an_endpoint_says_do_not_reach_the_terminal() -> None:
    here = Path.cwd()
    (here / "plan.yaml").write_text(
        "dataset_name: d\ncategories:\n  - {name: c, count: 2, example_inputs: 'Where is my order?'}\n"
    )
    with fake_endpoint(script=["no_model"]) as fake:
        child = spawn(
            ["run", "plan.yaml", "--base-url", fake.url, "--worker-model", "x\x1b]52;c;aGk=\x07\x9b2Jy", "--checkpoint-dir", "s"],
            here, (24, 80),
        )  # fmt: skip
        child.expect(pexpect.EOF)
        child.close()
    out = SEQUENCE.sub("", child.before or "")
    assert "\x1b]" not in out and "\x9b" not in out and "\x07" not in out
    assert child.exitstatus == 5
