"""Evaluation datasets of MLflow, found by name or id."""

from __future__ import annotations

import difflib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.settings.urls import without_login

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.evaluation_dataset import EvaluationDataset

PREFIX = "mlflow:"  # before the name or the id of a dataset
_ID = "d-"  # how the ids of datasets begin
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
_SHOWN = 5
_LONGEST = 60  # of a name that is shown


def stored_name(reference: object) -> str | None:
    """The name or id of a dataset in MLflow that a reference names (``mlflow:support``); None for anything else."""
    text = str(reference)
    return text.removeprefix(PREFIX).strip() or None if text.startswith(PREFIX) else None


def find_dataset(client: MlflowClient, wanted: str, uri: str) -> EvaluationDataset:
    """The dataset of this name or id. Raises ``InputError`` when there is none, or several; and what MLflow raises."""
    if wanted.startswith(_ID) and (by_id := _by_id(client, wanted)) is not None:
        return by_id
    named = datasets_named(client, wanted)
    if len(named) == 1:
        return named[0]
    where, shown = without_login(uri) or uri, one_line(wanted, _LONGEST)
    if named:
        candidates = "; ".join(map(dataset_words, named[:_SHOWN]))
        raise InputError(
            f"{len(named)} datasets at {where} are called {shown!r}: {candidates}{'; …' if len(named) > _SHOWN else ''}.",
            "Name one of them by its id.",
        )
    raise InputError(f"There is no dataset {shown!r} at {where}.", _near(client, wanted))


def datasets_named(client: MlflowClient, name: str) -> list[EvaluationDataset]:
    """All datasets of a name, newest first. Raises what MLflow raises."""
    mark = '"' if "'" in name else "'"
    if not name or mark in name:  # what a filter cannot say has an id all the same
        return []
    found = client.search_datasets(filter_string=f"name = {mark}{name}{mark}", order_by=["created_time DESC"])
    return [dataset for dataset in found if dataset.name == name]


def dataset_words(dataset: EvaluationDataset) -> str:
    """``d-4f0c… (60 records, begun 2026-11-28 01:30)``"""
    begun = datetime.fromtimestamp(dataset.created_time / 1000).astimezone()
    return f"{dataset.dataset_id} ({counted(record_count(dataset), 'record')}, begun {begun:%Y-%m-%d %H:%M})"


def record_count(dataset: EvaluationDataset) -> int:
    """How many records MLflow says a dataset has, without reading them."""
    try:
        return int(json.loads(dataset.profile or "{}").get("num_records", 0))
    except (ValueError, TypeError, AttributeError):
        return 0


def _by_id(client: MlflowClient, wanted: str) -> EvaluationDataset | None:
    from mlflow.exceptions import MlflowException

    try:
        found: EvaluationDataset = client.get_dataset(wanted)
    except MlflowException as error:
        if error.error_code == _NOT_THERE:
            return None
        raise
    return found


def _near(client: MlflowClient, wanted: str) -> str:
    """What to do about a name that is not there: the names that are like it, else the newest."""
    names = list(dict.fromkeys(found.name for found in client.search_datasets(order_by=["created_time DESC"])))
    if not names:
        return "It has none at all; check the address, or --mlflow-tracking-uri."
    like = difflib.get_close_matches(wanted, names, _SHOWN) or names[:_SHOWN]
    return f"It has {', '.join(one_line(name, _LONGEST) for name in like)}."
