"""A session beside what MLflow holds of it."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from dsbuilder_tui import Session

READER = Path(__file__).with_name("mlflow_reader.py")
Reader = Callable[[str, Session], Awaitable[dict[str, Any]]]


def mlflow_client(uri: str) -> Any:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def database_file(uri: str) -> str:
    return uri.removeprefix("sqlite:///").partition("?")[0]


def mlflow_name(session: Session) -> str:
    """Our name of the session there."""
    return str(session._files.meta["mlflow"]["session"])


async def held_by_mlflow(uri: str, session: Session) -> dict[str, Any]:
    """As MLflow's own public calls tell it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(READER),
        uri,
        mlflow_name(session),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def held_in_file(uri: str, session: Session) -> dict[str, Any]:
    """As the tables of a SQLite database have it: quicker by seconds."""
    with sqlite3.connect(database_file(uri)) as connection:
        datasets = [
            {
                "id": dataset,
                "name": name,
                "records": [
                    dict(
                        zip(("inputs", "expectations", "tags"), (json.loads(part or "{}") for part in row), strict=True)
                    )
                    for row in connection.execute(
                        "SELECT inputs, expectations, tags FROM evaluation_dataset_records WHERE dataset_id=?",
                        (dataset,),
                    )
                ],
            }
            for dataset, name in connection.execute(
                "SELECT dataset_id, name FROM evaluation_datasets WHERE dataset_id IN "
                "(SELECT dataset_id FROM evaluation_dataset_tags WHERE key='dsbuilder_session' AND value=?)",
                (mlflow_name(session),),
            )
        ]
        runs = connection.execute(
            "SELECT run_uuid FROM tags WHERE key='dsbuilder_session' AND value=?", (mlflow_name(session),)
        ).fetchall()
    return {"datasets": datasets, "runs": runs}


async def own_records(session: Session) -> list[dict[str, Any]]:
    return [case.record() async for case in session.cases.all()]


def plain(records: list[dict[str, Any]]) -> list[str]:
    """Records as sorted texts, to be compared: inputs, expectations, and the case they are of."""
    return sorted(json.dumps([r["inputs"], r["expectations"], r["tags"]["case_id"]], sort_keys=True) for r in records)


async def assert_same(uri: str, session: Session, *, reader: Reader = held_in_file) -> dict[str, Any]:
    """The dataset in MLflow is the session's, once each. Returns what MLflow holds."""
    held = await reader(uri, session)
    records = [record for dataset in held["datasets"] for record in dataset["records"]]
    own = await own_records(session)
    assert plain([r for r in records if "case_id" in r["tags"]]) == plain(own)
    return held
