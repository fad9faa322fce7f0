"""The seed-format file: every point of a history leaves the session in it, and comes back field for field."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from tests.session.test_branches import _PLAN, plan, run_until

Configs = Callable[..., DatasetBuilderConfig]
OF_THE_WRITING = ("timestamp", "session_id")  # what another file of the same dataset says otherwise


def fields(path: Path) -> dict[str, Any]:
    return {key: value for key, value in json.loads(path.read_text()).items() if key not in OF_THE_WRITING}


async def act(session: Session, rng: random.Random, number: int) -> None:
    """Something that a person does to a session."""
    points, branches = await session.checkpoints.all(), await session.branches.all()
    count = (await session.summary()).instances_created
    others = [branch.name for branch in branches if not branch.current]
    case = (await session.cases.page(rng.randrange(count), 1))[0] if count else None
    match rng.choice(("run", "edit", "withdraw", "note", "rewind", "rewind", "fork", "switch", "merge", "revise")):
        case "run":
            await run_until(session, count + rng.randint(1, 15))
        case "edit" if case is not None:
            text = f"Question {number} that was asked in place of {case.case_id}?"
            await session.cases.edit(case.category, case.ordinal, {"query": text}, {**case.expectations, "n": number})
        case "withdraw" if case is not None and not case.tags.get("pinned"):
            await session.cases.withdraw(case.category, case.ordinal)
        case "note" if case is not None:
            await session.cases.annotate(case.category, case.ordinal, note=f"note {number}", pinned=rng.random() < 0.3)
        case "rewind":
            await session.branches.rewind(rng.choice(points).id)
        case "fork":
            await session.branches.fork(rng.choice(points).id, f"fork {number}")
        case "switch" if others:
            await session.branches.switch(rng.choice(others))
        case "merge" if others:
            await session.branches.merge(rng.choice(others))
        case "revise":
            held = await session.cases.counts()
            now = {category.name: category.count for category in session.plan.categories}
            counts = {name: max(1, held[name], now[name] + rng.randint(-6, 6)) for name in now}
            await session.plans.revise(
                plan(
                    categories=[
                        {**category, "count": counts[str(category["name"])]} for category in _PLAN["categories"]
                    ]
                )  # type: ignore[dict-item, call-overload, index]
            )


@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
async def test_every_point_comes_back_as_it_was(tmp_path: Path, make_config: Configs, seed: int) -> None:
    rng = random.Random(seed)
    async with await Session.create(plan(), make_config(seed=seed, checkpoint_interval=8, max_workers=2)) as session:
        await run_until(session, 12)
        await session.checkpoints.save()
        for number in range(20):
            await act(session, rng, number)
            await session.checkpoints.save()
            await session.export(tmp_path / f"live-{number}_checkpoint.json")
            newest = (await session.checkpoints.all())[-1]
            await session.export(tmp_path / "point_checkpoint.json", at=newest.id)
            assert fields(tmp_path / "point_checkpoint.json") == fields(tmp_path / f"live-{number}_checkpoint.json")
        points = await session.checkpoints.all()
        assert len({point.branch for point in points}) > 1
        chosen = rng.sample(points, min(len(points), 12))
        for point in chosen:
            await session.export(tmp_path / f"{point.id}_checkpoint.json", at=point.id)
    for point in chosen:
        file = tmp_path / f"{point.id}_checkpoint.json"
        config = make_config(checkpoint_dir=tmp_path / f"s{point.id}")
        async with await Session.import_dataset(file, config) as session:
            await session.export(tmp_path / "again_checkpoint.json")
            summary = await session.summary()
        assert fields(tmp_path / "again_checkpoint.json") == fields(file)
        assert (summary.instances_created, summary.total_instances_planned) == (point.accepted, point.planned)


async def test_a_file_of_the_original_design_goes_on_where_it_stopped(tmp_path: Path, make_config: Configs) -> None:
    """273 of 500, with none of the members that were added since."""
    queries = [
        f"Where is parcel {number * 7919} that I sent to {'abcdefgh'[number % 8] * 3}-town?" for number in range(273)
    ]
    data = {
        "dataset_name": "old",
        "instances_created": 273,
        "total_instances_planned": 500,
        "created_instances": [
            {"inputs": {"query": query}, "expectations": {"polite": True}, "tags": {"category": "orders" if number < 200 else "refunds"}}
            for number, query in enumerate(queries)
        ],
        "dataset_plan": {
            "dataset_name": "old",
            "categories": [
                {"name": "orders", "description": "where an order is", "count": 300, "expectations": {"polite": True}},
                {"name": "refunds", "description": "asking for money back", "count": 200, "expectations": {"polite": True}},
            ],
        },
        "timestamp": "2025-11-02T14:30:00",
    }  # fmt: skip
    file = tmp_path / "old_checkpoint.json"
    file.write_text(json.dumps(data))
    async with await Session.import_dataset(file, make_config(max_dataset_size=1000)) as session:
        state = await session.summary()
        assert (state.instances_created, state.total_instances_planned, state.progress_percentage) == (273, 500, 54.6)
        (first,) = await session.checkpoints.all()
        result = await session.run()
        assert result.accepted + result.exhausted == 500 and result.accepted > 450
        assert [case.inputs["query"] for case in await session.cases.page(0, 200, category="orders")] == queries[:200]
        await session.branches.rewind(first.id)
        assert (await session.summary()).instances_created == 273
        await session.export(tmp_path / "again_checkpoint.json")
    again = json.loads((tmp_path / "again_checkpoint.json").read_text())
    for key in ("dataset_name", "instances_created", "total_instances_planned"):
        assert again[key] == data[key]
    assert [one["inputs"]["query"] for one in again["created_instances"]] == queries
