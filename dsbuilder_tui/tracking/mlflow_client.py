"""A client of MLflow as everything here needs it, and the errors that reading from MLflow can end with."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.settings.tracking_uri import artifact_folder
from dsbuilder_tui.tracking.mlflow_errors import error_words

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Waiting is for the outbox, which tells of it; MLflow's own tries would take minutes. A person's own choice stands.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # it would be drawn over the application
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class MlflowUnavailable(DsbuilderError):
    """MLflow is not there, or does not give what was asked for."""


def mlflow_client(uri: str) -> MlflowClient:
    """Import MLflow and connect to it, without telemetry and without words on the screen. Raises what MLflow raises."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):  # a terminal application draws on the screen that they would write to
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # importing it has set it anew
    if (folder := artifact_folder(uri)) is not None:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextlib.contextmanager
def told_in_words(uri: str) -> Iterator[None]:
    """Whatever MLflow raises becomes ``MlflowUnavailable``, with its reason in words."""
    try:
        yield
    except DsbuilderError:
        raise
    except Exception as error:
        raise MlflowUnavailable(
            f"MLflow cannot be read: {error_words(error, uri)}.", "Check the address, or --mlflow-tracking-uri."
        ) from error
