"""One session's experiment, run and datasets in MLflow, as the process that imports MLflow has them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.branch import HeadLine
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.traced_call import TracedCall
from dsbuilder_tui.settings.tracking_uri import artifact_folder, is_server
from dsbuilder_tui.tracking.call_spans import CallSpans
from dsbuilder_tui.tracking.case_record import SESSION_TAG, DatasetRole
from dsbuilder_tui.tracking.described_target import logged_model
from dsbuilder_tui.tracking.evaluation_records import EvaluationRecords, as_run_input, input_key
from dsbuilder_tui.tracking.logged_session import FILE as LOGGED_SESSION
from dsbuilder_tui.tracking.mlflow_client import mlflow_client
from dsbuilder_tui.tracking.reconciliation import DatasetDifference, Reconciliation
from dsbuilder_tui.tracking.tracked_run import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEPT_IDS = "mlflow"  # of a session's `meta`: the names of its things in MLflow
ROLE_TAG, _STATE_TAG = "dsbuilder_kind", "dsbuilder_state"
WRITER_TAG = "dsbuilder_writer"  # of runs: which session file writes, among those that are rebuilt from one another
_TARGET_TAG, _MODEL_TAG = (
    "dsbuilder_target",
    "dsbuilder_model",
)  # of runs and datasets: the application that they are for
_MOST_PARAMS = 100  # in one call
_LONGEST_PARAM = 500


@dataclass(slots=True)
class TrackedIds:
    """What MLflow calls the things of a session. ``session`` is our own name of it there, for all time; ``writer`` that of
    this file of it: one that was rebuilt from MLflow has another.
    """

    session: str
    uri: str
    experiment: str
    experiment_id: str = ""
    run_id: str = ""
    datasets: dict[str, str] = field(default_factory=dict)  # by role
    writer: str = field(default_factory=lambda: uuid.uuid4().hex)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def take(self, other: TrackedIds) -> None:
        """Become what another says."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))


class WrittenElsewhere(DsbuilderError):
    """The dataset is written by a session that was rebuilt from it."""

    def __init__(self, dataset: str) -> None:
        super().__init__(
            f"the dataset {dataset} is written by another session, which was rebuilt from it",
            "`dsbuilder mlflow sync SESSION --as-copy` logs this one to a dataset of its own.",
        )


