"""The formats of files that become sessions."""

from __future__ import annotations

from dsbuilder_tui.store.imports.import_formats import IMPORT_FORMATS

__all__ = ["IMPORT_FORMATS"]
