"""An application evaluated by MLflow itself, in a process of its own: ``python -m tests.support.mlflow_evaluation``.

Each line that it is given is a list in JSON: the URI, the session's name in MLflow, and options: ``fails`` and ``raises`` are texts of inputs that it answers wrongly
or raises for, or name categories; ``experiment``; ``rows``: the records are given without their dataset and tags;
``played``: the records are scenarios, which a simulated user plays by saying their goals;
``takes``: its parameters are ``anything`` or have ``defaults``;
``judge``: a judge model on loopback, which says no to what fails. The line of its
answer says the id of the run, or the error. It lives on until its input ends: importing MLflow takes seconds.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from tests.support.stub_judge import StubJudge

WRONG = "a wrong answer"


def said_to(request: dict[str, Any]) -> dict[str, Any]:
    """No to a prompt with a wrong answer in it."""
    return {"result": "no" if WRONG in json.dumps(request) else "yes", "rationale": "the judge read it"}


def evaluated(uri: str, name: str, options: dict[str, Any]) -> str:
    import mlflow
    from mlflow.entities import Feedback
    from mlflow.genai.scorers import scorer

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(options.get("experiment", "evaluations"))
    found = mlflow.MlflowClient().search_datasets(filter_string=f"tags.dsbuilder_session = '{name}'")
    data = mlflow.genai.datasets.get_dataset(dataset_id=found[0].dataset_id)
    frame = data.to_df()
    of_category: dict[str, list[str]] = {}
    for inputs, tags in zip(frame["inputs"], frame["tags"], strict=True):
        of_category.setdefault(tags["category"], []).append(inputs["goal" if options.get("played") else "query"])

    def texts(key: str) -> set[str]:
        return {text for one in options.get(key, ()) for text in of_category.get(one, [one])}

    failing, raising = texts("fails"), texts("raises")

    def answer(query: str) -> str:
        if query in raising:
            raise RuntimeError("the application is broken")
        return WRONG if query in failing else "a right answer"

    def application(query: str) -> str:
        return answer(query)

    def of_anything(**asked: str) -> str:
        return answer(**asked)

    def with_defaults(query: str, results: int = 3, hints: tuple[str, ...] = ()) -> str:
        return answer(query)

    @scorer
    def right(outputs: str) -> Feedback:
        bad = outputs == WRONG
        return Feedback(value="no" if bad else "yes", rationale="it is wrong" if bad else "")

    @scorer
    def polite(outputs: str) -> bool:
        return True

    @scorer
    def closeness(outputs: str) -> float:
        return 0.2 if outputs == WRONG else 0.9

    @scorer
    def broken(outputs: str) -> bool:
        raise ValueError("the scorer is broken")

    scorers: list[Any] = [right, polite, closeness, broken]
    if options.get("judge"):
        from mlflow.genai.scorers import Guidelines

        scorers = [Guidelines(name="kind", guidelines="Answer kindly.", model="openai:/stub")]
    elif options.get("numbers"):
        scorers = [closeness]
    if options.get("rows"):
        data = [{"inputs": inputs} for inputs in frame["inputs"]]
    applications = {"plain": application, "anything": of_anything, "defaults": with_defaults}
    predict: Any = mlflow.trace(applications[options.get("takes", "plain")])
    # It is tried on one record before, and a first one for which it raises would end the evaluation.
    os.environ["MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION"] = str(bool(raising))
    if options.get("played"):
        from mlflow.genai.simulators import BaseSimulatedUserAgent, ConversationSimulator

        class User(BaseSimulatedUserAgent):
            def generate_message(self, context: Any) -> str:
                return str(context.goal)

        def conversation(input: list[dict[str, Any]], mlflow_session_id: str) -> str:
            return application(input[0]["content"])

        data = ConversationSimulator(test_cases=data, max_turns=2, user_model="openai:/stub", user_agent_class=User)
        predict = conversation
    result = mlflow.genai.evaluate(data=data, predict_fn=predict, scorers=scorers)
    return str(result.run_id)


if __name__ == "__main__":
    StubJudge(said_to).listen()
    sys.stdout = sys.stderr  # MLflow talks
    for line in sys.stdin:
        try:
            answer = {"run": evaluated(*json.loads(line))}
        except Exception:  # told to the test that asked
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=sys.__stdout__, flush=True)
