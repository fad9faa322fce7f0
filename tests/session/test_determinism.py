"""Same seed, same plan, built-in writer: the same dataset, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.expectation import WrittenExpectation
from dsbuilder_tui.domain.pause_cause import Pause

Configs = Callable[..., DatasetBuilderConfig]

# Narrow on purpose: with so few ways to say it, rejections and second tries are part of every run.
NARROW = DatasetPlanInput(
    dataset_name="narrow",
    categories=[
        DatasetCategory(
            name="a", count=60, example_inputs="Stop it", attributes={"length": ("short",), "tone": ("neutral",)}
        ),
        DatasetCategory(
            name="b", count=60, example_inputs="Where is my order #12345?", attributes={"length": ("short",)}
        ),
    ],
)


PAIRED = NARROW.model_copy(
    update={
        "categories": tuple(
            category.model_copy(
                update={
                    "contrast": 0.2,
                    "same": 0.2,
                    "write": (WrittenExpectation(key="guidelines"),),
                    "expectations": {},
                }
            )
            for category in NARROW.categories
        )
    }
)


async def build(
    config: DatasetBuilderConfig, out: Path, *, pauses: int = 0, plan: DatasetPlanInput = NARROW
) -> tuple[bytes, int]:
    async with await Session.create(plan, config) as session:
        left = pauses

        def interrupt(event: Event) -> None:
            nonlocal left
            if left and event.type in ("batch_started", "case_rejected"):
                left -= 1
                session.request_pause(Pause("a test"))
                session.drop_in_flight()

        session.subscribe(interrupt)
        while (await session.run()).state == "paused":
            await asyncio.sleep(0)
        await session.export(out)
        return out.read_bytes(), (await session.summary()).diversity_rejections


async def test_whatever_the_number_of_workers(tmp_path: Path, make_config: Configs) -> None:
    built = [
        await build(
            make_config(checkpoint_dir=tmp_path / str(n), max_workers=n, batch_size=size), tmp_path / f"{n}.jsonl"
        )
        for n, size in ((1, 20), (3, 7), (16, 20))
    ]
    assert built[0][1] > 0, "the plan is meant to be so narrow that cases collide"
    assert built[0] == built[1] == built[2]


async def test_whatever_the_interruptions(tmp_path: Path, make_config: Configs) -> None:
    whole = await build(make_config(checkpoint_dir=tmp_path / "whole"), tmp_path / "whole.jsonl")
    broken = await build(
        make_config(checkpoint_dir=tmp_path / "broken", max_workers=5), tmp_path / "b.jsonl", pauses=12
    )
    assert broken == whole


async def test_pairs_whatever_the_workers_and_the_interruptions(tmp_path: Path, make_config: Configs) -> None:
    whole = await build(make_config(checkpoint_dir=tmp_path / "whole"), tmp_path / "whole.jsonl", plan=PAIRED)
    assert whole[0].count(b'"side":"partner"') == whole[0].count(b'"side":"original"') > 20
    for n, pauses in ((1, 0), (5, 12), (2, 40)):
        config = make_config(checkpoint_dir=tmp_path / str(n), max_workers=n, batch_size=3)
        assert await build(config, tmp_path / f"{n}.jsonl", pauses=pauses, plan=PAIRED) == whole, (n, pauses)


async def test_another_seed_is_another_dataset(tmp_path: Path, make_config: Configs) -> None:
    one = await build(make_config(checkpoint_dir=tmp_path / "1", seed=1), tmp_path / "1.jsonl")
    two = await build(make_config(checkpoint_dir=tmp_path / "2", seed=2), tmp_path / "2.jsonl")
    assert one[0] != two[0]
