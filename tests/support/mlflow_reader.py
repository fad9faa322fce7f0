"""What MLflow holds of sessions, read by its own public calls in a process of its own: ``python mlflow_reader.py URI SESSION``.

Prints JSON: the datasets with our tag, each with its records; the runs, with parameters, figures, artifacts and inputs.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def held(uri: str, session: str) -> dict[str, Any]:
    import mlflow
    from mlflow import MlflowClient
    from mlflow.genai.datasets import get_dataset, search_datasets

    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    datasets = []
    for found in search_datasets(filter_string=f"tags.dsbuilder_session = '{session}'"):
        dataset = get_dataset(dataset_id=found.dataset_id)
        frame = dataset.to_df()
        columns = [c for c in ("inputs", "expectations", "tags") if c in frame]
        records = frame[columns].to_dict("records")
        datasets.append({"id": dataset.dataset_id, "name": dataset.name, "tags": dataset.tags, "records": records})
    runs = []
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id], f"tags.dsbuilder_session = '{session}'"):
            runs.append(
                {
                    "experiment": experiment.name, "params": run.data.params, "metrics": run.data.metrics,
                    "status": run.info.status, "inputs": [i.dataset.name for i in run.inputs.dataset_inputs],
                    "artifacts": sorted(
                        [a.path for a in client.list_artifacts(run.info.run_id)]
                        + [a.path for a in client.list_artifacts(run.info.run_id, "plan")]
                    ),
                }
            )  # fmt: skip
    return {"datasets": datasets, "runs": runs}


if __name__ == "__main__":
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    print(json.dumps(held(*sys.argv[1:]), default=str))
