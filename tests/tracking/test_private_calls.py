"""MLflow's private calls that ``evaluation_records`` makes are as it believes: this fails when MLflow has changed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.tracking.evaluation_records import EvaluationRecords, as_run_input, input_key

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(uri: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def test_records_are_written_merged_read_in_pages_and_deleted(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsbuilder_tui.tracking.evaluation_records._PAGE", 2)
    dataset = client.create_dataset("d", experiment_id=["0"], tags={"dsbuilder_session": "one"})
    assert client.search_datasets(filter_string="tags.dsbuilder_session = 'one'")[0].dataset_id == dataset.dataset_id
    records = EvaluationRecords(client)
    wanted = [
        {"inputs": {"b": {"y": 1, "x": [n]}, "a": "é"}, "expectations": {"n": n}, "tags": {"t": {"n": n}}}
        for n in range(5)
    ]
    records.upsert(dataset.dataset_id, wanted)
    records.upsert(dataset.dataset_id, [{"inputs": {"a": "é", "b": {"x": [0], "y": 1}}, "tags": {"more": 1}}])
    pages = list(records.pages(dataset.dataset_id))
    found = {record.key: record for page in pages for record in page}
    assert [len(page) for page in pages] == [2, 2, 1] and set(found) == {input_key(r["inputs"]) for r in wanted}
    first = found[input_key(wanted[0]["inputs"])]
    assert first.tags == {"t": {"n": 0}, "more": 1} and first.expectations == {"n": 0}
    gone = {input_key(r["inputs"]) for r in wanted[1:3]}
    records.delete(dataset.dataset_id, records.ids_of(dataset.dataset_id, gone))
    assert {record.key for page in records.pages(dataset.dataset_id) for record in page} == set(found) - gone


def test_a_dataset_is_the_input_of_a_run_without_the_global_address(client: Any) -> None:
    dataset = client.create_dataset("d", experiment_id=["0"], tags={})
    run = client.create_run("0")
    client.log_inputs(run.info.run_id, [as_run_input(client.get_dataset(dataset.dataset_id))])
    (logged,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert logged.dataset.name == "d" and dataset.dataset_id in logged.dataset.source
    assert list(Path.cwd().iterdir()) == []  # a global address would have made a database here
