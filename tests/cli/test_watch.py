"""``dsbuilder watch``: what another process writes, told in lines until it has left the session."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.process import command, events, read_until, rest, start

PLAN = "dataset_name: shop\ncategories: [{name: orders, count: 100, example_inputs: Where is my order}]\n"
PLACE = ("--checkpoint-dir", "s")


def test_another_process_is_watched_until_it_leaves(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    run = start("run", "plan.yaml", "--json", *PLACE, cwd=tmp_path, env={"DSBUILDER_OFFLINE_PACE": "3"})
    try:
        read_until(run, "case_accepted")
        plain = start("watch", "shop", "--plain", *PLACE, cwd=tmp_path)
        as_json = start("watch", "--json", *PLACE, cwd=tmp_path)
        stopped = start("watch", "--json", *PLACE, cwd=tmp_path)
        read_until(stopped, "case_accepted")
        stopped.send_signal(signal.SIGINT)
        assert stopped.wait(60) == 0 and run.poll() is None
        read_until(as_json, "case_accepted")
        read_until(plain, "Going on with shop")
        run.send_signal(signal.SIGTERM)
        out, err = rest(run)
        assert run.returncode == 4, err
    finally:
        run.kill()
    told, trouble = rest(plain)
    assert plain.returncode == 0 and not trouble
    accepted = sum(event["type"] == "case_accepted" for event in events(out)) + 1  # the first one was read above
    assert told.rstrip().endswith(f"Process {run.pid} has left shop: {accepted} of 100 cases.")
    seen, trouble = rest(as_json)
    assert as_json.returncode == 0 and not trouble
    there = [event["case_id"] for event in events(out) if event["type"] == "case_accepted"]
    told_here = [event["case_id"] for event in events(seen) if event["type"] == "case_accepted"]
    assert told_here and told_here == there[-len(told_here) :]
    assert "run_paused" in {event["type"] for event in events(seen)}
    nobody = command("watch", "shop", "--plain", *PLACE, cwd=tmp_path)
    assert nobody.returncode == 2 and "Nobody has the session shop open" in nobody.stderr
