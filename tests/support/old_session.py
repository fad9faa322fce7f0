"""Session files as older versions wrote them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from dsbuilder_tui.store.schema import MIGRATIONS, SEALED
from dsbuilder_tui.store.table_sums import read_seal, recounted, write_seal


def downgrade(path: Path, version: int) -> None:
    """Write a closed session file anew with the schema of an older version, keeping what that version can hold."""
    newer = path.rename(path.with_name("newer.db"))
    plain = sqlite3.connect(path)
    for number in range(version):
        plain.executescript(MIGRATIONS[number])
    plain.execute(f"PRAGMA user_version={version}")
    plain.execute("ATTACH ? AS newer", (str(newer),))
    for (table,) in plain.execute("SELECT name FROM main.sqlite_master WHERE type='table'").fetchall():
        columns = ", ".join(row[1] for row in plain.execute(f"PRAGMA main.table_info({table})"))
        plain.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    if version >= SEALED:  # the sums of that version are of its own tables
        seal = read_seal(plain)
        write_seal(plain, replace(recounted(plain, seal.commits), closed=seal.closed))
    plain.commit()
    plain.close()
    newer.unlink()
