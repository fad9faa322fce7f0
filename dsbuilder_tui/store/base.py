"""What every part of the session store shares: the connection, the categories' numbers, the places in the history."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.store.database import Database

CASE_COLUMNS = "seq, category_id, ordinal, inputs, expectations, tags, created_at, crc, batch, structure"


class StoreBase:
    """Reads and writes one session file. All methods raise ``StorageError`` or ``SessionDamaged`` on a bad disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._seq = 0
        self._checkpoint = 0
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}

    @property
    def seq(self) -> int:
        """The last place in the history that was given out."""
        return self._seq

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def next_checkpoint(self) -> int:
        self._checkpoint += 1
        return self._checkpoint


def read_case(names: Mapping[int, str], row: Any) -> AcceptedCase:
    """A row of ``CASE_COLUMNS`` as a case, marked as damaged when its checksum does not match."""
    seq, number, ordinal, inputs, expectations, tags, created_at, crc, batch, structure = row
    if checksum(number, ordinal, inputs, expectations, tags) != crc:
        raw = {"query": str(inputs)}
        return AcceptedCase(seq, names[number], ordinal, raw, {}, {}, created_at, structure, batch, True)
    load = orjson.loads
    return AcceptedCase(
        seq, names[number], ordinal, load(inputs), load(expectations), load(tags), created_at, structure, batch
    )


def to_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def checksum(number: int, ordinal: int, inputs: str, expectations: str, tags: str) -> int:
    head = f"{number}\0{ordinal}\0{inputs}\0{expectations}\0{tags}"
    return zlib.crc32(head.encode("utf-8", "surrogatepass"))
