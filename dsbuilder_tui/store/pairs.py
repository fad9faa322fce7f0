"""The tags of pairs, kept in step: the original of a partner says so, and a case whose other one is gone says nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.case_pair import TAG, CasePair, PairSide, pair_of
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


def join_pair(connection: sqlite3.Connection, case: AcceptedCase, ids: Mapping[str, int]) -> None:
    """A case was let in: when it is a partner, its original bears the pair too; the caller holds the transaction.

    Without its original, or when that has another partner by now, it is a case of its own.
    """
    pair = pair_of(case.tags)
    if pair is None:
        return
    if pair.side is PairSide.PARTNER:
        found = _find(connection, pair.other, ids)
        known = pair_of(found[1]) if found is not None else None
        if found is not None and (known is None or known.other == case.case_id):
            _write(connection, found[0], pair.mirrored(case.case_id))
            return
    _write(connection, case.seq, None)


def part_pair(connection: sqlite3.Connection, seq: int, ids: Mapping[str, int], names: Mapping[int, str]) -> None:
    """A case is about to leave: the other one of its pair is a case of its own; the caller holds the transaction."""
    row = connection.execute("SELECT category_id, ordinal, tags FROM accepted_case WHERE seq=?", (seq,)).fetchone()
    pair = pair_of(_tags(row[2])) if row is not None else None
    if pair is None:
        return
    found = _find(connection, pair.other, ids)
    known = pair_of(found[1]) if found is not None else None
    if found is not None and known is not None and slot_of(known.other) == (names[row[0]], row[1]):
        _write(connection, found[0], None)


def pair_tag(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    """The tag of its pair that a case has at present, to be kept when its other tags are written anew."""
    row = connection.execute("SELECT tags FROM accepted_case WHERE seq=?", (seq,)).fetchone()
    tags = _tags(row[0]) if row is not None else {}
    return {TAG: tags[TAG]} if TAG in tags else {}


def _find(connection: sqlite3.Connection, named: str, ids: Mapping[str, int]) -> tuple[int, dict[str, Any]] | None:
    """Place and tags of a case by its name."""
    slot = slot_of(named)
    if slot is None or slot[0] not in ids:
        return None
    row = connection.execute(
        "SELECT seq, tags FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?",
        (MAIN_BRANCH, ids[slot[0]], slot[1]),
    ).fetchone()
    return None if row is None else (row[0], _tags(row[1]))


def _write(connection: sqlite3.Connection, seq: int, pair: CasePair | None) -> None:
    number, ordinal, inputs, expectations, old, crc = connection.execute(
        "SELECT category_id, ordinal, inputs, expectations, tags, crc FROM accepted_case WHERE seq=?", (seq,)
    ).fetchone()
    if checksum(number, ordinal, inputs, expectations, old) != crc:
        return  # a damaged case stays as it was found
    tags = {key: value for key, value in _tags(old).items() if key != TAG}
    text = to_text(tags | {TAG: pair.as_tag()} if pair is not None else tags)
    connection.execute(
        "UPDATE accepted_case SET tags=?, crc=? WHERE seq=?",
        (text, checksum(number, ordinal, inputs, expectations, text), seq),
    )


def _tags(text: str) -> dict[str, Any]:
    """A damaged case may hold anything."""
    try:
        tags = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return tags if isinstance(tags, dict) else {}
