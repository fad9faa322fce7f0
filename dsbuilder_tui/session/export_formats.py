"""The formats in which a session writes its dataset, and how a file name asks for one."""

from __future__ import annotations

from dsbuilder_tui.store.export.checkpoint import SEED_SUFFIX
from dsbuilder_tui.store.export.formats import FORMATS, format_of, require_writer

__all__ = ["FORMATS", "SEED_SUFFIX", "format_of", "require_writer"]
