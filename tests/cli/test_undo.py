"""``undo`` and ``redo``: steps taken and told, listed, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.cli.main import main

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def acted(config: DatasetBuilderConfig, plan: DatasetPlanInput) -> str:
    async with await Session.create(plan, config) as session:
        await session.run()
        await session.cases.annotate("category_1", 1, pinned=True)
        await session.settings.set("budget", 2)
        return session.id


def test_undo_and_redo(
    make_config: Configs, make_plan: Plans, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import asyncio

    name = asyncio.run(acted(make_config(), make_plan(4)))
    place = ["--checkpoint-dir", str(tmp_path / "checkpoints")]

    def said(*words: str, code: int = 0) -> tuple[str, str]:
        assert main([*words, *place]) == code
        captured = capsys.readouterr()
        return captured.out, captured.err

    assert said("undo", name)[0] == f"{name}: Undid: set budget = 2.\ndsbuilder redo {name} takes it back.\n"
    listed = said("undo", name, "--list")[0].splitlines()
    assert listed[0].split() == ["WHEN", "WHO", "WHAT"]
    assert [line.split()[2:] for line in listed[1:]] == [
        ["you", "set", "budget", "=", "2", "undone"], ["you", "pinned", "category_1-00001"],
    ]  # fmt: skip
    assert said("redo", name)[0].startswith(f"{name}: Redid: set budget = 2.")
    told = json.loads(said("undo", name, "--steps", "5", "--json")[0])
    assert [step["words"] for step in told["steps"]] == ["set budget = 2", "pinned category_1-00001"]
    assert told["stopped"] == "There is nothing to undo." and told["steps"][0]["kinds"] == ["settings"]
    assert [step["state"] for step in json.loads(said("redo", name, "--list", "--json")[0])] == ["undone"] * 2
    assert "There is nothing to undo." in said("undo", name, code=2)[1]
    with pytest.raises(SystemExit, match="2"):
        said("undo", name, "--steps", "0")
    assert "'0' is not a whole number from 1 on" in capsys.readouterr().err
