"""The application under test, found in a real MLflow: its prompts, its logged models, and datasets that are linked to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session, load_plan
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.registered_reference import is_registered
from dsbuilder_tui.domain.target import PlanTarget, ToolSchema
from dsbuilder_tui.session.tracking import MODEL_ID, REGISTERED
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tracking.mlflow_client import MlflowUnavailable, mlflow_client
from dsbuilder_tui.tracking.registered_target import read_registered, registered_targets

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]
CHAT = [{"role": "system", "content": "You book seats."}, {"role": "user", "content": "{{question}}"}]


@pytest.fixture
def client(uri: str) -> Any:
    client = mlflow_client(uri)
    client.register_prompt("bot", "You answer questions about orders of {{shop}}.")
    client.register_prompt("bot", "You answer questions about orders and refunds of {{shop}}.")
    client.set_prompt_alias("bot", "live", 1)
    client.register_prompt("seats", CHAT)
    return client


def test_what_names_something_of_mlflow() -> None:
    for text in ("prompts:/bot/2", "prompts:/bot@live", "mlflow:prompts/bot", "mlflow:models/bot/3", "models:/bot"):
        assert is_registered(text), text
    for text in ("prompts/bot.md", "./models", "mlflow:support", "models:/", "prompts:/a/b/c", "C:\\prompts"):
        assert not is_registered(text), text


def test_registered_prompts_are_read_as_the_applications_prompts(client: Any, uri: str) -> None:
    found = read_registered("prompts:/bot/1", uri)
    assert (
        found.reference == "prompts:/bot/1"
        and "refunds" not in found.target.prompt
        and "{{shop}}" in found.target.prompt
    )
    assert read_registered("mlflow:prompts/bot", uri).reference == "prompts:/bot/2"  # the newest
    assert read_registered("prompts:/bot@live", uri).reference == "prompts:/bot/1"
    chat = read_registered("prompts:/seats/1", uri).target
    assert "system: You book seats." in chat.prompt and "{{question}}" in chat.prompt


def test_a_logged_model_is_read_with_its_prompts(client: Any, uri: str) -> None:
    prompt = client.get_prompt_version("bot", "2")
    linked = f'[{{"name": "bot", "version": "{prompt.version}"}}]'
    for temperature in ("0.1", "0.7"):
        model = client.create_logged_model(
            "0",
            "shop-agent",
            params={"temperature": temperature},
            tags={"mlflow.linkedPrompts": linked},
            model_type="agent",
        )
    for reference in ("mlflow:models/shop-agent", f"models:/{model.model_id}"):
        found = read_registered(reference, uri)
        assert found.model_id == model.model_id and found.reference == f"models:/{model.model_id}"
        assert "orders and refunds" in found.target.prompt and "temperature: 0.7" in found.target.readme
    client.create_registered_model("shop")
    client.create_model_version("shop", "file:///nowhere", description="Answers customers.")
    assert read_registered("models:/shop/1", uri).target.readme == "Answers customers."
    listed = dict(registered_targets(uri))
    assert {"prompts:/bot/2", "prompts:/seats/1", "models:/shop/1", "models:/shop-agent"} <= listed.keys()
    assert "agent m-" in listed["models:/shop-agent"]


def test_what_is_not_there_is_said_in_a_sentence(client: Any, uri: str) -> None:
    for reference in (
        "prompts:/bot/7",
        "prompts:/bots",
        "prompts:/bot@dev",
        "models:/shop/1",
        "models:/shop",
        "models:/x@y",
    ):
        with pytest.raises(InputError, match="There is no (prompt|model)"):
            read_registered(reference, uri)
    with pytest.raises(MlflowUnavailable, match="no connection"):
        read_registered("prompts:/bot/1", "http://127.0.0.1:9")


async def test_datasets_are_found_by_the_version_that_they_are_for(
    client: Any, uri: str, make_config: Config, make_plan: Plan
) -> None:
    model = client.create_logged_model("0", "shop-agent", params={"role": "answers customers"})
    found = read_registered("mlflow:models/shop-agent", uri)
    async with await Session.create(make_plan(12), make_config(mlflow_tracking_uri=uri)) as session:
        await session.agent_memory.remember_target({REGISTERED: found.reference, MODEL_ID: found.model_id})
        await session.run()
        await session.tracking.settle(60)
        ids = session._files.meta["mlflow"]
    (dataset,) = client.search_datasets(filter_string=f"tags.dsbuilder_target = 'models:/{model.model_id}'")
    assert dataset.dataset_id == ids["datasets"]["records"] and dataset.tags["dsbuilder_model"] == model.model_id
    run = client.get_run(ids["run_id"])
    assert [one.model_id for one in run.inputs.model_inputs] == [model.model_id]
    assert run.data.tags["dsbuilder_target"] == f"models:/{model.model_id}"


async def test_an_application_that_mlflow_does_not_know_is_logged_once_for_each_version(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    client = mlflow_client(uri)

    async def linked(rules: str, tools: tuple[str, ...], name: str) -> tuple[str, str, list[str]]:
        """The model that a session's dataset is for, the dataset's id, and the models that its run names."""
        target = PlanTarget(rules=rules, tools={tool: ToolSchema() for tool in tools})
        plan = make_plan(12).model_copy(update={"target": target, "dataset_name": name})
        async with await Session.create(plan, make_config(mlflow_tracking_uri=uri)) as session:
            await session.run()
            await session.tracking.settle(60)
            ids = session._files.meta["mlflow"]
        dataset, run = client.get_dataset(ids["datasets"]["records"]), client.get_run(ids["run_id"])
        model = dataset.tags["dsbuilder_model"]
        assert dataset.tags["dsbuilder_target"] == run.data.tags["dsbuilder_target"] == f"models:/{model}"
        return model, dataset.dataset_id, [one.model_id for one in run.inputs.model_inputs]

    first, dataset, of_run = await linked("Answers customers.", ("refund", "lookup"), "one 1.0.a")
    assert of_run == [first]
    again, other, _ = await linked("Answers customers.", ("lookup", "refund"), "two")  # the same in another order
    assert again == first and other != dataset
    found = client.search_datasets(filter_string=f"tags.dsbuilder_target = 'models:/{first}'")
    assert {one.dataset_id for one in found} == {dataset, other}
    prompt, *_ = await linked("Answers customers in French.", ("refund", "lookup"), "two")
    tool, *_ = await linked("Answers customers.", ("refund",), "two")
    assert len({first, prompt, tool}) == 3
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert {one.model_id for one in client.search_logged_models(experiments)} == {first, prompt, tool}
    assert str(client.get_logged_model(first).status) == "READY"
    read = read_registered(f"models:/{first}", uri).target.readme
    assert "Answers customers." in read and "refund(" in read


async def test_a_plan_that_changes_what_it_says_of_the_application_is_for_another_version(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    client, models = mlflow_client(uri), []
    async with await Session.create(make_plan(12), make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        await session.tracking.settle(60)
        ids = session._files.meta["mlflow"]
        assert "dsbuilder_target" not in client.get_run(ids["run_id"]).data.tags  # nothing is said of it
        for rules in ("Answers customers.", "Answers customers, briefly.", "Answers customers."):
            plan = session.plan.model_copy(update={"target": PlanTarget(rules=rules)})
            await session.plans.revise(plan)
            await session.tracking.settle(60)
            models.append(client.get_dataset(ids["datasets"]["records"]).tags["dsbuilder_model"])
    assert models[0] == models[2] != models[1]


def test_a_request_without_a_model_begins_from_a_registered_prompt(
    client: Any, uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    said = "6 cases for the bot in prompts:/bot/2: refunds, orders"
    assert main(["run", "--prompt", said, "--yes", "--checkpoint-dir", "s", "--plain"]) == 0
    told = capsys.readouterr()
    assert "Read prompts:/bot/2: a prompt of" in told.out + told.err
    assert [one.name for one in client.search_datasets(filter_string="tags.dsbuilder_target = 'prompts:/bot/2'")]
    assert main(["mlflow", "targets", "--json"]) == 0
    assert "prompts:/seats/1" in [one["target"] for one in json.loads(capsys.readouterr().out)]
    assert main(["run", "--prompt", said.replace("2", "9"), "--yes", "--checkpoint-dir", "s", "--plain"]) != 0


def test_a_plan_file_names_its_target_in_mlflow(
    client: Any, uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = client.create_logged_model("0", "shop-agent", params={"role": "answers customers"})
    file = tmp_path / "plan.yaml"
    place = ["--provider", "offline", "--plain", "--checkpoint-dir", str(tmp_path / "s"), "--mlflow-tracking-uri", uri]
    text = "dataset_name: {name}\ntarget: {target}\ncategories: [{{name: a, count: 6, example_inputs: Where is it?}}]\n"
    for name, target, known in (
        ("by_prompt", "prompts:/bot/1", "prompts:/bot/1"),
        ("by_model", "mlflow:models/shop-agent", f"models:/{model.model_id}"),
    ):
        file.write_text(text.format(name=name, target=target))
        assert main(["run", str(file), *place, "--mlflow"]) == 0, capsys.readouterr()
        (dataset,) = client.search_datasets(filter_string=f"tags.dsbuilder_target = '{known}'")
        assert dataset.name == name
    config = load_config(mlflow_tracking_uri=uri)
    plan = load_plan(file, config)
    assert "answers customers" in plan.description
    file.write_text(text.format(name="x", target="prompts:/bot@live"))
    assert load_plan(file, config).target.rules == "You answer questions about orders of {{shop}}."
    file.write_text(text.format(name="x", target="prompts:/nobody"))
    with pytest.raises(InputError, match="no prompt nobody"):
        load_plan(file, config)
    with pytest.raises(InputError, match=r"its target prompts:/nobody is read from MLflow"):
        load_plan(file)
    file.write_text(text.format(name="x", target="a bot"))
    with pytest.raises(PlanError, match="target"):
        load_plan(file, config)
