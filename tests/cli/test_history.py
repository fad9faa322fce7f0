"""A session's history from the command line: listed, returned to, forked, compared, merged; and what cannot be done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.cli.main import main
from dsbuilder_tui.settings.locations import seal_secret_file
from tests.cli.test_commands import plan
from tests.support.made_once import made_once

PLACE = ("--checkpoint-dir", "s")


@pytest.fixture
def shop(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """A finished session of 30 cases, with a checkpoint every ten: a copy of the one that is made once."""

    def make(folder: Path) -> None:
        monkeypatch.chdir(folder)
        plan(folder)
        assert main(["run", "plan.yaml", *PLACE, "--checkpoint-interval", "10", "--out", "shop.jsonl", "--plain"]) == 0
        capsys.readouterr()
        shutil.copy(seal_secret_file(), folder / "secret")

    shutil.copytree(made_once(tmp_path_factory, "shop", make), tmp_path, dirs_exist_ok=True)
    seal_secret_file().parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "secret").rename(seal_secret_file())  # it is the same person who goes on with it
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Line:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.error = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        place = () if words[0] == "compare" and all(Path(word).is_file() for word in words[1:3]) else PLACE
        ended = main([*words, *place])
        said = self._capsys.readouterr()
        self.error = said.err
        assert ended == code, said
        return said.out

    def data(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(capsys)


def cases(path: str) -> dict[str, Any]:
    records = [json.loads(text) for text in Path(path).read_text().splitlines()]
    return {record["tags"]["case_id"]: record["inputs"] for record in records}


def test_checkpoints_are_listed(shop: Path, line: Line) -> None:
    points = line.data("checkpoints", "shop")
    assert [(p["accepted"], p["cause"], p["branch"]) for p in points] == [
        (10, "interval", "main"), (20, "interval", "main"), (30, "interval", "main"), (30, "finish", "main"),
    ]  # fmt: skip
    assert [p["id"] for p in points] == [1, 2, 3, 4] and points == sorted(points, key=lambda p: p["ts"])
    assert {"planned", "name", "note", "revision", "seq"} <= set(points[0])
    assert len(line("checkpoints", "shop").splitlines()) == 5
    assert line.data("checkpoints", "shop", "--branch", "main") == points


def test_back_forward_and_aside(shop: Path, line: Line) -> None:
    whole = cases("shop.jsonl")
    moved = line.data("rewind", "shop", "--to", "1", "--yes", "--keep-as", "whole")
    assert (moved["accepted"], moved["left"], moved["checkpoint"]) == (10, "whole", 1)
    assert line.data("show", "shop")["instances_created"] == 10
    found = {branch["name"]: branch for branch in line.data("branches", "shop")}
    assert {name: (b["current"], b["accepted"]) for name, b in found.items()} == {
        "main": (True, 10),
        "whole": (False, 30),
    }
    assert line.data("show", "shop", "--branch", "whole")["instances_created"] == 30
    assert line.data("show", "shop", "--at", "2")["instances_created"] == 20
    assert line.data("export", "shop", "--branch", "whole", "--out", "again.jsonl")["cases"] == 30
    assert cases("again.jsonl") == whole
    assert line.data("export", "shop", "--at", "2", "--out", "some.jsonl")["cases"] == 20
    assert line.data("fork", "shop", "--at", "2", "--name", "aside")["accepted"] == 20
    line("resume", "shop", "--branch", "aside", "--plain")
    assert line.data("show", "shop")["instances_created"] == 30
    line("resume", "shop", "--branch", "whole", "--plain")
    line("export", "shop", "--out", "again.jsonl")
    assert cases("again.jsonl") == whole
    assert [b["name"] for b in line.data("branches", "shop", "--rename", "aside", "other")] == [
        "main",
        "whole",
        "other",
    ]


def test_a_point_is_named_in_words_and_a_branch_is_deleted(shop: Path, line: Line) -> None:
    assert line.data("export", "shop", "--at", "the 25th case", "--out", "some.jsonl")["cases"] == 20
    assert line.data("show", "shop", "--at", "as of today")["instances_created"] == 30
    assert line.data("rewind", "shop", "--to", "at the 10th case", "--yes", "--keep-as", "whole")["checkpoint"] == 1
    shown = line("show", "shop")
    assert "Checkpoints: 1, the last at 10 cases" in shown and "; 4 on other branches" in shown
    line("branches", "shop", "--delete", "whole", code=2)
    assert "--yes" in line.error
    assert "--restore brings it back" in line("branches", "shop", "--delete", "whole", "--yes")
    assert [branch["name"] for branch in line.data("branches", "shop")] == ["main"]
    assert [point["id"] for point in line.data("checkpoints", "shop")] == [1]
    line("export", "shop", "--at", "3", "--out", "no.jsonl", code=2)
    line("branches", "shop", "--delete", "main", "--yes", code=2)
    assert "It" in line.error or "on the branch 'main'" in line.error
    line("branches", "shop", "--restore", "nobody", code=2)
    assert "Deleted are: whole." in line.error
    assert "is back, with 30 cases" in line("branches", "shop", "--restore", "whole")
    line("resume", "shop", "--branch", "whole", "--plain")
    line("export", "shop", "--out", "again.jsonl")
    assert cases("again.jsonl") == cases("shop.jsonl")


def test_branches_and_files_are_compared_and_merged(shop: Path, line: Line) -> None:
    line("rewind", "shop", "--to", "1", "--yes")
    for words in (
        ("main", "main-1"),
        ("shop@1", "shop@main-1"),
        ("1", "4", "--session", "shop"),
        ("shop", "shop.jsonl"),
    ):
        found = line.data("compare", *words)
        assert found["counts"] == {"same": 10, "added": 20, "removed": 0, "edited": 0, "moved": 0, "near": 0}, words
        assert len(found["added"]) == 20 and found["before"]["cases"] == 10
    assert "20 added" in line("compare", "main", "main-1")
    merged = line.data("merge", "shop", "--branch", "main-1", "--case", "refunds-00009")
    assert merged["came"] == {"refunds-00009": "refunds-00009"} and merged["into"] == "main"
    assert len(line.data("merge", "shop", "--branch", "main-1")["came"]) == 19
    line("export", "shop", "--out", "again.jsonl")
    assert line.data("compare", "shop.jsonl", "again.jsonl")["counts"]["same"] == 30
    assert "1 case of main-1 came" in line("rewind", "shop", "--to", str(merged["checkpoint"]), "--yes") + line(
        "merge", "shop", "--branch", "main-1", "--case", "refunds-00009"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rewind", "shop", "--to", "99", "--yes"), ("99", "1–4")),
        (("rewind", "shop", "--to", "elsewhere", "--yes"), ("elsewhere", "1–4", "yesterday evening")),
        (("rewind", "shop", "--to", "3 days ago", "--yes"), ("no checkpoint from before", "dsbuilder checkpoints")),
        (("rewind", "shop", "--to", "1"), ("checkpoint 1", "main-1", "--yes")),
        (("rewind", "shop", "--to", "1", "--yes", "--keep-as", "main"), ("main", "another name")),
        (("fork", "shop", "--at", "0", "--name", "x"), ("0", "1–4")),
        (("fork", "shop", "--at", "1", "--name", "main"), ("main", "another name")),
        (("checkpoints", "shop", "--branch", "none"), ("none", "main")),
        (("branches", "shop", "--rename", "none", "x"), ("none", "main")),
        (("resume", "shop", "--branch", "none"), ("none", "main")),
        (("show", "shop", "--branch", "none"), ("none", "main")),
        (("show", "shop", "--at", "-1"), ("-1", "1–4")),
        (("export", "shop", "--at", "12", "--out", "x.jsonl"), ("12", "1–4")),
        (("export", "shop", "--branch", "none", "--out", "x.jsonl"), ("none", "main")),
        (("merge", "shop", "--branch", "none"), ("none", "main")),
        (("merge", "shop", "--branch", "main"), ("main",)),
        (("compare", "shop@none", "shop.jsonl"), ("none", "main", "1–4")),
        (("compare", "none.jsonl", "shop.jsonl"), ("none.jsonl",)),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_with_what_is(
    shop: Path, line: Line, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    before = line.data("checkpoints", "shop")
    assert line(*words, code=2) == ""
    assert all(part in line.error for part in said), line.error
    assert line.data("checkpoints", "shop") == before and not Path("x.jsonl").exists()
