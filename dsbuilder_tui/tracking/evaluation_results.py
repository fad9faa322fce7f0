"""Evaluations of an application as MLflow keeps them: runs, and what their scorers said of each trace. Reads alone."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.evaluation import Assessment
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.tracking.case_record import SESSION_TAG
from dsbuilder_tui.tracking.evaluation_records import input_key
from dsbuilder_tui.tracking.mlflow_client import mlflow_client
from dsbuilder_tui.tracking.played_scenario import PlayedScenario, scenario_in_trace

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run, Trace

_PAGE = 200  # traces
_RUNS_PAGE = 1000
_MOST_EXPERIMENTS = 100  # in one question
_LONGEST_REASON, _LONGEST_VALUE = 500, 200
_RUN_TYPE, _EVALUATION = "mlflow.runType", "genai_evaluate"
_MANAGED = "mlflow_evaluation_dataset"
_OF_RUN = "mlflow.assessment.sourceRunId"
# What tells one version of the application from another, the first that is there.
_VERSIONS = ("mlflow.genaiEvaluate.agent.uri", "mlflow.genaiEvaluate.agent.digest", "mlflow.source.git.commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRun:
    """A run that evaluated, or may have evaluated, cases of the session. Times are seconds since 1970."""

    run_id: str
    experiment_id: str
    name: str
    version: str
    started_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundResult:
    """What came of one trace: of the case with the place ``case_seq`` in the session's history where its tags say so, else
    of one with inputs of one of these ``keys`` (``evaluation_records.input_key``); of neither where it had no inputs that can be
    read. An application shows its inputs with the defaults of its own parameters, or under the name of the one that takes all:
    each key is of one way to understand them, the likeliest first; there are none where they are shown in part.
    ``scenario`` is what a simulated user played in it: then its inputs are those of one turn."""

    case_seq: int | None
    keys: tuple[str, ...]
    scenario: PlayedScenario | None
    raised: bool
    scores: tuple[Assessment, ...]


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """Finds the evaluations of one session. ``session`` is our name of it there, ``shapes`` are the names of fields that its
    inputs have. Everything raises what MLflow raises."""

    uri: str
    session: str
    experiment: str
    shapes: tuple[tuple[str, ...], ...] = ()

    def runs(self, datasets: Collection[str]) -> list[FoundRun]:
        """Runs that had one of these datasets, anywhere; and evaluations in the session's experiment that had no dataset of
        MLflow's: which cases those were of, their traces say. The oldest first."""
        client = mlflow_client(self.uri)
        found: dict[str, Run] = {}
        names = {client.get_dataset(dataset).name for dataset in datasets}
        for experiments in _in_parts(_experiments(client)) if names else ():
            for name in names:
                for run in _search(client, experiments, f"dataset.name = {_quoted(name)}"):
                    # A simulator gives its dataset's name alone: whose the cases are, their scenarios say.
                    if not (named := _datasets_of(run)) or named & set(datasets):
                        found[run.info.run_id] = run
        own = client.get_experiment_by_name(self.experiment)
        if own is not None:
            for run in _search(client, [own.experiment_id], f"tags.`{_RUN_TYPE}` = '{_EVALUATION}'"):
                if not _datasets_of(run):
                    found[run.info.run_id] = run
        evaluations = [run for run in found.values() if SESSION_TAG not in run.data.tags]
        return sorted((_found(run) for run in evaluations), key=lambda run: (run.started_at, run.run_id))

    def page(self, run: FoundRun, token: str | None) -> tuple[list[FoundResult], str | None]:
        """What came of some hundred traces of a run, and the token of those behind them; without one it begins."""
        client = mlflow_client(self.uri)
        page = client.search_traces(
            locations=[run.experiment_id], run_id=run.run_id, include_spans=False, max_results=_PAGE, page_token=token
        )
        return [self._result(client, trace, run) for trace in page], page.token or None

    def _result(self, client: MlflowClient, trace: Trace, run: FoundRun) -> FoundResult:
        info, tags = trace.info, trace.info.tags or {}
        seq = str(tags.get("seq", ""))
        own = tags.get(SESSION_TAG) == self.session and seq.isascii() and seq.isdigit()
        scenario = scenario_in_trace(info.trace_metadata or {})
        return FoundResult(
            case_seq=int(seq) if own else None,
            keys=() if scenario is not None else self._keys(client, trace, whole=not own),
            scenario=scenario,
            raised=str(getattr(info.state, "value", info.state)) == "ERROR",
            scores=_scores(trace, run.run_id),
        )

    def _keys(self, client: MlflowClient, trace: Trace, *, whole: bool) -> tuple[str, ...]:
        """``whole``: what is shown in part is read out of the trace's spans."""
        shown = _json(trace.info.request_preview or "")
        if not isinstance(shown, Mapping) and whole and trace.info.request_preview:
            shown = _json(client.get_trace(trace.info.trace_id).data.request or "")
        return input_keys(shown, self.shapes) if isinstance(shown, Mapping) else ()


