"""A dataset through MLflow's own scorers: what they need is there, and none of them fails.

A process of its own, since MLflow takes seconds and hundreds of megabytes: ``python -m tests.support.mlflow_pass FILE FOLDER``. The judge
is a stub on loopback, which says yes to everything. Prints what was found as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.support.stub_judge import StubJudge


def said_to(request: dict[str, Any]) -> dict[str, Any]:
    """Yes to everything, in the shape that is asked for."""
    schema = json.dumps(request.get("response_format") or {})
    return {"result": "yes", "rationale": "it fits"} if "rationale" in schema else {"tools": []}


def scored(rows: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """How many rows each scorer gave a value, and the errors."""
    import mlflow
    from mlflow.entities import SpanType
    from mlflow.genai.scorers import Correctness, ExpectationsGuidelines, ToolCallCorrectness

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("scorers")

    def application(**inputs: Any) -> str:
        with mlflow.start_span("lookup_order", span_type=SpanType.TOOL) as span:
            span.set_inputs({"order_id": "1"})
        return "I will look into it."

    judges = [Correctness(model="openai:/stub"), ExpectationsGuidelines(model="openai:/stub")]
    in_order = ToolCallCorrectness(should_exact_match=True, should_consider_ordering=True)
    values: dict[str, int] = {}
    errors: list[str] = []
    with_calls = 0
    for fields in sorted({tuple(row["inputs"]) for row in rows}):  # those of one message, and those of a conversation
        alike = [row for row in rows if tuple(row["inputs"]) == fields]
        calling = [row for row in alike if "expected_tool_calls" in row["expectations"]]
        with_calls += len(calling)
        scope: dict[str, Any] = {"application": application, "mlflow": mlflow}
        # `predict_fn` is called with the keys of the inputs as its parameters.
        exec(f"@mlflow.trace\ndef called({', '.join(fields)}):\n    return application()", scope)
        for some, scorers in ((alike, judges), (calling, [in_order])):
            if not some:
                continue
            data = [{"inputs": row["inputs"], "expectations": row["expectations"]} for row in some]
            result = mlflow.genai.evaluate(data=data, predict_fn=scope["called"], scorers=scorers)
            for assessments in result.tables["eval_results"]["assessments"]:
                for one in assessments:
                    if not one.get("feedback"):
                        continue
                    values[one["assessment_name"]] = values.get(one["assessment_name"], 0) + 1
                    if one["feedback"].get("error"):
                        errors.append(str(one["feedback"]["error"])[:300])
    return {"rows": len(rows), "with_calls": with_calls, "values": values, "errors": errors}


def main(file: str, folder: str) -> None:
    judge = StubJudge(said_to)
    judge.listen()
    os.environ["MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION"] = "true"
    rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
    print(json.dumps({**scored(rows, Path(folder)), "asked": judge.asked}))


if __name__ == "__main__":
    main(*sys.argv[1:])
