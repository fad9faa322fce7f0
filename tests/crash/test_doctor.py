"""``doctor SESSION``: what is whole and what is not; with ``--repair`` a new session of everything that can be read."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.conftest import CASES
from tests.crash.damage import (
    AT_REST,
    DATABASE,
    NAME,
    WHILE_IT_RUNS,
    Damage,
    Made,
    Outcome,
    outcome_of_export,
    put_back,
    told,
)


@pytest.mark.parametrize("running", [False, True])
def test_a_session_that_is_whole(tmp_path: Path, made: Made, running: bool) -> None:
    folder = put_back(made(running), tmp_path)
    before = (folder / DATABASE).read_bytes()
    end = told("doctor", NAME, "--repair", "--checkpoint-dir", str(tmp_path))
    assert end.code == 0 and f"{NAME} is whole" in end.out and "✗" not in end.out, end
    assert not (tmp_path / f"{NAME}-2").exists()
    assert running or before == (folder / DATABASE).read_bytes()


@pytest.mark.parametrize("damage", [*AT_REST, *WHILE_IT_RUNS], ids=lambda damage: damage.__name__)
def test_what_can_be_read_is_saved(tmp_path: Path, made: Made, damage: Damage) -> None:
    """Whatever export refuses is found here too, and the new session is whole, with nothing in it that was not there."""
    pristine, rng = made(damage in WHILE_IT_RUNS), random.Random(f"{damage.__name__} again")
    known = set(pristine.with_name("reference.jsonl").read_text().splitlines())
    for number in range(2):  # `make crash-test` makes hundreds
        sessions = tmp_path / str(number)
        folder = put_back(pristine, sessions)
        what = damage(folder, rng)
        found = told("doctor", NAME, "--json", "--checkpoint-dir", str(sessions))
        exported, end = outcome_of_export(sessions, pristine.with_name("reference.jsonl"))
        if exported is Outcome.NAMED:
            assert found.code != 0, (what, found, end)
        if found.code == 0:
            continue
        mended = told("doctor", NAME, "--repair", "--json", "--checkpoint-dir", str(sessions))
        assert "unexpected" not in mended.err, (what, mended)
        if mended.code:
            assert "Nothing can be saved" in mended.err or "No plan can be read" in mended.err, (what, mended)
            continue
        saved = json.loads(mended.out)["repaired"]
        out = sessions / "saved.jsonl"
        again = told("export", Path(saved["folder"]).name, "--out", str(out), "--checkpoint-dir", str(sessions))
        assert again.code == 0, (what, saved, again)
        lines = out.read_text().splitlines()
        assert len(lines) == saved["accepted"] and set(lines) <= known, (what, saved)
        assert told("doctor", Path(saved["folder"]).name, "--checkpoint-dir", str(sessions)).code == 0


@pytest.mark.parametrize("table", ["category", "plan_revision"])
def test_a_name_that_is_another_loses_no_case(tmp_path: Path, made: Made, table: str) -> None:
    folder = put_back(made(False), tmp_path)
    column = "name" if table == "category" else "plan"
    with closing(sqlite3.connect(folder / DATABASE)) as plain:
        plain.execute(f"UPDATE {table} SET {column}=replace({column}, 'refunds', 'refunfs')")
        plain.commit()
    end = told("doctor", NAME, "--repair", "--checkpoint-dir", str(tmp_path))
    assert end.code == 0 and f"Saved {CASES} of {CASES} cases" in end.out and "refunfs" in end.out, end
    out = tmp_path / "saved.jsonl"
    assert told("export", f"{NAME}-2", "--out", str(out), "--checkpoint-dir", str(tmp_path)).code == 0
    assert out.read_bytes() == made(False).with_name("reference.jsonl").read_bytes()


def test_a_case_that_is_gone_is_written_again(tmp_path: Path, made: Made) -> None:
    folder = put_back(made(False), tmp_path)
    with closing(sqlite3.connect(folder / DATABASE)) as plain:
        plain.execute("DELETE FROM accepted_case WHERE ordinal=3 AND category_id=1")
        plain.commit()
    for command in (("show", NAME), ("resume", NAME), ("doctor", NAME)):
        end = told(*command, "--checkpoint-dir", str(tmp_path))
        assert end.code == 1 and f"accepted cases: {CASES - 1} of {CASES} are there" in end.err + end.out, end
    assert told("doctor", NAME, "--repair", "--checkpoint-dir", str(tmp_path)).code == 0
    end = told("resume", f"{NAME}-2", "--provider", "offline", "--plain", "--checkpoint-dir", str(tmp_path))
    assert end.code == 0 and f"{CASES} cases" in end.out, end
