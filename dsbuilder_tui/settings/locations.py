"""Where settings and sessions lie on disk."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_config_path, user_data_path, user_log_path, user_state_path

PROJECT_FILE = "dsbuilder.toml"  # of the working folder, as is
DOTENV_FILE = ".env"


def user_config_file() -> Path:
    """The user's configuration file, whether or not it exists."""
    return user_config_path("dsbuilder", appauthor=False) / "config.toml"


def trusted_addresses_file() -> Path:
    """What the person allowed files of working folders to do with a key, whether or not it exists."""
    return user_config_file().with_name("trusted_addresses.json")


def seal_secret_file() -> Path:
    """The secret with which values that the person said are sealed in a session's folder, whether or not it exists."""
    return user_config_file().with_name("session_seal.key")


def crash_log_file() -> Path:
    """Where the last unexpected error is told in full, whether or not there was one."""
    return user_log_path("dsbuilder", appauthor=False) / "crash.log"


def default_checkpoint_root() -> Path:
    """Where sessions live when ``checkpoint_dir`` is not set."""
    return user_state_path("dsbuilder", appauthor=False) / "checkpoints"


def mlflow_folder() -> Path:
    """Where dsbuilder's own MLflow database and artifacts lie, whether or not there are any."""
    return user_data_path("dsbuilder", appauthor=False) / "mlflow"
