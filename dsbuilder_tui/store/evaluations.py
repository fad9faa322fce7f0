"""Evaluations of the application, as they were read from MLflow: runs, and what came of each case in them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.evaluation import (
    EASY,
    LEAST_RUNS_OF_EASY,
    Assessment,
    CaseOutcome,
    CaseResult,
    EvaluationRun,
)
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH

PAGE = 500  # cases
_MOST_PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class EvaluatedCase:
    """A case that is there, with what came of it in each evaluation, by the number of the run, the oldest first."""

    seq: int
    category: str
    ordinal: int
    tags: Mapping[str, Any]
    results: tuple[tuple[int, CaseResult], ...]

    def is_easy(self, thresholds: Mapping[str, float]) -> bool:
        """Whether it passed each evaluation that says something of it, and there are two at least."""
        said = [outcome for _, one in self.results if (outcome := one.outcome(thresholds)) is not CaseOutcome.UNSCORED]
        return len(said) >= LEAST_RUNS_OF_EASY and set(said) == {CaseOutcome.PASSED}


class EvaluationTable:
    """Reads and writes evaluations."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def runs(self) -> dict[int, EvaluationRun]:
        """All evaluations by their numbers, the oldest first."""

        def read(connection: sqlite3.Connection) -> dict[int, EvaluationRun]:
            rows = connection.execute(
                "SELECT id, run_id, name, version, started_at, ended_at, cases, unmatched FROM evaluation_run "
                "ORDER BY started_at, id"
            )
            names = ("run_id", "name", "version", "started_at", "ended_at", "cases", "unmatched")
            return {row[0]: EvaluationRun(**dict(zip(names, row[1:], strict=True))) for row in rows}

        return await self._store.read(read)

    async def write(self, run: EvaluationRun, results: Iterable[CaseResult]) -> bool:
        """Put an evaluation in the place of what was known of it; returns whether anything differs.

        Results of cases that are not there are counted as unmatched.
        """
        given = {one.case_seq: one for one in results}

        def write(connection: sqlite3.Connection) -> bool:
            there = _there(connection, sorted(given))
            rows = [(seq, int(given[seq].raised), _as_text(given[seq].scores)) for seq in there]
            unmatched = run.unmatched + len(given) - len(there)
            said = (run.name, run.version, run.started_at, run.ended_at, len(rows), unmatched)
            digest = hashlib.blake2b(orjson.dumps([said, rows]), digest_size=12).hexdigest()
            known = connection.execute("SELECT id, digest FROM evaluation_run WHERE run_id=?", (run.run_id,)).fetchone()
            if known is not None and known[1] == digest:
                return False
            if known is not None:
                number = known[0]
                connection.execute(  # what is known of cases of other branches stays for when these are worked on again
                    "DELETE FROM evaluation_result WHERE evaluation=? AND case_seq NOT IN "
                    "(SELECT seq FROM shelved_accepted_case)",
                    (number,),
                )
                connection.execute(
                    "UPDATE evaluation_run SET name=?, version=?, started_at=?, ended_at=?, cases=?, unmatched=?, digest=? "
                    "WHERE id=?",
                    (*said, digest, number),
                )
            else:
                number = connection.execute(
                    "INSERT INTO evaluation_run (run_id, name, version, started_at, ended_at, cases, unmatched, digest) "
                    "VALUES (?,?,?,?,?,?,?,?)",
                    (run.run_id, *said, digest),
                ).lastrowid
            connection.executemany(
                "INSERT INTO evaluation_result (case_seq, evaluation, raised, scores) VALUES (?,?,?,?)",
                [(seq, number, raised, scores) for seq, raised, scores in rows],
            )
            return True

        return await self._store.write(write)

    async def page(self, after: int) -> list[EvaluatedCase]:
        """The next evaluated cases behind a place in the history that are there and sound, in order."""
        runs = await self.runs()
        return await self._store.read(lambda connection: self._page(connection, after, runs))

    def _page(
        self, connection: sqlite3.Connection, after: int, runs: Mapping[int, EvaluationRun]
    ) -> list[EvaluatedCase]:
        order = {number: place for place, number in enumerate(runs)}
        found: list[EvaluatedCase] = []
        while not found:  # a stretch of cases that have all left is passed over
            seqs = [
                seq
                for (seq,) in connection.execute(
                    "SELECT DISTINCT case_seq FROM evaluation_result WHERE case_seq>? ORDER BY case_seq LIMIT ?",
                    (after, PAGE),
                )
            ]
            if not seqs:
                break
            after = seqs[-1]
            results: dict[int, list[tuple[int, CaseResult]]] = {}
            for seq, number, raised, scores in connection.execute(
                "SELECT case_seq, evaluation, raised, scores FROM evaluation_result WHERE case_seq BETWEEN ? AND ?",
                (seqs[0], seqs[-1]),
            ):
                result = CaseResult(case_seq=seq, raised=bool(raised), scores=_scores(scores))
                results.setdefault(seq, []).append((number, result))
            for seq, number, ordinal, tags in connection.execute(
                "SELECT seq, category_id, ordinal, tags FROM accepted_case WHERE branch_id=? AND seq BETWEEN ? AND ? "
                "AND json_valid(tags) ORDER BY seq",
                (MAIN_BRANCH, seqs[0], seqs[-1]),
            ):
                if seq in results:
                    by_run = tuple(sorted(results[seq], key=lambda one: order[one[0]]))
                    found.append(EvaluatedCase(seq, self._store.names[number], ordinal, orjson.loads(tags), by_run))
        return found

    async def mark_easy(self, thresholds: Mapping[str, float]) -> int:
        """Tag evaluated cases that are easy, and untag those that are no more; returns how many have changed."""
        changed, after, runs = 0, 0, await self.runs()

        def write(connection: sqlite3.Connection, page: Sequence[EvaluatedCase]) -> int:
            many = 0
            for case in page:
                easy = case.is_easy(thresholds)
                if easy != (case.tags.get(EASY) is True):
                    many += _tag(connection, case.seq, easy=easy)
            return many

        while page := await self._store.read(lambda connection, after=after: self._page(connection, after, runs)):  # type: ignore[misc]
            after = page[-1].seq
            if any(case.is_easy(thresholds) != (case.tags.get(EASY) is True) for case in page):
                changed += await self._store.write(lambda connection, page=page: write(connection, page))  # type: ignore[misc]
        return changed

    async def newest(self, seqs: Sequence[int]) -> dict[int, CaseResult]:
        """What the newest evaluation said of each of a few cases."""

        def read(connection: sqlite3.Connection) -> dict[int, CaseResult]:
            marks = ",".join("?" * len(seqs))
            rows = connection.execute(
                "SELECT case_seq, raised, scores FROM evaluation_result JOIN evaluation_run ON id=evaluation "
                f"WHERE case_seq IN ({marks}) ORDER BY started_at, id",
                tuple(seqs),
            )
            return {seq: CaseResult(case_seq=seq, raised=bool(r), scores=_scores(s)) for seq, r, s in rows}

        return await self._store.read(read) if seqs else {}


