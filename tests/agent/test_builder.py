"""The documented way in from Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import (
    DatasetBuilderAgent,
    DatasetBuilderConfig,
    DatasetPlanInput,
    get_builder_state_summary,
    load_from_checkpoint,
)
from dsbuilder_tui.agent.turn_events import QuestionAsked
from dsbuilder_tui.domain.errors import InputError, SessionNotFound
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.store import catalog
from tests.support.talking import tools_used

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def test_the_documented_workflow(make_plan: Plans) -> None:
    config = DatasetBuilderConfig(
        max_dataset_size=1000, batch_size=20, worker_model="gpt-4o-mini", enable_parallel_generation=True,
        enable_checkpointing=True, checkpoint_interval=100, enable_diversity_check=True, diversity_window=30,
        checkpoint_dir=Path("data/checkpoints"),
    )  # fmt: skip
    agent = DatasetBuilderAgent(model="gpt-4o-large", config=config)
    assert agent.config.model == "gpt-4o-large"
    events: list[Event] = []
    agent.subscribe(events.append)
    result = await agent.generate(make_plan(60, 40))
    assert (result.state, result.accepted) == ("complete", 100)
    state = await get_builder_state_summary()
    assert state.progress_percentage == 100.0
    assert state.categories["category_2"] == {"planned": 40, "accepted": 40, "rejected": 0, "exhausted": 0}
    assert state.diversity_rejections == 0 and state.checkpoints >= 1
    json.dumps(state.as_dict())
    assert len([case async for case in agent.cases()]) == 100
    assert await agent.export("out.jsonl") == 100
    assert events[-1].type == "export_written"
    again = await load_from_checkpoint(checkpoint_path="data/checkpoints/support_checkpoint.json")
    assert (again.session, again.instances_created) == ("support", 100)
    assert (await load_from_checkpoint()).session == "support"
    await agent.aclose()


async def test_an_interrupted_generation_goes_on(
    make_plan: Plans, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    async with DatasetBuilderAgent(config=make_config(batch_size=5, max_workers=1)) as agent:
        agent.subscribe(lambda event: agent.session.request_pause() if event.type == "batch_started" else None)
        assert (await agent.generate(make_plan(40))).state == "paused"
    async with DatasetBuilderAgent(config=make_config()) as agent:
        state = await agent.load_from_checkpoint()
        assert 0 < state.instances_created < 40
        assert (await agent.resume()).accepted == 40


async def test_without_a_path_the_newest_of_the_current_dataset(
    make_plan: Plans, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    config = make_config()
    async with DatasetBuilderAgent(config=config) as agent:
        await agent.generate(make_plan(2, name="shop"))
        await agent.generate(make_plan(3, name="shop-returns"))
        await agent.generate(make_plan(2, name="shop"))
        assert agent.session.id == "shop-2"
        await agent.load_from_checkpoint("shop")
        await agent.generate(make_plan(1, name="shop-returns"))
        await agent.load_from_checkpoint(config.checkpoint_root / "shop-2")
        assert (await agent.load_from_checkpoint()).session == "shop-2"


async def test_a_foreign_json_chooses_no_path(
    tmp_path: Path, make_plan: Plans, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    outside = make_config(checkpoint_dir=tmp_path / "outside")
    async with DatasetBuilderAgent(config=outside) as agent:
        await agent.generate(make_plan(2))
    data = json.loads((tmp_path / "outside" / "support_checkpoint.json").read_text())
    for evil in ("../outside/support", str(tmp_path / "outside" / "support")):
        (tmp_path / "evil.json").write_text(json.dumps({**data, "session_id": evil}))
        async with DatasetBuilderAgent(config=make_config(checkpoint_dir=tmp_path / "inside")) as agent:
            await agent.load_from_checkpoint(tmp_path / "evil.json")
            assert agent.session.folder.parent == tmp_path / "inside"


async def test_what_is_missing_is_said(make_config: Callable[..., DatasetBuilderConfig]) -> None:
    agent = DatasetBuilderAgent(config=make_config())
    with pytest.raises(InputError, match=r"generate\(plan\)"):
        await agent.get_builder_state_summary()
    with pytest.raises(SessionNotFound):
        await agent.load_from_checkpoint("nowhere")
    async with DatasetBuilderAgent(config=make_config()) as agent:
        for wrong in ("plan.yaml", {"dataset_name": "x"}, None):
            with pytest.raises(InputError, match=r"A plan is a DatasetPlanInput, not .*load_plan\(path\)"):
                await agent.generate(wrong)  # type: ignore[arg-type]


async def test_listeners_and_callers_cannot_hurt_a_run(
    make_plan: Plans, make_config: Callable[..., DatasetBuilderConfig], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ZeroDivisionError(event.type)

    async with DatasetBuilderAgent(config=make_config()) as agent:
        agent.subscribe(broken)
        assert (await agent.generate(make_plan(5))).accepted == 5
        assert "A listener failed" in caplog.text
        agent._listeners.clear()

        def interfere(event: Event) -> None:
            if event.type == "run_started":
                refusals.append(agent.session)

        refusals: list[object] = []
        agent.subscribe(interfere)
        await agent.generate(make_plan(5))
        assert refusals


async def test_a_renamed_session_is_still_the_datasets(
    make_plan: Plans, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    root = make_config().checkpoint_root
    async with DatasetBuilderAgent(config=make_config()) as agent:
        await agent.generate(make_plan(4))
        await agent.aclose()
        catalog.rename_session(root / "support", "june")
        assert (await agent.load_from_checkpoint()).session == "june"
    async with DatasetBuilderAgent(config=make_config()) as agent:
        await agent.generate(make_plan(6))  # takes the name that the JSON beside june was written under
    async with DatasetBuilderAgent(config=make_config()) as agent:
        state = await agent.load_from_checkpoint(root / "june_checkpoint.json")
        assert (state.session, state.instances_created) == ("june", 4)


async def test_a_talk_from_python_leads_to_a_dataset(make_config: Configs, tmp_path: Path) -> None:
    async with DatasetBuilderAgent(config=make_config()) as agent:
        assert await agent.pending() is None
        parts = [
            part async for part in agent.say("6 cases for a customer service bot: half order status, the rest refunds")
        ]
        assert isinstance(parts[-1], QuestionAsked)
        waiting = await agent.pending()
        assert waiting is not None and waiting.tool == "propose_plan"
        parts = [part async for part in agent.decline("make refunds 5")]
        assert isinstance(parts[-1], QuestionAsked) and parts[-1].approval.request.card.planned == 8
        parts = [part async for part in agent.approve()]
        assert [used.tool for used in tools_used(parts)] == ["propose_plan", "start_generation"]
        result = await agent.wait()
        assert result is not None and (result.state, result.accepted) == ("complete", 8)
        assert await agent.export(tmp_path / "x.jsonl") == 8 and agent.session.id == "customer_service_bot"
        with pytest.raises(InputError, match="No question waits"):
            [part async for part in agent.approve()]
    assert await agent.pending() is None
