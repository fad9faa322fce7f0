"""The argument of commands that take a file or a session."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.domain.errors import InputError, SessionNotFound
from dsbuilder_tui.session import library
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


def is_file(what: str | None, config: DatasetBuilderConfig) -> bool:
    """Whether a file is meant, or a folder with files of rows: a session's name, or its folder, wins over a file of that
    name. Raises ``InputError`` for what is neither."""
    if what is None:
        return False
    path = Path(what).expanduser()
    if path.is_dir():
        return not (path / library.SESSION_FILE).exists()
    if what == "-" or path.is_file():
        return True
    try:
        library.find_session(config.checkpoint_root, what)
    except SessionNotFound:
        raise InputError(
            f"{what} is neither a file nor a session.", "See `dsbuilder sessions`, or check the path."
        ) from None
    return False