def _there(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[int]:
    found = list[int]()
    for start in range(0, len(seqs), _MOST_PARAMETERS):
        part = seqs[start : start + _MOST_PARAMETERS]
        marks = ",".join("?" * len(part))
        rows = connection.execute(
            f"SELECT seq FROM accepted_case WHERE branch_id=? AND seq IN ({marks}) ORDER BY seq", (MAIN_BRANCH, *part)
        )
        found += [seq for (seq,) in rows]
    return found


def _tag(connection: sqlite3.Connection, seq: int, *, easy: bool) -> bool:
    """Write or take away the tag of one case; a damaged one is left alone."""
    row = connection.execute(
        "SELECT category_id, ordinal, inputs, expectations, tags, crc FROM accepted_case WHERE seq=?", (seq,)
    ).fetchone()
    if row is None:
        return False
    number, ordinal, inputs, expectations, old, crc = row
    if checksum(number, ordinal, inputs, expectations, old) != crc:
        return False
    tags = orjson.loads(old)
    tags.pop(EASY, None)
    text = to_text({**tags, EASY: True} if easy else tags)
    crc = checksum(number, ordinal, inputs, expectations, text)
    connection.execute("UPDATE accepted_case SET tags=?, crc=? WHERE seq=?", (text, crc, seq))
    return True


def _as_text(scores: Sequence[Assessment]) -> str:
    return to_text([[score.scorer, score.value, score.why, score.broken] for score in scores])


def _scores(text: str) -> tuple[Assessment, ...]:
    return tuple(Assessment(*one) for one in orjson.loads(text))
