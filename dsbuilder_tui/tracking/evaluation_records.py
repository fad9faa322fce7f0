"""The records of MLflow's evaluation datasets, read and written without changing whichever MLflow the process uses.

The public calls work on a tracking address that is global to the process, and read a dataset as a whole. These are the calls
below them, which are not part of MLflow's promise: this is the only file that makes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput
    from mlflow.entities.evaluation_dataset import EvaluationDataset

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """One record as MLflow keeps it; ``created_at`` in seconds since 1970."""

    id: str
    inputs: Mapping[str, Any]
    outputs: Any
    expectations: Mapping[str, Any]
    tags: Mapping[str, Any]
    created_at: float

    @property
    def key(self) -> str:
        """The inputs, told apart as MLflow does."""
        return input_key(self.inputs)


def input_key(inputs: Mapping[str, Any]) -> str:
    """Inputs as MLflow tells them apart: records of one dataset with equal ones are merged."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


class EvaluationRecords:
    """Reads and writes records by the id of their dataset. Everything raises what MLflow raises."""

    def __init__(self, client: MlflowClient) -> None:
        self._store: Any = client._tracking_client.store

    def upsert(self, dataset: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Write records, all or none; one whose inputs are there is merged into that."""
        if records:
            self._store.upsert_dataset_records(dataset, [dict(record) for record in records])

    def delete(self, dataset: str, ids: Sequence[str]) -> None:
        if ids:
            self._store.delete_dataset_records(dataset, list(ids))

    def pages(self, dataset: str) -> Iterator[list[EvaluationRecord]]:
        """All records, a thousand at a time."""
        token: str | None = None
        while True:
            found, token = self._store._load_dataset_records(dataset, max_results=_PAGE, page_token=token)
            yield [
                EvaluationRecord(
                    id=record.dataset_record_id, inputs=record.inputs, outputs=record.outputs or None,
                    expectations=record.expectations or {}, tags=record.tags or {},
                    created_at=record.created_time / 1000,
                )
                for record in found
            ]  # fmt: skip
            if not token:
                return

    def ids_of(self, dataset: str, keys: set[str]) -> list[str]:
        """The ids of the records with these inputs. Reads the dataset until all are found."""
        left, found = set(keys), []
        for page in self.pages(dataset):
            here = [record for record in page if record.key in left]
            found += [record.id for record in here]
            left -= {record.key for record in here}
            if not left:
                break
        return found


def as_run_input(dataset: EvaluationDataset) -> DatasetInput:
    """A dataset as the input of a run. Its own way of saying so asks the process's global MLflow."""
    from mlflow.entities import Dataset, DatasetInput

    source: Any = dataset.source
    entity = Dataset(
        name=dataset.name, digest=dataset.digest, source_type=source._get_source_type(), source=source.to_json(),
        schema=dataset.schema, profile=dataset.profile,
    )  # fmt: skip
    return DatasetInput(entity, tags=[])
