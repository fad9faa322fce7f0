"""The formats in which a session writes its dataset, and how a file name asks for one."""

from __future__ import annotations

from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.export.formats import FORMATS, format_of, require_writer

__all__ = ["FORMATS", "SEED_SUFFIX", "format_of", "is_folder", "require_writer"]


def is_folder(kind: str) -> bool:
    """Whether a dataset in this format is a folder. Raises ``ConfigError`` for an unknown one."""
    return FORMATS.load(kind).layout is not None
