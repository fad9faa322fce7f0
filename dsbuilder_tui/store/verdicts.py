"""A judge's verdicts: written beside the case's tags in one transaction, and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.agreement import PersonLabel
from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.judging import TAG, JudgedCounts, Judgement
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.rows import CaseVerdict, RecordedVerdict
from dsbuilder_tui.store.schema import MAIN_BRANCH

_ANNOTATED, _KEPT = "case_annotated", "kept_anyway"
_ACTS = (_ANNOTATED, _KEPT, "case_edited", "case_withdrawn")
VERDICT_COLUMNS = "seq, category_id, ordinal, case_seq, finding, failed, reason, created_at"


class VerdictTable:
    """Reads verdicts. Those that stand are about a case that is there and says what was judged."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def judged(self) -> set[int]:
        """The places of all cases on which a verdict stands, also one that the judge could not give."""
        sql = "SELECT case_seq FROM verdict WHERE branch_id=? AND standing=1"
        return await self._store.read(lambda connection: {seq for (seq,) in connection.execute(sql, (MAIN_BRANCH,))})

    async def counts(self) -> dict[str, JudgedCounts]:
        """What stands, by category. Reads an index, not the verdicts; a category without any is left out."""

        def read(connection: sqlite3.Connection) -> dict[str, JudgedCounts]:
            found: dict[int, dict[str, int]] = {}
            for number, finding, count in connection.execute(
                "SELECT category_id, finding, count(*) FROM verdict INDEXED BY verdict_finding "
                "WHERE branch_id=? AND standing=1 GROUP BY category_id, finding",
                (MAIN_BRANCH,),
            ):
                found.setdefault(number, {})[finding] = count
            cases = dict(
                connection.execute("SELECT category_id, accepted FROM progress WHERE branch_id=?", (MAIN_BRANCH,))
            )
            return {
                self._store.names[number]: JudgedCounts(
                    counts.get(Judgement.GOOD, 0), counts.get(Judgement.BAD, 0), counts.get(Judgement.NOT_JUDGED, 0),
                    cases.get(number, 0),
                )
                for number, counts in found.items()
            }  # fmt: skip

        return await self._store.read(read)

    async def last_finding(self, case_seq: int) -> Judgement | None:
        """What the judge found last of a case, good or bad, whatever became of the case since; None when nothing."""
        row = await self._store.read(lambda connection: _before(connection, case_seq, self._store.seq + 1))
        return None if row is None else Judgement(row[0])

    async def labels(self) -> list[PersonLabel]:
        """What the person decided about cases that the judge had read by then, oldest first: the last act on each counts."""

        def read(connection: sqlite3.Connection) -> list[PersonLabel]:
            found: dict[int, PersonLabel] = {}
            marks = ",".join("?" * len(_ACTS))
            for seq, kind, text, number, ordinal in connection.execute(
                f"SELECT seq, kind, data, category_id, ordinal FROM history WHERE kind IN ({marks}) ORDER BY seq", _ACTS
            ):
                data = orjson.loads(text)
                if data.get("by") == Stage.JUDGE:
                    continue
                if kind == _ANNOTATED and not _approves(data):
                    if _takes_back(data):
                        found.pop(data["seq"], None)
                    continue
                kept = kind == _KEPT
                if kept and data.get("stage") == Stage.PERSON:  # what a person took out is back
                    found.pop(_taken_out(connection, data["rejection"]), None)
                    continue
                verdict = _of_rejection(connection, data) if kept else _before(connection, data["seq"], seq)
                if verdict is None:
                    continue
                found.pop(data["seq"], None)
                found[data["seq"]] = PersonLabel(
                    case_id=case_id(self._store.names[number], ordinal), text=str(data.get("text", "")),
                    judged_good=verdict[0] == Judgement.GOOD, person_good=kind in (_KEPT, _ANNOTATED), reason=verdict[1],
                )  # fmt: skip
            return list(found.values())

        return await self._store.read(read)


