"""Cases as flat rows, for formats that have columns."""

from __future__ import annotations

import json
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape

_TAG_COLUMNS = ("case_id", "category", "slot")


class FlatTable:
    """Flat columns: ``inputs.<field>`` and ``attributes.<axis>``, with nested values as JSON."""

    def __init__(self, shape: DatasetShape) -> None:
        self.columns = [
            *_TAG_COLUMNS,
            *(f"inputs.{name}" for name in shape.fields),
            "expectations",
            *(f"attributes.{name}" for name in shape.axes),
            "tags",
        ]
        self._fields, self._axes = shape.fields, shape.axes

    def row(self, case: AcceptedCase) -> list[Any]:
        tags = case.record()["tags"]
        head = [tags.pop(column) for column in _TAG_COLUMNS]
        attributes = tags.pop("attributes", {})
        return [
            *head,
            *(_cell(case.inputs.get(name)) for name in self._fields),
            json.dumps(case.expectations, ensure_ascii=False),
            *(_cell(attributes.get(name)) for name in self._axes),
            json.dumps(tags, ensure_ascii=False),
        ]


def _cell(value: Any) -> str | None:
    """A text as it is, anything else as JSON. A text that looks like the latter is quoted, so that it is read back as it was."""
    if value is None or (isinstance(value, str) and not _looks_like_json(value)):
        return value
    return json.dumps(value, ensure_ascii=False)


def _looks_like_json(text: str) -> bool:
    bare = text.strip()
    return (bare.startswith("{") and bare.endswith("}")) or (bare.startswith("[") and bare.endswith("]"))