class MlflowTarget:
    """Writes what a session has. Everything raises what MLflow raises, and can be done again without harm."""

    def __init__(self, uri: str, ids: TrackedIds) -> None:
        """``uri`` may have a login, which ``ids`` must not."""
        self._uri, self.ids = uri, ids
        self._client: MlflowClient | None = None
        self._begin_run()
        self._comparison: Reconciliation | None = None

    def _begin_run(self) -> None:
        """What the run says already is nothing."""
        self._logged_revisions: set[int] = set()
        self._logged_session = ""
        self._linked: tuple[str, tuple[str, ...]] | None = None

    def connect(self, run: TrackedRun) -> bool:
        """Find, or make, the experiment and the run. Returns whether a dataset that was known is gone."""
        client = self._connected()
        self.ids.experiment_id = self._experiment(client)
        self._find_run(client, run)
        gone = [role for role, dataset in self.ids.datasets.items() if not self._is_there(client, dataset)]
        for role in gone:
            del self.ids.datasets[role]
        return bool(gone)

    def send(
        self,
        role: DatasetRole,
        name: str,
        deletes: Sequence[Mapping[str, Any]],
        records: Sequence[Mapping[str, Any]],
    ) -> None:
        """Delete the records with these inputs, then write these. ``name`` is for a dataset that is not there yet."""
        store, dataset = self._records(), self.dataset(role, name)
        if deletes:
            store.delete(dataset, store.ids_of(dataset, {input_key(inputs) for inputs in deletes}))
        store.upsert(dataset, records)

    def dataset(self, role: DatasetRole, name: str) -> str:
        """The id of a dataset: the one that is known, else one with our tags, else a new one."""
        if known := self.ids.datasets.get(role):
            return known
        client = self._connected()
        wanted = f"tags.{SESSION_TAG} = '{self.ids.session}' AND tags.{ROLE_TAG} = '{role.value}'"
        found = client.search_datasets(filter_string=wanted, order_by=["created_time ASC"], max_results=1)
        dataset = found[0] if found else client.create_dataset(
            name,
            experiment_id=[self.ids.experiment_id],
            tags={SESSION_TAG: self.ids.session, ROLE_TAG: role.value, _STATE_TAG: "growing"},
        )  # fmt: skip
        self.ids.datasets[role.value] = dataset.dataset_id
        return str(dataset.dataset_id)

    def log_calls(self, calls: Sequence[TracedCall], forms: tuple[str, ...]) -> None:
        """Write calls as traces, without the secrets of these forms."""
        CallSpans(self._connected(), self.ids.experiment_id, self.ids.session, forms).write(calls)

    def begin_comparison(self, line: HeadLine) -> None:
        """Have the session's cases compared with what is there; ``line`` tells on which branch each came."""
        self._comparison = Reconciliation(self.ids.session, line)

    def compare_cases(self, cases: Sequence[AcceptedCase]) -> None:
        """Some more of the session's cases, oldest first."""
        self._compared().add(cases)

    def compare(self, role: DatasetRole) -> DatasetDifference:
        """How a dataset differs from the cases that were told; what is too much of it is deleted."""
        store, dataset = self._records(), self.ids.datasets[role.value]
        differs = self._compared().compare(store, dataset, role)
        store.delete(dataset, differs.delete)
        return differs

    def end_comparison(self) -> tuple[int, int]:
        """How many cases were told, and how many records these are."""
        compared, self._comparison = self._compared(), None
        return compared.cases, compared.records

    def _compared(self) -> Reconciliation:
        if self._comparison is None:  # this process was begun in the midst of it
            raise ConnectionResetError("the comparing was cut off")
        return self._comparison

    def log(self, run: TrackedRun) -> None:
        """Write the figures as of now, and what is new of plan and session."""
        from mlflow.entities import Metric

        client, now = self._connected(), int(time.time() * 1000)
        self._require_own(client.get_run(self.ids.run_id).data.tags, run)
        metrics = [Metric(name, float(value), now, run.accepted) for name, value in run.metrics.items()]
        client.log_batch(self.ids.run_id, metrics=metrics)
        for number in sorted(run.plans.keys() - self._logged_revisions):
            client.log_text(self.ids.run_id, json.dumps(run.plans[number], indent=2), f"plan/revision-{number}.json")
            self._logged_revisions.add(number)
        self._link_target(client, run)
        kept = run.kept.model_dump_json() if run.kept is not None else ""
        if kept and kept != self._logged_session:
            client.log_text(self.ids.run_id, kept, LOGGED_SESSION)
            self._logged_session = kept

    def _link_target(self, client: MlflowClient, run: TrackedRun) -> None:
        """Have run and datasets found by the version of the application that they are for; one that MLflow does not know is
        logged there first."""
        from mlflow.entities import LoggedModelInput

        places = (self.ids.run_id, *self.ids.datasets.values())
        version = run.target or (run.described.digest if run.described is not None else "")
        if not version or (version, places) == self._linked:
            return
        target, model_id = run.target, run.model_id
        if not target and run.described is not None:
            model_id = logged_model(client, self.ids.experiment_id, run.described)
            target = f"models:/{model_id}"
        tags = {_TARGET_TAG: target, **({_MODEL_TAG: model_id} if model_id else {})}
        for name, value in tags.items():
            client.set_tag(self.ids.run_id, name, value)
        for dataset in self.ids.datasets.values():
            client.set_dataset_tags(dataset, tags)
        if model_id:
            client.log_inputs(self.ids.run_id, models=[LoggedModelInput(model_id)])
        self._linked = (version, places)

    def finish(self, run: TrackedRun) -> None:
        """All records are there: say so, with the datasets as inputs of the run and the report as its artifact."""
        client = self._connected()
        self.log(run)
        for dataset in self.ids.datasets.values():
            client.set_dataset_tags(dataset, {_STATE_TAG: "complete"})
            client.log_inputs(self.ids.run_id, [as_run_input(client.get_dataset(dataset))])
        if run.report is not None:
            client.log_text(self.ids.run_id, json.dumps(run.report, indent=2, default=str), "report.json")
        client.set_terminated(self.ids.run_id, "FINISHED")

    def reopen(self) -> None:
        """What was complete grows again."""
        client = self._connected()
        for dataset in self.ids.datasets.values():
            client.set_dataset_tags(dataset, {_STATE_TAG: "growing"})
        client.update_run(self.ids.run_id, status="RUNNING")

    def _connected(self) -> MlflowClient:
        if self._client is None:
            self._client = mlflow_client(self._uri)
        return self._client

    def _records(self) -> EvaluationRecords:
        return EvaluationRecords(self._connected())

    def _experiment(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(self.ids.experiment)
        if found is not None and found.lifecycle_stage == "active":
            return str(found.experiment_id)
        if found is not None:
            client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        folder = artifact_folder(self._uri)
        location = folder.as_uri() if folder is not None and not is_server(self._uri) else None
        return str(client.create_experiment(self.ids.experiment, artifact_location=location))

    def _find_run(self, client: MlflowClient, run: TrackedRun) -> None:
        wanted = f"tags.{SESSION_TAG} = '{self.ids.session}'"
        found = client.search_runs(
            [self.ids.experiment_id], wanted, max_results=1, order_by=["attributes.start_time ASC"]
        )
        if found:
            self._require_own(found[0].data.tags, run)
            self.ids.run_id = found[0].info.run_id
            if WRITER_TAG not in found[0].data.tags:
                client.set_tag(self.ids.run_id, WRITER_TAG, self.ids.writer)
            self._log_params(client, run, set(found[0].data.params))
            return
        tags = {SESSION_TAG: self.ids.session, WRITER_TAG: self.ids.writer}
        made = client.create_run(self.ids.experiment_id, run_name=run.name, tags=tags)
        self.ids.run_id = made.info.run_id
        self._begin_run()  # nothing stands in a new one
        self._log_params(client, run, set())

    def _require_own(self, tags: Mapping[str, str], run: TrackedRun) -> None:
        if tags.get(WRITER_TAG, self.ids.writer) != self.ids.writer:
            raise WrittenElsewhere(run.dataset_name)

    def _log_params(self, client: MlflowClient, run: TrackedRun, there: set[str]) -> None:
        """A parameter is written once and for all: what a later run does otherwise stands in its report."""
        from mlflow.entities import Param

        params = [Param(name, value[:_LONGEST_PARAM]) for name, value in run.params.items() if name not in there]
        for start in range(0, len(params), _MOST_PARAMS):
            client.log_batch(self.ids.run_id, params=params[start : start + _MOST_PARAMS])

    @staticmethod
    def _is_there(client: MlflowClient, dataset: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            client.get_dataset(dataset)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        return True
