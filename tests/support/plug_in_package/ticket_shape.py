"""A row shape: tickets with a subject, and what closed them."""

from dsbuilder_tui.sources.rows.row_parts import parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape


def parts(record):
    inputs = {"query": record["subject"]}
    return parts_of(record, inputs, {"expected_response": record["resolution"]}, ("subject", "resolution"))


SHAPE = RowShape(label="tickets", recognises=lambda record: {"subject", "resolution"} <= set(record), parts=parts)
