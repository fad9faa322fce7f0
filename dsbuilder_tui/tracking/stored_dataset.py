"""A dataset in MLflow, read to be gone on with: as the session that wrote it, or as rows of somebody else.

Everything here waits for MLflow; from an event loop call it in a thread.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.store.rebuilt import PlanRevision
from dsbuilder_tui.tracking.case_record import SESSION_TAG, DatasetRole
from dsbuilder_tui.tracking.dataset_lookup import find_dataset, record_count
from dsbuilder_tui.tracking.evaluation_records import EvaluationRecord, EvaluationRecords
from dsbuilder_tui.tracking.logged_session import FILE, LoggedSession
from dsbuilder_tui.tracking.mlflow_client import mlflow_client, told_in_words
from dsbuilder_tui.tracking.mlflow_target import ROLE_TAG, WRITER_TAG, TrackedIds

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.evaluation_dataset import EvaluationDataset

_PLANS = "plan"
_REVISION = re.compile(r"plan/revision-([0-9]{1,9})\.json")
_SEED = "session_seed"  # among the parameters of a run
_LONGEST = 300  # of what is wrong with a plan
_AS_ROWS = "`dsbuilder import mlflow:… --format rows` takes its records in as rows."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as MLflow holds it. ``records`` is how many there are of all its datasets, as MLflow counts them."""

    ids: TrackedIds
    revisions: tuple[PlanRevision, ...]
    kept: LoggedSession | None
    seed: int
    records: int

    @property
    def plan(self) -> DatasetPlanInput:
        return self.revisions[-1].plan


class StoredDataset:
    """One dataset, found by name or id."""

    def __init__(self, uri: str, wanted: str) -> None:
        """Raises ``InputError`` where there is none of that name, or several, and ``MlflowUnavailable``."""
        self._uri = uri
        with told_in_words(uri):
            self._client: MlflowClient = mlflow_client(uri)
            self._dataset: EvaluationDataset = find_dataset(self._client, wanted, uri)

    @property
    def id(self) -> str:
        return str(self._dataset.dataset_id)

    @property
    def name(self) -> str:
        return str(self._dataset.name)

    @property
    def session(self) -> str:
        """The name of the session of ours that wrote it; empty for a dataset of somebody else."""
        return str((self._dataset.tags or {}).get(SESSION_TAG, ""))

    @property
    def records(self) -> int:
        """How many records it has, as MLflow counts them."""
        return record_count(self._dataset)

    def stored_session(self) -> StoredSession:
        """The session that wrote it. Raises ``InputError`` where its run, or the plan in that, is gone."""
        with told_in_words(self._uri):
            run = self._run()
            if run is None:
                raise InputError(f"The run of the dataset {self.name} is not in MLflow any more.", _AS_ROWS)
            kept, seed = self._kept(run), run.data.params.get(_SEED, "0")
            found = self._client.search_datasets(filter_string=f"tags.{SESSION_TAG} = '{self.session}'")
            experiment = self._client.get_experiment(run.info.experiment_id)
            roles = {role.value for role in DatasetRole}
            datasets = {role: one.dataset_id for one in reversed(found) if (role := one.tags.get(ROLE_TAG)) in roles}
            return StoredSession(
                ids=TrackedIds(
                    session=self.session, uri="", experiment=experiment.name,
                    experiment_id=run.info.experiment_id, run_id=run.info.run_id, datasets=datasets,
                ),
                revisions=self._revisions(run, kept),
                kept=kept,
                seed=kept.seed if kept is not None else int(seed) if seed.isdigit() else 0,
                records=sum(record_count(one) for one in found),
            )  # fmt: skip

    def pages(self, stored: StoredSession | None = None) -> Iterator[list[EvaluationRecord]]:
        """The records of a session's datasets, or of this one alone, some at a time."""
        records = EvaluationRecords(self._client)
        with told_in_words(self._uri):
            for dataset in stored.ids.datasets.values() if stored is not None else (self.id,):
                yield from records.pages(dataset)

    def claim(self, ids: TrackedIds) -> None:
        """Have everybody know who writes it from now on."""
        with told_in_words(self._uri):
            self._client.set_tag(ids.run_id, WRITER_TAG, ids.writer)

    def write_rows(self, path: Path) -> None:
        """Write the records as JSON lines."""
        with path.open("w", encoding="utf-8") as file:
            for page in self.pages():
                file.writelines(json.dumps(_as_row(record)) + "\n" for record in page)

    def _run(self) -> Run | None:
        experiments = [one.experiment_id for one in self._client.search_experiments()]
        wanted = f"tags.{SESSION_TAG} = '{self.session}'"
        found = self._client.search_runs(experiments, wanted, max_results=1, order_by=["attributes.start_time ASC"])
        return found[0] if found else None

    def _kept(self, run: Run) -> LoggedSession | None:
        if not any(one.path == FILE for one in self._client.list_artifacts(run.info.run_id)):
            return None
        return LoggedSession.parse(self._text(run, FILE))

    def _revisions(self, run: Run, kept: LoggedSession | None) -> tuple[PlanRevision, ...]:
        places = kept.revisions if kept is not None else {}
        names = [one.path for one in self._client.list_artifacts(run.info.run_id, _PLANS)]
        numbers = sorted(int(match[1]) for name in names if (match := _REVISION.fullmatch(name)))
        found: list[PlanRevision] = []
        for number in numbers:
            where = f"{_PLANS}/revision-{number}.json"
            try:
                plan = parse_plan(json.loads(self._text(run, where)), where)
            except (ValueError, PlanError) as error:
                if number == numbers[-1]:
                    raise InputError(
                        f"The plan of the dataset {self.name} cannot be read: {one_line(str(error), _LONGEST)}",
                        _AS_ROWS,
                    ) from None
                continue  # an older one that is damaged is history
            seq = max(places.get(number, 0), found[-1].seq + 1 if found else 1)
            found.append(PlanRevision(number=number, seq=seq, plan=plan))
        if not found:
            raise InputError(f"The plan of the dataset {self.name} is not in MLflow any more.", _AS_ROWS)
        return tuple(found)

    def _text(self, run: Run, name: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = self._client.download_artifacts(run.info.run_id, name, folder)
            return Path(path).read_text(encoding="utf-8")


def _as_row(record: EvaluationRecord) -> dict[str, Any]:
    row = {
        "inputs": record.inputs, "expectations": record.expectations, "outputs": record.outputs, "tags": record.tags,
        "id": record.id,
    }  # fmt: skip
    return {key: value for key, value in row.items() if value or key == "inputs"}
