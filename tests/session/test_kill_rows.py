"""SIGKILL while cases about rows are written: each slot keeps its row, also when the file has changed or is gone."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from pathlib import Path

import yaml

from tests.session.test_kill import check_files
from tests.support.process import command, events, fake_endpoint, rest, start
from tests.support.row_worker import RowWorker

_ARGUMENTS = (
    "--checkpoint-dir", "sessions", "--batch-size", 5, "--max-workers", 4, "--json", "--max-dataset-size", 1000,
)  # fmt: skip


def _table(folder: Path, price: str) -> Path:
    path = folder / "products.csv"
    path.write_text("name,price\n" + "".join(f"Product {n} of the shop,{price}{n}.00\n" for n in range(1, 201)))
    return path


def _rows(folder: Path) -> dict[tuple[int, int], dict[str, object]]:
    """The row of each case, looked up without any of our code."""
    database = folder / "sessions" / "killed" / "session.db"
    if not database.exists():
        return {}
    plain = sqlite3.connect(database)
    rows = plain.execute("SELECT category_id, ordinal, tags FROM accepted_case").fetchall()
    plain.close()
    return {(category, ordinal): json.loads(tags)["row"] for category, ordinal, tags in rows}


def test_kills_while_cases_about_rows_are_written(tmp_path: Path) -> None:
    rng = random.Random(4)
    table = _table(tmp_path, "4")
    categories = [
        {"name": name, "count": count, "example_inputs": "What does it cost?", "rows": "products.csv", "write": ["expected_facts"]}
        for name, count in (("prices", 90), ("returns", 60))
    ]  # fmt: skip
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump({"dataset_name": "killed", "categories": categories}))
    with fake_endpoint(reply_for=RowWorker()) as fake:
        base = [*_ARGUMENTS, "--base-url", fake.url]
        announced: list[str] = []
        known: dict[tuple[int, int], dict[str, object]] = {}
        for turn in range(5):
            begun = (tmp_path / "sessions" / "killed" / "session.db").exists()
            process = start(*(["resume"] if begun else ["run", plan]), *base, cwd=tmp_path)
            assert process.stdout
            heard, wanted = "", rng.randint(1, 30)
            while heard.count("case_accepted") < wanted and (line := process.stdout.readline()):
                heard += line
            process.kill()
            heard += rest(process)[0]
            announced += [event["case_id"] for event in events(heard) if event["type"] == "case_accepted"]
            check_files(tmp_path, announced)
            now = _rows(tmp_path)
            assert known.items() <= now.items(), "a case changed its row"
            known = now
            if turn == 1:
                _table(tmp_path, "9")
            elif turn == 3:
                table.unlink()
        done = command("resume", *base, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(check_files(tmp_path, announced)) == 150
    rows = _rows(tmp_path)
    assert known.items() <= rows.items()
    for category in {category for category, _ in rows}:
        used = Counter(row["number"] for (one, _), row in rows.items() if one == category)
        assert set(used.values()) == {1}
    assert all(str(row["fields"]["price"]).startswith("4") for row in rows.values())  # type: ignore[index]
    assert command("doctor", "killed", "--checkpoint-dir", "sessions", cwd=tmp_path).returncode == 0
