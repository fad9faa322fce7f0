"""Dataset files into MLflow's own evaluation datasets, in a process of their own: ``python mlflow_datasets.py FOLDER FILE …``.

Prints as JSON what became of each file, and of all of them in one dataset.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def merged(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What MLflow makes of the records in one dataset."""
    from mlflow.exceptions import MlflowException
    from mlflow.genai.datasets import create_dataset

    dataset = create_dataset(name=name)
    try:
        dataset.merge_records([{key: row[key] for key in ("inputs", "expectations", "tags")} for row in rows])
    except MlflowException as error:
        return {"refused": str(error)}
    frame = dataset.to_df()
    simulated = None
    if all("goal" in row["inputs"] for row in rows):
        from mlflow.genai.simulators import ConversationSimulator

        simulated = len(ConversationSimulator(test_cases=dataset, user_model="openai:/stub").test_cases)
    found = sorted(json.dumps(inputs, sort_keys=True) for inputs in frame["inputs"])
    same = found == sorted(json.dumps(row["inputs"], sort_keys=True) for row in rows)
    return {"rows": len(frame), "same": same, "simulated": simulated}


def main() -> None:
    import mlflow

    folder, *files = map(Path, sys.argv[1:])
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("kinds")
    parts = [[json.loads(line) for line in file.open()] for file in files]
    told: dict[str, Any] = {file.name: merged(file.stem, rows) for file, rows in zip(files, parts, strict=True)}
    told["together"] = merged("together", [row for rows in parts for row in rows])
    print(json.dumps(told))


if __name__ == "__main__":
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    main()
