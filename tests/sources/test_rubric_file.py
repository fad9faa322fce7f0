"""A rubric in a file of its own, beside the plan that names it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput, load_plan
from dsbuilder_tui.domain.errors import InputError, PlanError

OWN = "# Ours\n\nShop talk is natural.\n\n## one_wish\nDoes the input ask for one thing only?\n"


def plan_with(folder: Path, rubric: Any, name: str = "plan.json") -> DatasetPlanInput:
    categories = [{"name": "orders", "count": 2, "description": "Where it is"}]
    path = folder / name
    path.write_text(json.dumps({"dataset_name": "shop", "categories": categories, "rubric": rubric}))
    return load_plan(path)


@pytest.mark.parametrize(("key", "shape"), [("extend", "text"), ("extend", "mapping"), ("replace", "mapping")])
def test_a_rubric_may_be_a_file_beside_the_plan(
    key: str, shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plans"
    (folder / "judge").mkdir(parents=True)
    (folder / "judge" / "own.md").write_text("\ufeff" + OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)  # it is looked for beside the plan, wherever one stands
    for path in ("judge/own.md", str(folder / "judge" / "own.md")):
        plan = plan_with(folder, path if shape == "text" else {key: path})
        assert getattr(plan.rubric, key) == OWN
        assert [criterion.name for criterion in plan.rubric.applied("## on_topic\nIs it?").criteria][-1] == "one_wish"


def test_a_sentence_that_ends_like_a_path_is_words_unless_there_is_such_a_file(tmp_path: Path) -> None:
    assert plan_with(tmp_path, "Keep to the words of guide.md").rubric.extend == "Keep to the words of guide.md"
    (tmp_path / "our rubric.md").write_text(OWN)
    assert plan_with(tmp_path, "our rubric.md").rubric.extend == OWN
    assert plan_with(tmp_path, "Be kind.\nguide.md").rubric.extend == "Be kind.\nguide.md"


def test_a_file_that_is_not_there_cannot_be_read_or_holds_keys_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "long.md").write_text("a" * 200_000)
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "credentials.md").write_text("the key")
    for name, words in (
        ("nowhere.md", "there is no file"), ("empty.md", "is empty"), ("bytes.md", "not UTF-8"), ("long.md", "larger than"),
        ("folder.md", "cannot be read"), ("pipe.md", "no regular file"), ("credentials.md", "may hold keys"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words) as raised:
            plan_with(tmp_path, {"extend": name})
        assert name in str(raised.value) and raised.value.hint


def test_what_stands_in_the_file_is_held_to_what_a_rubric_is(tmp_path: Path) -> None:
    (tmp_path / "own.md").write_text("## no_question\n")
    with pytest.raises(PlanError, match="no question below it"):
        plan_with(tmp_path, "own.md")
