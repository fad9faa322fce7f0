"""A file of rows as a comparison takes it."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.domain.dataset_comparison import ComparedDataset, ComparedRow
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Source
from dsbuilder_tui.store.imports.temporary_records import TemporaryRecords


def file_dataset(path: str | Path) -> ComparedDataset:
    """The rows of a dataset file, whoever wrote it, in a temporary file; ``-`` is standard input.

    Raises ``InputError`` for what cannot be read, ``StorageError`` when there is no room for that file.
    """
    cases, bad = TemporaryRecords[ComparedRow](), 0
    with Source(path) as source:
        for row in source.checked_rows():
            if isinstance(row, BadLine):
                bad += 1
                continue
            parts = row.parts
            cases.append(
                ComparedRow(
                    place=row.line, id=parts.id or "", category=parts.category, inputs=parts.inputs,
                    expectations=parts.expectations, text=parts.text,
                )
            )  # fmt: skip
    return ComparedDataset(name=str(path), cases=cases, unreadable=bad)
