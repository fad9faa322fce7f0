"""The sums of a session file are asked for with as many statements as there are tables."""

from __future__ import annotations

import sqlite3

from dsbuilder_tui.store.schema import MIGRATIONS
from dsbuilder_tui.store.soundness import table_damages
from dsbuilder_tui.store.table_sums import covered_columns, recounted


def test_the_columns_are_read_once_for_all_tables() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(";".join(MIGRATIONS))
    said: list[str] = []
    connection.set_trace_callback(said.append)
    seal = recounted(connection)
    assert len(seal.sums) > 30 and sum(each.startswith("SELECT") for each in said) == len(seal.sums) + 1
    looked_at = sum("table_info=" in each for each in said)
    assert looked_at == len({each for each in said if "table_info=" in each}), "of each table once"
    said.clear()
    assert not table_damages(connection, seal)
    assert sum("table_info=" in each for each in said) == looked_at
    connection.close()


def test_what_a_row_s_own_checksum_covers_is_left_to_it() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(";".join(MIGRATIONS))
    columns = covered_columns(connection)
    assert "seal" not in columns and not [name for name in columns if name.startswith("sqlite_")]
    assert {"ordinal", "crc"} <= set(columns["accepted_case"]) and "inputs" not in columns["accepted_case"]
    assert {"seq", "data"} <= set(columns["history"])
    connection.close()
