"""The formats in which a session writes its dataset, and how a file name asks for one."""

from __future__ import annotations

from dsbuilder_tui.domain.plain_words import either
from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.export.formats import FORMATS, format_of, require_writer

__all__ = ["FORMATS", "SEED_SUFFIX", "ending_words", "format_of", "format_words", "is_folder", "require_writer"]


def format_words() -> str:
    """The names of all formats, those of plug-ins too, as a sentence has them. Imports none of them."""
    return either(FORMATS.names())


def ending_words() -> str:
    """How the names of files end, for a person who is to name one."""
    return either([row.ending for row in FORMATS.all().values()])


def is_folder(kind: str) -> bool:
    """Whether a dataset in this format is a folder. Raises ``ConfigError`` for an unknown one."""
    return FORMATS.load(kind).layout is not None
