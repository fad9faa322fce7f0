"""Files of rows, whoever wrote them, for the rooms above."""

from __future__ import annotations

from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.row_import import add_rows, extend_rows, import_rows

__all__ = ["FieldChoice", "add_rows", "extend_rows", "import_rows"]