def _approves(data: Mapping[str, Any]) -> bool:
    """Whether a person says by their marks that a case is good: it is pinned, or was looked at and let stand."""
    before, after = data["before"], data["after"]
    return bool(after.get("pinned") or (after.get(REVIEWED) and not before.get(REVIEWED)))


def _takes_back(data: Mapping[str, Any]) -> bool:
    """Whether a person has taken such a mark off again."""
    return any(data["before"].get(mark) and not data["after"].get(mark) for mark in ("pinned", REVIEWED))


def _before(connection: sqlite3.Connection, case_seq: int, seq: int) -> tuple[str, str] | None:
    """The last verdict on a case, good or bad, before a place in the history, with its reason."""
    row = connection.execute(
        "SELECT finding, reason FROM verdict WHERE case_seq=? AND seq<? AND finding IN (?, ?) ORDER BY seq DESC LIMIT 1",
        (case_seq, seq, Judgement.GOOD, Judgement.BAD),
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _of_rejection(connection: sqlite3.Connection, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The verdict by which a candidate was turned away that a person kept; None when another stage did that."""
    if data.get("stage") != Stage.JUDGE:
        return None
    row = connection.execute("SELECT reason FROM rejection WHERE seq=?", (data["rejection"],)).fetchone()
    return None if row is None else (Judgement.BAD, row[0])


def _taken_out(connection: sqlite3.Connection, rejection: int) -> int:
    """The place of the case that a person took out by a rejection; 0 when that is not known."""
    row = connection.execute("SELECT nearest_seq FROM rejection WHERE seq=?", (rejection,)).fetchone()
    return 0 if row is None else row[0] or 0


def verdict_from(names: Mapping[int, str], row: Sequence[Any]) -> RecordedVerdict:
    """A row of ``VERDICT_COLUMNS``."""
    seq, number, ordinal, case_seq, finding, failed, reason, created_at = row
    return RecordedVerdict(
        seq=seq,
        category=names[number],
        ordinal=ordinal,
        case_seq=case_seq,
        finding=Judgement(finding),
        failed=tuple(orjson.loads(failed)),
        reason=reason,
        created_at=created_at,
    )


def write_verdict(connection: sqlite3.Connection, judged: CaseVerdict, number: int) -> None:
    """Write a verdict, and put it into the tags of its case; the caller holds the transaction.

    Nothing is written when the case is gone, or says something else by now.
    """
    row = connection.execute(
        "SELECT inputs, expectations, tags FROM accepted_case WHERE seq=?", (judged.case_seq,)
    ).fetchone()
    if row is None or row[:2] != (to_text(judged.inputs), to_text(judged.expectations)):
        return
    verdict = judged.verdict
    set_verdicts_aside(connection, judged.case_seq)
    connection.execute(
        "INSERT INTO verdict VALUES (?,?,?,?,?,1,?,?,?,?,?,?)",
        (judged.seq, MAIN_BRANCH, number, judged.ordinal, judged.case_seq, verdict.finding, to_text(verdict.failed),
         verdict.reason, verdict.quote, verdict.model, judged.created_at),
    )  # fmt: skip
    inputs, expectations, old = row
    tags = to_text({**orjson.loads(old), TAG: verdict.as_tag()})
    if tags != old:
        connection.execute(
            "UPDATE accepted_case SET tags=?, crc=? WHERE seq=?",
            (tags, checksum(number, judged.ordinal, inputs, expectations, tags), judged.case_seq),
        )


def set_verdicts_aside(connection: sqlite3.Connection, case_seq: int) -> None:
    """No verdict on this case stands any more."""
    connection.execute("UPDATE verdict SET standing=0 WHERE case_seq=? AND standing=1", (case_seq,))


def says_otherwise(connection: sqlite3.Connection, case_seq: int, inputs: str, expectations: str) -> bool:
    """Whether a case says something else than these texts."""
    row = connection.execute("SELECT inputs, expectations FROM accepted_case WHERE seq=?", (case_seq,)).fetchone()
    return row is not None and row != (inputs, expectations)
