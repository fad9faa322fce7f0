"""Files of rows, whoever wrote them, for the rooms above."""

from __future__ import annotations

from dsbuilder_tui.sources.rows.field_choice import FieldChoice

__all__ = ["FieldChoice"]
"""The fields that a person names, where the shape of a file does not tell."""
