"""A session that is lost, rebuilt from its dataset and run in a real MLflow, and datasets of others taken in."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderAgent, DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ConfigError, InputError
from dsbuilder_tui.domain.events import CaseAccepted, Event
from dsbuilder_tui.session.library import open_saved, seed_file
from dsbuilder_tui.session.rebuilding import Rebuilt, find_stored, rebuild, rows_of
from dsbuilder_tui.settings.key_trust import allow, foreign_tracking
from tests.support.tracked import assert_same, database_file, held_in_file, mlflow_client, own_records, plain

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]


SLOW = {"max_workers": 1, "batch_size": 4}  # so that a pause comes before the end


async def undisturbed(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> list[str]:
    """What the built-in writer makes of a plan in one go."""
    async with await Session.create(plan, config) as session:
        assert (await session.run()).accepted == plan.total_instances
        return plain(await own_records(session))


async def part_of_a_run(session: Session, cases: int) -> None:
    """Run until so many cases are there, or a few more."""
    seen = 0

    def heard(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, CaseAccepted)
        if seen >= cases:
            session.request_pause()

    stop = session.subscribe(heard)
    await session.run()
    stop()


async def lost(session: Session) -> None:
    """Have all that is there arrive in MLflow, then lose the session with its folder, and the file beside it."""
    state = await session.tracking.settle(60)
    assert state is not None and not state.waiting
    await session.aclose()
    await forgotten(session)


async def forgotten(session: Session) -> None:
    await asyncio.to_thread(shutil.rmtree, session.folder)
    seed_file(session.folder).unlink(missing_ok=True)


async def rebuilt(name: str, config: DatasetBuilderConfig, *, as_copy: bool = False) -> Rebuilt:
    dataset = await asyncio.to_thread(find_stored, name, config)
    return await rebuild(dataset, config, as_copy=as_copy)


async def test_a_lost_session_goes_on_as_if_nothing_had_happened(
    uri: str, tmp_path: Path, make_config: Config, make_plan: Plan
) -> None:
    plan = make_plan(70, 30, attributes={"tone": ["short", "polite", "angry"]})
    wanted = await undisturbed(plan, make_config(checkpoint_dir=tmp_path / "whole", seed=7))
    config = make_config(mlflow_tracking_uri=uri, seed=7, offline_pace=200, max_attempts=4, **SLOW)
    session = await Session.create(plan, config)
    await part_of_a_run(session, 60)
    before = await own_records(session)
    await session.tracking.settle(60)
    ids = dict(session._files.meta["mlflow"])
    assert 60 <= len(before) < 100
    await lost(session)

    # Elsewhere, where nothing is set but the address.
    config = make_config(mlflow_tracking_uri=uri)
    found = await rebuilt("support", config)
    async with found.session as session:
        assert found.notes == ("set there, and left for you to say: max_attempts",)
        assert session.plan == plan and session.seed == 7 and session.config.offline_pace == 200
        after = [case async for case in session.cases.all()]
        assert [case.record() for case in after] == before
        kept = session._files.meta["mlflow"]
        assert {**kept, "writer": ids["writer"]} == ids and kept["writer"] != ids["writer"]
        assert (await session.tracking.state()).waiting == 0  # type: ignore[union-attr]
    async with await Session.open(session.id, DatasetBuilderConfig(checkpoint_dir=config.checkpoint_dir)) as session:
        events: list[Event] = []
        session.subscribe(events.append)
        await session.resume()
        assert sum(isinstance(event, CaseAccepted) for event in events) == 100 - len(before)
        state = await session.tracking.settle(60)
        assert state is not None and state.finished and state.synced == 100
        held = await assert_same(uri, session)
        assert plain(await own_records(session)) == wanted
    assert len(held["datasets"]) == len(held["runs"]) == 1 and len(held["datasets"][0]["records"]) == 100


async def test_what_a_person_deleted_is_written_again_and_what_they_added_stays(
    uri: str, tmp_path: Path, make_config: Config, make_plan: Plan
) -> None:
    wanted = await undisturbed(make_plan(40), make_config(checkpoint_dir=tmp_path / "whole"))
    config = make_config(mlflow_tracking_uri=uri)
    session = await Session.create(make_plan(40), config)
    await session.run()
    await session.tracking.settle(60)
    (dataset,) = session._files.meta["mlflow"]["datasets"].values()
    await lost(session)
    client = mlflow_client(uri)
    store = client._tracking_client.store
    records, _ = store._load_dataset_records(dataset, max_results=100)
    store.delete_dataset_records(dataset, [r.dataset_record_id for r in records[5:15]])
    store.upsert_dataset_records(dataset, [{"inputs": {"query": "One of ours?"}, "tags": {"by": "a person"}}])

    found = await rebuilt(dataset, config)  # by its id
    async with found.session as session:
        assert found.notes == ("1 record of somebody else left where they are",)
        assert (await session.summary()).instances_created == 30
        await session.run()
        state = await session.tracking.settle(60)
        assert state is not None and state.finished
        assert plain(await own_records(session)) == wanted
        held = await assert_same(uri, session)
    assert len(held["datasets"][0]["records"]) == 41


async def test_revisions_retired_slots_edits_verdicts_and_withdrawn_texts_come_back(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    config = make_config(mlflow_tracking_uri=uri, offline_pace=200, **SLOW)
    session = await Session.create(make_plan(120, 10), config)
    await part_of_a_run(session, 4)
    await session.plans.revise(make_plan(80, 14))
    await session.run()
    cases = [case async for case in session.cases.all()]
    await session.cases.edit("category_1", cases[0].ordinal, {"query": "Something else entirely?"}, {"polite": False})
    await session.cases.annotate("category_1", cases[1].ordinal, note="look", pinned=None)
    await session.cases.withdraw("category_2", cases[-1].ordinal, "no")
    withdrawn = cases[-1].inputs
    await session.tracking.sync(60)
    before, places = await own_records(session), await session._files.store.plans.places()
    rows = await session._files.store.slots.ledger_rows()
    await lost(session)

    async with (await rebuilt("support", config)).session as session:
        assert await own_records(session) == before
        assert session.plan == make_plan(80, 14) and await session._files.store.plans.places() == places
        assert await session._files.store.plans.newest(first=True) == make_plan(120, 10)
        again = await session._files.store.slots.ledger_rows()
        assert again.retired == rows.retired and again.exhausted == rows.exhausted
        assert {str(one.inputs) for one in again.gone} == {str(one.inputs) for one in rows.gone}
        await session.run()
        assert (await session.summary()).instances_created == 94
        assert withdrawn not in [case.inputs async for case in session.cases.all()]
        await session.tracking.settle(60)
        await assert_same(uri, session)


async def test_scenarios_conversations_and_pairs_belong_to_one_session(uri: str, make_config: Config) -> None:
    plan = DatasetPlanInput(
        dataset_name="mixed",
        categories=[
            DatasetCategory(
                name="asked",
                count=12,
                example_inputs="Where is my order #12345?",
                contrast="50 %",
                write=["guidelines"],
            ),
            DatasetCategory(name="talked", count=6, kind="conversation", example_inputs="Where is my order #12345?"),
            DatasetCategory(name="played", count=5, kind="scenario", example_inputs="Return a broken lamp"),
        ],
    )
    config = make_config(mlflow_tracking_uri=uri)
    session = await Session.create(plan, config)
    await session.run()
    await session.tracking.settle(60)
    before = await own_records(session)
    assert any("pair" in record["tags"] for record in before)
    await lost(session)
    found = await rebuilt("mixed_scenarios", config)  # either of its datasets names it
    async with found.session as session:
        assert found.notes == () and await own_records(session) == before
        assert len(session._files.meta["mlflow"]["datasets"]) == 2


async def test_two_writers_of_a_dataset_are_never_silent(
    uri: str, tmp_path: Path, make_config: Config, make_plan: Plan
) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    async with await Session.create(make_plan(12), config) as session:
        await session.run()
        await session.tracking.settle(60)
    with pytest.raises(InputError, match="writes the dataset support already.*--as-copy"):
        await rebuilt("support", config)
    async with await open_saved("mlflow:support", config) as same:
        assert same.id == "support"

    copy = (await rebuilt("support", config, as_copy=True)).session
    async with copy:
        await copy.tracking.sync(60)
        assert copy._files.meta["mlflow"]["session"] != same._files.meta["mlflow"]["session"]
        await assert_same(uri, copy)

    # From a machine that cannot see the first one.
    elsewhere = make_config(mlflow_tracking_uri=uri, checkpoint_dir=tmp_path / "elsewhere")
    name = same._files.meta["mlflow"]["datasets"]["records"]
    with pytest.raises(InputError, match="2 datasets .* are called 'support': d-.*by its id"):
        await rebuilt("support", elsewhere)
    async with (await rebuilt(name, elsewhere)).session as new:
        await new.tracking.sync(60)
    async with await Session.open("support", config) as old:
        await old.cases.withdraw("category_1", 3, "no")
        state = await old.tracking.sync(30)
        assert "written by another session" in state.error and state.waiting == 0
        assert len(await own_records(old)) == 11
        held = await held_in_file(uri, old)
        assert len(held["datasets"][0]["records"]) == 12  # untouched
        await old.tracking.become_copy()
        state = await old.tracking.sync(60)
        assert not state.error
        held = await assert_same(uri, old)
        assert len(held["datasets"][0]["records"]) == 11


async def test_a_run_that_says_less_than_it_should(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    session = await Session.create(make_plan(20), config)
    await session.run()
    await session.plans.revise(make_plan(20))
    before = await own_records(session)
    await session.tracking.settle(60)
    await lost(session)
    artifacts = Path(database_file(uri)).parent / "artifacts"
    for file in artifacts.rglob("session.json"):
        file.unlink()
    found = await rebuilt("support", config)
    async with found.session as session:
        assert len(found.notes) == 1 and "does not say" in found.notes[0]
        assert await own_records(session) == before
    await forgotten(session)
    for file in artifacts.rglob("revision-*.json"):
        file.write_text("{}")
    with pytest.raises(InputError, match="plan of the dataset support cannot be read.*--format rows"):
        await rebuilt("support", config)
    with sqlite3.connect(database_file(uri)) as connection:
        connection.execute("DELETE FROM tags")
    with pytest.raises(InputError, match="run of the dataset support is not in MLflow"):
        await rebuilt("support", config)
    assert list(config.checkpoint_root.iterdir()) == []  # nothing is left behind


OTHERS = [
    {"inputs": {"question": f"How do I return item {n}?"}, "expectations": {"expected_response": f"In {n} days."}}
    for n in range(7)
]


def dataset_of_others(uri: str, name: str, records: list[dict[str, Any]]) -> str:
    client = mlflow_client(uri)
    dataset = client.create_dataset(name, experiment_id=["0"])
    client._tracking_client.store.upsert_dataset_records(dataset.dataset_id, records)
    return str(dataset.dataset_id)


async def test_a_dataset_of_somebody_else_comes_in_as_rows(uri: str, make_config: Config) -> None:
    config = make_config(mlflow_tracking_uri=uri, incremental_mlflow_logging=False)
    dataset_of_others(uri, "faq/2026", OTHERS)
    dataset = await asyncio.to_thread(find_stored, "faq/2026", config)
    assert not dataset.session and dataset.records == 7
    imported = await asyncio.to_thread(rows_of, dataset)
    questions = {record["inputs"]["question"] for record in OTHERS}
    assert {case.inputs["question"] for case in imported.cases} == questions
    async with await open_saved("mlflow:faq/2026", config) as session:
        assert (await session.summary()).instances_created == 7
        answers = {case.inputs["question"]: case.expectations async for case in session.cases.all()}
        assert answers == {record["inputs"]["question"]: record["expectations"] for record in OTHERS}


async def test_what_there_is_to_know_is_said_wherever_a_dataset_is_opened(
    uri: str, make_config: Config, make_plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    session = await Session.create(make_plan(12), config)
    await session.run()
    await lost(session)
    async with DatasetBuilderAgent(config=config) as agent:
        state = await agent.load_from_checkpoint("mlflow:support")
        assert state.instances_created == 12
        assert agent.notes and agent.notes[-1].startswith(
            "what is written from now on goes into the dataset support (d-"
        )
        await agent.load_from_checkpoint("mlflow:support")
        assert agent.notes == (), "it is the session that writes it"
        await agent.session.tracking.settle(60)
    await forgotten(session)
    place = ["--checkpoint-dir", str(config.checkpoint_dir), "--mlflow-tracking-uri", uri, "--plain"]
    assert await asyncio.to_thread(main, ["resume", "mlflow:support", *place]) == 0
    assert "Note: what is written from now on goes into the dataset support (d-" in capsys.readouterr().out


async def test_what_is_not_there_is_named(uri: str, make_config: Config) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    with pytest.raises(InputError, match="no dataset 'x' .*none at all"):
        find_stored("x", config)
    dataset_of_others(uri, "refunds", OTHERS)
    dataset_of_others(uri, "empty", [])
    with pytest.raises(InputError, match="no dataset 'refund' .*It has refunds"):
        find_stored("refund", config)
    for name in ("d-0123", 'it\'s "odd"', "'"):
        with pytest.raises(InputError, match="There is no dataset"):
            find_stored(name, config)
    with pytest.raises(InputError, match="holds no records"):
        rows_of(find_stored("empty", config))


async def test_an_address_that_a_folder_names_is_asked_about_before_it_is_read(uri: str) -> None:
    Path("dsbuilder.toml").write_text(f'mlflow_tracking_uri = "{uri}"\nincremental_mlflow_logging = false\n')
    from dsbuilder_tui.settings.stack import load_config

    with pytest.raises(ConfigError, match="dsbuilder config trust"):
        find_stored("x", load_config())
    allow(foreign_tracking(load_config(), reading=True))
    with pytest.raises(InputError, match="no dataset"):
        find_stored("x", load_config())
