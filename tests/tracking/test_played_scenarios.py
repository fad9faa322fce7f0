"""Scenarios that MLflow's simulated user has played: what scorers found belongs to their cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.tracking.played_scenario import scenario_in_trace, scenario_of
from tests.tracking.test_results import evaluated, in_numbers, written

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

LONG = "Get a refund. " * 40


def traced(**shown: str) -> dict[str, str]:
    return {f"mlflow.simulation.{field}": text[:250] for field, text in shown.items()}


@pytest.mark.parametrize(
    ("metadata", "meant"),
    [
        (traced(goal="Refund", persona="one of the simulator's"), 1),
        (traced(goal="Refund", persona="In a hurry"), 2),
        (traced(goal="Cancel", persona="one of the simulator's"), None),  # two cases say no more than that
        (traced(goal="Cancel", persona="x", simulation_guidelines="Be brief.\nBe kind."), 5),
        (traced(goal=LONG, persona="x"), 6),  # cut in traces
        (traced(goal="Something else", persona="x"), None),
    ],
)
def test_a_trace_names_the_case_that_alone_can_be_meant(metadata: dict[str, str], meant: int | None) -> None:
    inputs: list[dict[str, Any]] = [
        {"goal": "Refund"}, {"goal": "Refund", "persona": "In a hurry"}, {"goal": "Cancel"},
        {"goal": "Cancel", "context": {"user": 7}},
        {"goal": "Cancel", "simulation_guidelines": ["Be brief.", "Be kind."]}, {"goal": LONG},
    ]  # fmt: skip
    known = [(one, seq) for seq, given in enumerate(inputs, 1) if (one := scenario_of(given)) is not None]
    played = scenario_in_trace(metadata)
    assert played is not None and len(known) == len(inputs)
    assert played.case_among(known) == meant


def test_other_traces_and_inputs_are_no_scenarios() -> None:
    assert scenario_in_trace({"mlflow.trace.session": "s"}) is None
    assert scenario_of({"query": "Where is my order?"}) is None


@pytest.mark.parametrize("experiment", ["", pytest.param("elsewhere", marks=pytest.mark.slow)])
async def test_played_scenarios_are_read_by_case(
    experiment: str, uri: str, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    plan = DatasetPlanInput(
        dataset_name="played",
        categories=[
            DatasetCategory(name=name, kind="scenario", count=3, example_inputs=goal)
            for name, goal in (("refunds", "Get a refund for order 12345"), ("seats", "Book a seat by the window"))
        ],
    )
    async with await written(uri, plan, config) as session:
        await evaluated(uri, session, played=True, fails=["seats"], experiment=experiment or config.mlflow_experiment)
        reading = await session.results.read()
        assert reading.found == 1 and in_numbers(reading.figures) == {"refunds": (3, 0, 0), "seats": (0, 3, 0)}
        assert reading.figures.runs[0].run.unmatched == 0
        assert not (await session.results.read()).changed