def input_keys(shown: Mapping[str, Any], shapes: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The keys of inputs that an application may have had, by what it shows of its parameters."""
    (taken_in,) = shown.values() if len(shown) == 1 else (None,)
    parts = {name: value for one in shown.values() if isinstance(one, Mapping) for name, value in one.items()}
    every = {**parts, **shown}
    ways = [shown, taken_in if isinstance(taken_in, Mapping) else None]
    ways += [{name: every[name] for name in shape} for shape in shapes if all(name in every for name in shape)]
    ways.append({name: value for name, value in shown.items() if value is not None})
    return tuple(dict.fromkeys(input_key(way) for way in ways if way))


def _experiments(client: MlflowClient) -> list[str]:
    found, token = list[str](), None
    while True:
        page = client.search_experiments(max_results=_RUNS_PAGE, page_token=token)
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if not token:
            return found


def _in_parts(experiments: list[str]) -> Iterator[list[str]]:
    return (experiments[start : start + _MOST_EXPERIMENTS] for start in range(0, len(experiments), _MOST_EXPERIMENTS))


def _search(client: MlflowClient, experiments: list[str], wanted: str) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs(experiments, wanted, max_results=_RUNS_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _quoted(name: str) -> str:
    """A name in a filter, which knows no escaping; one with quotes of both kinds cannot be asked for."""
    return f'"{name}"' if "'" in name else f"'{name}'"


def _datasets_of(run: Run) -> set[str]:
    """The ids of the evaluation datasets that are its inputs."""
    found = set()
    for one in run.inputs.dataset_inputs if run.inputs else ():
        if one.dataset.source_type == _MANAGED:
            source = _json(one.dataset.source)
            found.add(str(source.get("dataset_id")) if isinstance(source, Mapping) else "")
    return found


def _found(run: Run) -> FoundRun:
    models = run.inputs.model_inputs if run.inputs else ()
    version = next((str(model.model_id) for model in models), "") or next(
        (run.data.tags[tag] for tag in _VERSIONS if run.data.tags.get(tag)), ""
    )
    return FoundRun(
        run_id=run.info.run_id, experiment_id=str(run.info.experiment_id),
        name=one_line(run.info.run_name or run.info.run_id, _LONGEST_VALUE), version=one_line(version, _LONGEST_VALUE),
        started_at=run.info.start_time / 1000, ended_at=run.info.end_time / 1000 if run.info.end_time else None,
    )  # fmt: skip


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _scores(trace: Trace, run_id: str) -> tuple[Assessment, ...]:
    """The newest word of each scorer on a trace in this run; a person's stands above any scorer's of that name."""
    found: dict[str, tuple[bool, int, Assessment]] = {}
    for one in trace.info.assessments or ():
        feedback = getattr(one, "feedback", None)
        of_run = (one.metadata or {}).get(_OF_RUN)
        if feedback is None or one.valid is False or of_run not in (None, run_id):
            continue
        by_person = str(one.source.source_type) == "HUMAN"
        error = feedback.error
        why = one.rationale or (error.error_message if error is not None else "") or ""
        score = Assessment(
            one_line(one.name, _LONGEST_VALUE),
            _value(feedback.value),
            one_line(why, _LONGEST_REASON),
            error is not None,
        )
        rank = (by_person, one.last_update_time_ms or 0, score)
        if score.scorer not in found or rank[:2] >= found[score.scorer][:2]:
            found[score.scorer] = rank
    return tuple(found[name][2] for name in sorted(found))


def _value(value: object) -> bool | float | str | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    return one_line(str(getattr(value, "value", value)), _LONGEST_VALUE)
