"""Evaluations that MLflow itself has made of a session's dataset, read back: by case, once, and with what they say of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.monitor import Monitor, Note, NoteKind
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.errors import ConfigError, InputError
from dsbuilder_tui.domain.evaluation import EvaluationFigures
from dsbuilder_tui.domain.events import Event, ResultsRead
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.generation.originals import to_be_written
from dsbuilder_tui.settings.key_trust import allow, foreign_tracking
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tracking.mlflow_client import MlflowUnavailable
from tests.support.evaluations import EVALUATIONS
from tests.support.tracked import mlflow_name

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]


async def evaluated(uri: str, session: Session, **options: Any) -> str:
    """The run of an evaluation by MLflow. See ``mlflow_evaluation`` for what can be asked of it."""
    return await asyncio.to_thread(EVALUATIONS.run, uri, mlflow_name(session), options)


async def written(uri: str, plan: DatasetPlanInput, config: DatasetBuilderConfig) -> Session:
    session = await Session.create(plan, config)
    await session.run()
    state = await session.tracking.settle(60)
    assert state is not None and state.finished
    return session


async def easy_cases(session: Session) -> set[str]:
    return {case.case_id async for case in session.cases.all() if case.tags.get("easy")}


def in_numbers(figures: EvaluationFigures) -> dict[str, tuple[int, int, int]]:
    return {name: (c.passed, c.failed, c.errors) for name, c in figures.categories.items()}


async def test_results_are_read_by_case_once_and_say_where_it_fails(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    events: list[Event] = []
    config = make_config(mlflow_tracking_uri=uri)
    async with await written(uri, make_plan(8, 6, 4), config) as session:
        assert (await session.results.figures()).runs == ()
        first = await anext(session.cases.all())
        assert (await session.results.read()).found == 0
        session.subscribe(events.append)
        text = first.inputs["query"]
        run = await evaluated(
            uri, session, fails=["category_2", text], raises=["category_3"], experiment="elsewhere", takes="anything"
        )
        reading = await session.results.read()
        assert (reading.found, reading.changed) == (1, 1)
        figures = reading.figures
        assert in_numbers(figures) == {"category_1": (7, 1, 0), "category_2": (0, 6, 0), "category_3": (0, 0, 4)}
        (counted,) = figures.runs
        assert counted.run.run_id == run and counted.run.cases == 18 and counted.run.unmatched == 0
        # An application that raised is judged by nobody: its answers would all count as wrong.
        assert counted.count.judged == 14 and counted.count.errors == 4
        assert counted.unclear == ("closeness",) and counted.broken == {"broken": 18}
        assert counted.scorers["polite"].passed == 18
        assert {cell.category for cell in figures.failing} == {"category_1", "category_2", "category_3"}
        assert figures.failing[0].category != "category_1" and figures.failing[-1].cases == (first.ordinal,)
        values = figures.attributes["category_2"]
        assert all(sum(c.failed for c in axis.values()) == 6 for axis in values.values())
        (told,) = [event for event in events if isinstance(event, ResultsRead)]
        assert (told.passed, told.failed, told.errors, told.worst_bad) == (7, 7, 4, 6) and told.worst == "category_2"

        before = await session._files.store.evaluations.runs()
        again = await session.results.read()  # nothing is new
        assert (again.found, again.changed) == (1, 0) and again.figures == figures
        assert await session._files.store.evaluations.runs() == before
        assert len([event for event in events if isinstance(event, ResultsRead)]) == 1
        assert await easy_cases(session) == set()  # one evaluation is not enough

        # Another version fails elsewhere; given the bare rows, cases are found by their inputs.
        await evaluated(
            uri, session, fails=["category_3"], rows=True, experiment=config.mlflow_experiment, takes="defaults"
        )
        reading = await session.results.read()
        assert (reading.found, reading.changed) == (2, 1)
        assert in_numbers(reading.figures)["category_3"] == (0, 4, 0)  # the newest counts
        easy = {f"category_1-{n:05d}" for n in range(1, 9) if n != first.ordinal}
        assert await easy_cases(session) == easy and reading.figures.easy == 7

        # What says something else by now has no result of what it said, read again or not.
        await session.cases.edit("category_1", 2, {"query": "Something else entirely?"}, {"polite": True})
        assert "category_1-00002" not in await easy_cases(session)
        figures = (await session.results.read()).figures
        assert in_numbers(figures)["category_1"][0] + in_numbers(figures)["category_1"][1] == 7
        await session.cases.withdraw("category_1", 3, "no")
        assert sum(in_numbers(await session.results.figures())["category_1"]) == 6
        await session.tracking.settle(60)
    async with await Session.open(session.folder, config) as session:
        figures = await session.results.figures()  # kept in the session file
        assert len(figures.runs) == 2 and sum(in_numbers(figures)["category_1"]) == 6


async def test_numbers_count_from_a_threshold_on_and_a_judge_says_yes_or_no(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    async with await written(uri, make_plan(3, 3), make_config(mlflow_tracking_uri=uri)) as session:
        await evaluated(uri, session, fails=["category_2"], numbers=True)
        figures = (await session.results.read()).figures
        assert figures.overall.judged == 0 and figures.overall.unscored == 6 and not figures.failing
        await session.settings.set("score_thresholds", {"closeness": 0.5})
        figures = await session.results.figures()
        assert in_numbers(figures) == {"category_1": (3, 0, 0), "category_2": (0, 3, 0)}
        await evaluated(uri, session, fails=["category_1"], judge=True)
        figures = (await session.results.read()).figures
        assert in_numbers(figures) == {"category_1": (0, 3, 0), "category_2": (3, 0, 0)}
        assert list(figures.runs[0].scorers) == ["kind"] and len(figures.runs) == 2


async def test_runs_of_others_are_not_its_own(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    async with (
        await written(uri, make_plan(3, name="support"), config) as session,
        await written(uri, make_plan(4, name="support"), config) as other,
    ):
        await evaluated(uri, other, experiment=config.mlflow_experiment)
        assert (await session.results.read()).found == 0
        assert (await other.results.read()).found == 1


async def test_results_that_cannot_be_read_are_told_in_words(
    tmp_path: Path, make_config: Config, make_plan: Plan
) -> None:
    config = make_config(mlflow_tracking_uri="http://127.0.0.1:9", drain_timeout=0)
    async with await Session.create(make_plan(2), config) as session:
        with pytest.raises(MlflowUnavailable, match="no connection to http://127.0.0.1:9"):
            await session.results.read()
        assert await session.results.read_unasked() is None  # nothing was ever logged there


async def test_an_address_that_a_folder_names_is_not_read_without_a_yes(
    uri: str, tmp_path: Path, make_plan: Plan
) -> None:
    Path("dsbuilder.toml").write_text(f'mlflow_tracking_uri = "{uri}"\nincremental_mlflow_logging = false\n')
    config = load_config(checkpoint_dir=str(tmp_path / "sessions"))
    async with await Session.create(make_plan(2), config) as session:
        with pytest.raises(ConfigError, match="dsbuilder config trust"):
            await session.results.read()
        allow(foreign_tracking(session.config, reading=True))
        assert (await session.results.read()).found == 0


async def test_the_command_and_show_tell_of_them(
    uri: str, make_config: Config, make_plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    async with await written(uri, make_plan(5, 5), make_config(mlflow_tracking_uri=uri)) as session:
        await evaluated(uri, session, fails=["category_2"])
        folder = str(session.folder)

    async def told(*arguments: str) -> str:
        assert await asyncio.to_thread(main, [*arguments]) == 0
        return capsys.readouterr().out

    data = json.loads(await told("mlflow", "results", folder, "--json"))
    assert (data["found"], data["changed"]) == (1, 1) and data["categories"]["category_2"]["failed"] == 5
    words = await told("mlflow", "results", folder, "--threshold", "closeness=0.5")
    assert "5 of 10 pass (50 %)" in words and "closeness 5 of 10" in words and "Numbers without" not in words
    assert "Evaluated: category_2: 0 of 5 pass (0 %)" in await told("show", folder)
    assert json.loads(await told("show", folder, "--json"))["evaluated"]["overall"]["failed"] == 5


async def test_more_cases_lie_where_it_fails(uri: str, make_config: Config, make_plan: Plan) -> None:
    tones = {"tone": ["calm", "angry"], "length": ["short", "long"]}
    config = make_config(mlflow_tracking_uri=uri)
    async with await written(uri, make_plan(12, 12, attributes=tones), config) as session:
        with pytest.raises(InputError, match="No evaluation"):
            await session.failing_cells.plan(6)
        cases = [case async for case in session.cases.all()]
        failing = [c for c in cases if c.category == "category_2" and c.tags["attributes"]["tone"] == "angry"]
        await evaluated(uri, session, fails=[case.inputs["query"] for case in failing])
        await session.results.read()
        wanted = await session.failing_cells.plan(6)
        assert [category.count for category in wanted.plan.categories] == [12, 18]
        await session.plans.revise(wanted.plan)
        store = session._files.store
        slots = [Slot("category_2", 13, varies=failing[0].ordinal), Slot("category_1", 1)]
        varied, plain = await to_be_written(store, config.score_thresholds, slots)
        assert varied.varied == failing[0] and varied.failures == ("right: it is wrong",)
        assert plain == slots[1]
        await session.run()
        new = [case async for case in session.cases.all() if case.seq > max(c.seq for c in cases)]
        cells = {tuple(case.tags["attributes"].items()) for case in failing}
        assert len(new) + (await session.summary()).exhausted_slots == 6 and new
        assert {case.category for case in new} == {"category_2"}
        assert {tuple(case.tags["attributes"].items()) for case in new} <= cells


async def test_the_monitor_proposes_it_and_the_plan_says_which_cases_are_varied(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    async with await written(uri, make_plan(6, 6), make_config(mlflow_tracking_uri=uri)) as session:
        monitor = Monitor()
        notes: list[Note] = []
        session.subscribe(lambda event: notes.extend(filter(None, [monitor.feed(event)])))
        await evaluated(uri, session, fails=["category_2"])
        await session.results.read()
        (note,) = notes
        assert note.kind is NoteKind.RESULTS and "worst: category_2, 6 of 6 fail" in note.said
        assert "write 10 more where it fails" in note.hint
        wanted = (await session.failing_cells.plan(10)).plan
        category = wanted.category("category_2")
        assert category.count == 16 and sum(len(one.slots) for one in category.variations) == 10
        assert parse_plan(wanted.model_dump(mode="json")) == wanted
