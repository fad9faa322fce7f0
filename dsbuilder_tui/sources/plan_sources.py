"""The documents and files of rows that a plan's cases are written from, looked for before anything is made."""

from __future__ import annotations

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.sources.documents.document_reader import require_documents
from dsbuilder_tui.sources.rows.named_rows import require_rows


def require_sources(plan: DatasetPlanInput, before: DatasetPlanInput | None = None) -> None:
    """Raises ``InputError`` for documents that are not there, and for files that have not the rows or fields that are named.

    What the plan ``before`` names was looked for then.
    """
    documents = before.all_sources() if before is not None else ()
    rows = {category.rows for category in before.categories} if before is not None else set()
    require_documents(path for path in plan.all_sources() if path not in documents)
    require_rows(axis for axis in dict.fromkeys(c.rows for c in plan.categories) if axis and axis not in rows)
