"""Folders and files of a checkpoint directory: made for their owner alone."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.atomic import atomic_write, sync_folder
from dsbuilder_tui.domain.errors import StorageError

__all__ = ["atomic_write", "private_folder", "sync_folder"]


def private_folder(path: Path) -> Path:
    """Create a folder only its owner can enter. Raises ``StorageError`` when that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not any(path.iterdir()):
            path.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"The folder {path} cannot be used: {error.strerror or error}.",
            "Make it writable or choose another one with --checkpoint-dir.",
        ) from None
    return path
