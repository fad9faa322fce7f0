"""Where cases are logged to: what may be said, what follows from it, and what a folder may not say alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.settings.key_trust import allow, foreign_tracking, named_addresses
from dsbuilder_tui.settings.tracking_uri import artifact_folder, database_file


@pytest.mark.parametrize(
    "uri", ["./mlruns", "file:///mlruns", "mlruns", "http://", "sqlite://", "sqlite:///", "databricks", "ftp://host/x"]
)
def test_what_holds_no_evaluation_datasets_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match="write for example"):
        DatasetBuilderConfig(mlflow_tracking_uri=uri)


@pytest.mark.parametrize(
    "uri",
    ["http://localhost:5000", "https://ml.example.com/team", "sqlite:///mlflow.db", "sqlite:////var/m@il/a.db",
     "postgresql+psycopg2://db/mlflow", "mysql+pymysql://db/mlflow", "mssql+pyodbc://db/mlflow"],
)  # fmt: skip
def test_an_address_turns_it_on(uri: str) -> None:
    config = DatasetBuilderConfig(mlflow_tracking_uri=uri)
    assert config.logs_to_mlflow and config.tracking_uri == uri
    assert config.shown_urls(["mlflow_tracking_uri"]) == {"mlflow_tracking_uri": uri}
    assert not DatasetBuilderConfig(mlflow_tracking_uri=uri, incremental_mlflow_logging=False).logs_to_mlflow


def test_a_login_is_kept_in_no_session() -> None:
    for uri in ("https://me:secret@ml.example.com", "postgresql://me:secret@db/mlflow"):
        config = DatasetBuilderConfig(mlflow_tracking_uri=uri)
        assert config.tracking_uri == uri and "secret" not in str(config.explicit) and "secret" not in repr(config)


def test_without_an_address_it_is_a_database_in_the_data_folder(tmp_path: Path) -> None:
    assert not DatasetBuilderConfig().logs_to_mlflow
    config = DatasetBuilderConfig(incremental_mlflow_logging=True)
    file = database_file(config.tracking_uri)
    assert config.logs_to_mlflow and file is not None and file.is_relative_to(tmp_path / "home")
    assert artifact_folder(config.tracking_uri) == file.parent / "artifacts"
    assert artifact_folder("http://localhost:5000") is None
    assert artifact_folder("sqlite:///mlflow.db") == Path.cwd() / "artifacts"


def test_the_variables_of_mlflow_count_and_our_own_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "evals")
    config = DatasetBuilderConfig()
    assert config.logs_to_mlflow and config.mlflow_experiment == "evals" and not foreign_tracking(config)
    monkeypatch.setenv("DSBUILDER_MLFLOW_TRACKING_URI", "http://localhost:5001")
    assert DatasetBuilderConfig().tracking_uri == "http://localhost:5001"


def test_an_address_of_the_folder_is_asked_about_once() -> None:
    Path("dsbuilder.toml").write_text('mlflow_tracking_uri = "http://elsewhere:5000"\n')
    config = DatasetBuilderConfig()
    (foreign,) = foreign_tracking(config)
    assert "every accepted case would be logged to http://elsewhere:5000" in foreign.words
    assert foreign in named_addresses(config)
    assert not foreign_tracking(DatasetBuilderConfig(incremental_mlflow_logging=False))
    assert not foreign_tracking(DatasetBuilderConfig(mlflow_tracking_uri="http://mine:5000"))
    allow([foreign])
    assert not foreign_tracking(config)
