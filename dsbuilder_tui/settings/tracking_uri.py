"""Addresses of MLflow: what they may be, what they lead to, and dsbuilder's own database."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from dsbuilder_tui.settings.locations import mlflow_folder

_SERVERS = ("http", "https")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")  # MLflow keeps evaluation datasets in these alone
_ARTIFACTS = "artifacts"


def own_tracking_uri() -> str:
    """The database in dsbuilder's data folder."""
    return f"sqlite:///{(mlflow_folder() / 'mlflow.db').as_posix()}"


def checked_tracking_uri(value: str | None) -> str | None:
    """An address that evaluation datasets can be kept at. Raises ``ValueError`` for another."""
    text = (value or "").strip()
    if not text:
        return None
    scheme, mark, rest = text.partition("://")
    dialect = scheme.partition("+")[0].casefold()
    if not mark or dialect not in (*_SERVERS, *_DATABASES):
        raise ValueError(
            "must be a server or a database, since MLflow keeps datasets in no folder; write for example "
            "http://localhost:5000 or sqlite:///mlflow.db"
        )
    if dialect in _SERVERS and not urlsplit(text).hostname:
        raise ValueError("names no host; write for example http://localhost:5000")
    if dialect == "sqlite" and not rest.strip("/"):
        raise ValueError("names no file; write for example sqlite:///mlflow.db")
    return text.rstrip("/")


def is_server(uri: str) -> bool:
    """Whether it is a server that is spoken to over HTTP."""
    return urlsplit(uri).scheme in _SERVERS


def database_file(uri: str) -> Path | None:
    """The file of a SQLite database; None for anything else."""
    scheme, _, rest = uri.partition("://")
    if scheme.partition("+")[0] != "sqlite":
        return None
    return Path(rest.partition("?")[0].removeprefix("/")).absolute()


def artifact_folder(uri: str) -> Path | None:
    """Where the files of runs lie: beside a SQLite file, in the data folder for another database. A server has its own."""
    if is_server(uri):
        return None
    file = database_file(uri)
    return (mlflow_folder() if file is None else file.parent) / _ARTIFACTS
