"""Changes to a session file past all of our code: as damage, or as another version may have written it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dsbuilder_tui.store.table_sums import read_seal, recounted, write_seal


@contextmanager
def written_otherwise(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a session file that is closed, and have its sums say so: no damage, but what somebody has written."""
    with closing(sqlite3.connect(path)) as plain:
        yield plain
        write_seal(plain, recounted(plain, read_seal(plain).commits))
        plain.commit()
