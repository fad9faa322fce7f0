"""Damage of every kind is named or does no harm: never another dataset with exit code 0. ``make crash-test`` does more."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.damage import (
    AT_REST,
    DATABASE,
    LOG,
    WHILE_IT_RUNS,
    Damage,
    Made,
    Outcome,
    outcome_of_export,
    put_back,
    told,
)


@pytest.mark.parametrize("damage", [*AT_REST, *WHILE_IT_RUNS], ids=lambda damage: damage.__name__)
def test_damage_is_named_or_does_no_harm(tmp_path: Path, made: Made, damage: Damage) -> None:
    pristine, rng = made(damage in WHILE_IT_RUNS), random.Random(damage.__name__)
    for _ in range(12):
        folder = put_back(pristine, tmp_path)
        what = damage(folder, rng)
        outcome, end = outcome_of_export(tmp_path, pristine.with_name("reference.jsonl"))
        assert outcome in (Outcome.NAMED, Outcome.RECOVERED), f"{what}: {outcome}: {end}"


@pytest.mark.parametrize("damage", WHILE_IT_RUNS, ids=lambda damage: damage.__name__)
def test_announced_cases_that_are_gone_are_counted(tmp_path: Path, made: Made, damage: Damage) -> None:
    folder = put_back(made(True), tmp_path)
    damage(folder, random.Random(3))
    for command in ("show", "export", "resume"):
        end = told(
            command,
            "damaged",
            *(["--out", "x.jsonl"] if command == "export" else []),
            "--checkpoint-dir",
            str(tmp_path),
        )
        assert end.code == 1 and "doctor damaged --repair" in end.err, end
        assert re.search(
            r"60 cases were announced, (1 is|\d+ are) there|only (1 case of it is|\d+ cases of it are) there| are there",
            end.err,
        ), end


@pytest.mark.parametrize("text", [b"orders", b"refunds", b"polite"])
def test_a_word_that_is_another_anywhere_in_the_file(tmp_path: Path, made: Made, text: bytes) -> None:
    """Names of categories and words of the plan, one after another wherever they stand."""
    pristine = made(False)
    data, start = (pristine / DATABASE).read_bytes(), 0
    places = []
    while (at := data.find(text, start)) >= 0:
        places.append(at)
        start = at + 1
    for at in random.Random(1).sample(places, min(8, len(places))):
        folder = put_back(pristine, tmp_path)
        (folder / DATABASE).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        outcome, end = outcome_of_export(tmp_path, pristine.with_name("reference.jsonl"))
        assert outcome in (Outcome.NAMED, Outcome.RECOVERED), f"byte {at}: {outcome}: {end}"


def test_a_log_that_is_whole_loses_nothing(tmp_path: Path, made: Made) -> None:
    """As after a kill: the log is there, and everything in it."""
    pristine = made(True)
    put_back(pristine, tmp_path)
    assert (pristine / LOG).stat().st_size > 0
    outcome, end = outcome_of_export(tmp_path, pristine.with_name("reference.jsonl"))
    assert outcome is Outcome.RECOVERED, end


def test_the_pages_of_a_file_that_was_not_closed_are_looked_at(tmp_path: Path, made: Made) -> None:
    """An index that says something else than its table passes every sum of rows."""
    folder = put_back(made(True), tmp_path)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as plain:
        (page,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name='rejection_slot'").fetchone()
        (size,) = plain.execute("PRAGMA page_size").fetchone()
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray((folder / DATABASE).read_bytes())
    data[(page - 1) * size + 3] ^= 0x40  # how many cells the page has
    (folder / DATABASE).write_bytes(data)
    for command in ("show", "export", "resume"):
        (folder / DATABASE).write_bytes(data)  # closing says that it was closed
        more = ["--out", str(tmp_path / "x.jsonl")] if command == "export" else []
        end = told(command, "damaged", *more, "--checkpoint-dir", str(tmp_path))
        assert end.code == 1 and "is damaged" in end.err, (command, end)
