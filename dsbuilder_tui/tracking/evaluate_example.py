"""A few lines of Python that evaluate an application on a session's dataset, with the scorers that its cases can feed."""

from __future__ import annotations

from keyword import iskeyword

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.tracking.case_record import DatasetRole
from dsbuilder_tui.tracking.mlflow_target import TrackedIds

_SCORERS = "mlflow.genai.scorers"
# The first of them that all cases have the expectations for; each looks at another side of an answer.
_CORRECTNESS = (MlflowKey.FACTS, MlflowKey.RESPONSE)
_ANSWERED = 'mlflow.genai.scorer(name="answered")(lambda outputs: bool(outputs))'


def evaluate_example(plan: DatasetPlanInput, uri: str, ids: TrackedIds) -> list[str]:
    """The lines; none before there is a dataset of single requests and conversations."""
    dataset = ids.datasets.get(DatasetRole.RECORDS)
    categories = [category for category in plan.categories if not category.kind.has_own_dataset]
    if dataset is None or not categories:
        return []
    return [
        "import mlflow",
        f"mlflow.set_tracking_uri({uri!r})",
        f"mlflow.set_experiment({ids.experiment!r})",
        f"data = mlflow.genai.datasets.get_dataset(dataset_id={dataset!r})",
        f'predict = lambda {_parameters(plan, categories)}: "the answer of your application"',
        f"mlflow.genai.evaluate(data=data, predict_fn=predict, scorers=[{', '.join(fitting_scorers(plan, categories))}])",
    ]


def fitting_scorers(plan: DatasetPlanInput, categories: list[DatasetCategory]) -> list[str]:
    """The scorers of MLflow, as code, for which every case has what they read."""
    held = [_keys(plan, category) for category in categories]

    def all_have(*keys: MlflowKey) -> bool:
        return all(any(key in keys_held for key in keys) for keys_held in held)

    found = []
    if all_have(*_CORRECTNESS):
        found.append(f"{_SCORERS}.Correctness()")
    if all_have(MlflowKey.GUIDELINES):
        found.append(f"{_SCORERS}.ExpectationsGuidelines()")
    if all_have(MlflowKey.TOOL_CALLS):
        found.append(f"{_SCORERS}.ToolCallCorrectness(should_exact_match=True)")
    return found or [_ANSWERED]


def _keys(plan: DatasetPlanInput, category: DatasetCategory) -> set[str]:
    written = {one.key for one in plan.written_for(category) if not one.optional}
    return written | set(category.expectations)


def _parameters(plan: DatasetPlanInput, categories: list[DatasetCategory]) -> str:
    """The parameters that MLflow calls the application with: the keys of the inputs."""
    fields = [tuple(category.kind.fields(plan.input_fields)) for category in categories]
    names = list(dict.fromkeys(name for some in fields for name in some))
    if not all(name.isidentifier() and not iskeyword(name) for name in names):
        return "**inputs"
    return ", ".join(names if len(set(fields)) == 1 else [f"{name}=None" for name in names])
