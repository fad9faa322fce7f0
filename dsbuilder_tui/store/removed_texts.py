"""Texts that are not in the dataset any more and yet must not come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

import orjson

from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.rows import RemovedText
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.standing_lines import STANDING_LINE


def removed_texts(connection: sqlite3.Connection, names: Mapping[int, str]) -> Iterator[RemovedText]:
    """What withdrawn cases said, and what edited ones said before; damaged ones are left out."""
    for row in connection.execute(f"SELECT {CASE_COLUMNS} FROM withdrawn_case WHERE branch_id=?", (MAIN_BRANCH,)):
        case = read_case(names, row)
        if not case.damaged:
            yield RemovedText(case.seq, case.category, case.ordinal, case.inputs, case.expectations)
    for number, ordinal, data in connection.execute(
        f"SELECT category_id, ordinal, data FROM history WHERE kind='case_edited' AND {STANDING_LINE}"
    ):
        told = orjson.loads(data)
        before = told["before"]
        yield RemovedText(told["seq"], names[number], ordinal, before["inputs"], before["expectations"])
