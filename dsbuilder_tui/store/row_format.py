"""The form of rows in the session file: JSON text, the columns of a case, and its checksum."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase

CASE_COLUMNS = "seq, category_id, ordinal, inputs, expectations, tags, created_at, crc, batch, structure"


def read_case(names: Mapping[int, str], row: Any) -> AcceptedCase:
    """A row of ``CASE_COLUMNS`` as a case, marked as damaged when its checksum does not match."""
    seq, number, ordinal, inputs, expectations, tags, created_at, crc, batch, structure = row
    if checksum(number, ordinal, inputs, expectations, tags) != crc:
        raw = {"query": str(inputs)}
        return AcceptedCase(
            seq=seq,
            category=names[number],
            ordinal=ordinal,
            inputs=raw,
            expectations={},
            tags={},
            created_at=created_at,
            structure=structure,
            batch=batch,
            damaged=True,
        )
    load = orjson.loads
    return AcceptedCase(
        seq=seq,
        category=names[number],
        ordinal=ordinal,
        inputs=load(inputs),
        expectations=load(expectations),
        tags=load(tags),
        created_at=created_at,
        structure=structure,
        batch=batch,
    )


def to_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def checksum(number: int, ordinal: int, inputs: str, expectations: str, tags: str) -> int:
    head = f"{number}\0{ordinal}\0{inputs}\0{expectations}\0{tags}"
    return zlib.crc32(head.encode("utf-8", "surrogatepass"))
