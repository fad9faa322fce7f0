"""The registry of row shapes, and which of them a file's records have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dsbuilder_tui.registry import Registry
from dsbuilder_tui.sources.rows.row_shape import RowShape

_HERE = "dsbuilder_tui.sources.rows.shapes"
RECORDS, QUESTIONS = "records", "questions"
# The more particular come first: of two that recognise as many records, the first is taken.
ROW_SHAPES: Registry[RowShape] = Registry(
    "dsbuilder.row_shapes",
    "row shape",
    {
        "squad": f"{_HERE}.squad:SHAPE",
        "promptfoo": f"{_HERE}.promptfoo:SHAPE",
        "promptfoo_table": f"{_HERE}.promptfoo:TABLE",
        "sharegpt": f"{_HERE}.chats:SHAREGPT",
        "chat": f"{_HERE}.chats:MESSAGES",
        "evals": f"{_HERE}.evals:SHAPE",
        "deepeval_conversation": f"{_HERE}.deepeval:CONVERSATION",
        "deepeval": f"{_HERE}.deepeval:GOLDEN",
        "ragas": f"{_HERE}.ragas:SHAPE",
        "instructions": f"{_HERE}.questions:INSTRUCTIONS",
        "langsmith": f"{_HERE}.records:LANGSMITH",
        "langfuse": f"{_HERE}.records:LANGFUSE",
        "braintrust": f"{_HERE}.records:BRAINTRUST",
        RECORDS: f"{_HERE}.records:RECORDS",
        QUESTIONS: f"{_HERE}.questions:QUESTIONS",
    },
    f"{_HERE[: -len('.shapes')]}.row_shape:RowShape",
)


def shape_of(records: Iterable[Any]) -> RowShape | None:
    """The shape that most of a file's first records have; None when no shape knows any of them."""
    sample = [record for record in records if isinstance(record, Mapping)]
    best, most = None, 0
    for name, shape in ROW_SHAPES.all().items():
        try:
            count = sum(1 for record in sample if shape.recognises(record))
        except Exception as error:  # whatever a stranger's shape does with a record it did not expect
            raise ROW_SHAPES.failed(name, error) from error
        if count > most:
            best, most = shape, count
    return best
