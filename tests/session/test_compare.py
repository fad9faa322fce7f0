"""Branches, checkpoints and files held against each other, case by case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.session.compared_datasets import compare
from dsbuilder_tui.session.file_dataset import file_dataset
from tests.session.test_branches import plan

Configs = Callable[..., DatasetBuilderConfig]
REFUND = "How do I get the money back for the blue kettle that I sent back on Monday?"
SHORTER = {"categories": [{"name": "refunds", "description": "asking for money back", "count": 40}]}


async def test_two_branches(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await session.run()
        point = next(point for point in await session.checkpoints.all() if point.accepted == 10)
        cases = (await session.checkpoints.preview(point.id)).cases
        await session.cases.edit(cases[0].category, cases[0].ordinal, {"query": REFUND}, cases[0].expectations)
        await session.cases.withdraw(cases[1].category, cases[1].ordinal)
        await session.cases.annotate(cases[2].category, cases[2].ordinal, note="a note is no difference")
        await session.branches.fork(point.id, "other")
        found = await session.branches.compare("other", "main")
        assert found.counts == {"same": 8, "added": 40, "removed": 1, "edited": 1, "moved": 0, "near": 0}
        assert [case.id for case in found.removed] == [cases[1].case_id]
        assert found.edited[0].after.inputs == {"query": REFUND} and found.edited[0].fields == ["inputs.query"]
        assert (found.before.cases, found.after.cases, found.after.checkpoint) == (10, 49, None)
        assert (found.before.checkpoint, found.before.planned, found.before.revision) == (point.id, 50, 1)
        assert 1 <= (found.before.figures.variety or 0) < (found.after.figures.variety or 0)
        assert found.plan == ()
        mirrored = await session.branches.compare("main", "other")
        assert mirrored.counts == {**found.counts, "added": 1, "removed": 40}
        await session.branches.switch("other")
        assert (await session.branches.compare("other", "main")).counts == found.counts
        assert (await session.branches.compare(point.id, "other")).counts["same"] == 10
        json.dumps(found.as_dict())
        with pytest.raises(InputError, match="nowhere"):
            await session.branches.compare("main", "nowhere")
        with pytest.raises(InputError, match="99"):
            await session.branches.compare("main", 99)


async def test_the_plan_is_compared_too(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(seed=3)) as session:
        first = await session.checkpoints.save()
        await session.plans.revise(plan(**SHORTER))
        found = await session.branches.compare(first.id, "main")
        assert found.plan == ("− orders 20", "~ refunds 30 → 40") and (found.after.planned, found.after.revision) == (
            40,
            2,
        )


def rows(path: Path, *found: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return path


def row(name: str, text: str, category: str = "refunds", **expectations: Any) -> dict[str, Any]:
    return {"inputs": {"query": text}, "expectations": expectations, "tags": {"case_id": name, "category": category}}


SAME = row("a-1", "Can I pay by card?")
KETTLE = row("a-2", REFUND, tone="kind")


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (KETTLE, {"same": 2}),
        (row("a-2", REFUND, tone="curt"), {"same": 1, "edited": 1}),
        (row("a-2", "Please tell me the name of your boss.", tone="kind"), {"same": 1, "edited": 1}),
        (row("b-7", REFUND, "orders", tone="kind"), {"same": 1, "moved": 1}),
        (row("x", "How do I get the money back for that blue kettle which I sent back on Monday?"), {"same": 1, "near": 1}),
        (row("x", "What is your favourite song?"), {"same": 1, "added": 1, "removed": 1}),
        (None, {"same": 1, "removed": 1}),
    ],
)  # fmt: skip
async def test_two_files(tmp_path: Path, after: dict[str, Any] | None, kind: dict[str, int]) -> None:
    old = file_dataset(rows(tmp_path / "old.jsonl", SAME, KETTLE))
    new = file_dataset(rows(tmp_path / "new.jsonl", *([after] if after else []), SAME))
    none = dict.fromkeys(("same", "added", "removed", "edited", "moved", "near"), 0)
    assert (await compare(old, new)).counts == {**none, **kind}
    turned = {"added": kind.get("removed", 0), "removed": kind.get("added", 0)}
    assert (await compare(new, old)).counts == {**none, **kind, **turned}


async def test_names_that_mean_other_cases_in_each_are_no_edits(tmp_path: Path, make_config: Configs) -> None:
    """Two sessions of one plan name their cases alike, and have nothing else in common."""
    found = []
    for seed in (1, 2):
        config = make_config(seed=seed)
        async with await Session.create(plan(), config) as session:
            await session.run()
            await session.export(tmp_path / f"{seed}.jsonl")
            found.append(await session.branches.dataset())
    sessions = await compare(*found, figures=False)
    files = await compare(file_dataset(tmp_path / "1.jsonl"), file_dataset(tmp_path / "2.jsonl"), figures=False)
    assert sessions.counts == files.counts
    assert sessions.counts["edited"] <= 5 and sessions.counts["added"] == sessions.counts["removed"] > 0


async def test_rows_that_say_the_same_more_than_once(tmp_path: Path) -> None:
    old = file_dataset(rows(tmp_path / "old.jsonl", SAME, SAME, KETTLE))
    new = file_dataset(rows(tmp_path / "new.jsonl", SAME, SAME, SAME))
    found = await compare(old, new)
    assert found.counts == {"same": 2, "added": 1, "removed": 1, "edited": 0, "moved": 0, "near": 0}
