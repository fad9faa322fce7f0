"""Writing what was decided: one transaction for the rows and the counters that count them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_pair import TAG
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.store.checkpoints import write_checkpoints
from dsbuilder_tui.store.pairs import join_pair, pair_tag, part_pair
from dsbuilder_tui.store.response_journal import write_answers
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.rows import Changes, HistoryRow
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.staged_cases import write_staged
from dsbuilder_tui.store.verdicts import says_otherwise, set_verdicts_aside, write_verdict

_PAGE = 1_000
_COPIED = "seq, branch_id, category_id, ordinal, structure, inputs, expectations, tags, created_at, crc, batch"


def apply(connection: sqlite3.Connection, changes: Changes, ids: Mapping[str, int]) -> None:
    """Write all of it; the caller holds the transaction. ``ids`` gives the numbers of the categories.

    Raises ``SessionDamaged`` when a case to withdraw or edit is not there.
    """
    counts = {number: [0, 0, 0] for number in ids.values()}
    _take_out(connection, changes, ids, counts)
    _insert_cases(connection, changes.accepted, ids, counts)
    connection.executemany(
        "INSERT INTO likeness VALUES (?,?,?,?,?)",
        [(k.seq, k.near, k.near_seq, k.semantic, k.semantic_seq) for k in changes.likeness],
    )
    for c in changes.edited:
        _edit(connection, c, ids[c.category])
    for c in changes.accepted:
        join_pair(connection, c, ids)
    for v in changes.verdicts:
        write_verdict(connection, v, ids[v.category])
    rejections = []
    for r in changes.rejected:
        number = ids[r.category]
        rejections.append(
            (r.seq, MAIN_BRANCH, number, r.ordinal, r.attempt, r.stage, r.score, r.threshold, r.nearest_seq,
             r.nearest_case_id, r.reason, r.text, r.created_at, r.batch,
             None if r.candidate is None else to_text(r.candidate))
        )  # fmt: skip
        counts[number][1] += 1
    connection.executemany(
        "INSERT INTO rejection (seq, branch_id, category_id, ordinal, attempt, stage, score, threshold, nearest_seq, "
        "nearest_case_id, reason, text, created_at, batch, candidate) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        rejections,
    )
    for e in changes.exhausted:
        number = ids[e.category]
        connection.execute(
            "INSERT INTO exhausted_slot VALUES (?,?,?,?,?,?)",
            (MAIN_BRANCH, number, e.ordinal, e.seq, e.attempts, e.reason),
        )
        connection.execute("UPDATE rejection SET gave_up=? WHERE seq=?", (e.attempts, e.seq))
        counts[number][2] += 1
    connection.executemany(
        "INSERT INTO worker_call (seq, branch_id, category_id, batch, model, size, outcome, delivered, retries, "
        "prompt_tokens, completion_tokens, seconds, detail, created_at, worker, estimated, role, batched) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            (w.seq, MAIN_BRANCH, ids[w.category], w.batch, w.model, w.size, w.outcome, w.delivered, w.retries,
             w.usage.prompt_tokens, w.usage.completion_tokens, w.seconds, w.detail, w.created_at, w.worker,
             w.usage.estimated, w.role, w.batched)
            for w in changes.calls
        ],
    )  # fmt: skip
    write_answers(connection, changes.answers, ids)
    write_staged(connection, changes.staged, ids)
    write_history(connection, changes.history, ids)
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, to_text(value)) for key, value in changes.meta.items()]
    )
    _count(connection, counts)
    write_checkpoints(connection, changes.checkpoints, changes, ids)  # behind everything else, which they cover


def take_in(connection: sqlite3.Connection, cases: Iterable[AcceptedCase], ids: Mapping[str, int]) -> None:
    """Write any number of cases, of which a page at a time is in memory; the caller holds the transaction."""
    counts = {number: [0, 0, 0] for number in ids.values()}
    paired, remaining = list[AcceptedCase](), iter(cases)
    while page := list(islice(remaining, _PAGE)):
        _insert_cases(connection, page, ids, counts)
        # Both of a pair must be there before they are joined. Of those that have one no more is kept than says so.
        paired += [replace(c, inputs={}, expectations={}, tags={TAG: c.tags[TAG]}) for c in page if TAG in c.tags]
    for case in paired:
        join_pair(connection, case, ids)
    _count(connection, counts)


def _insert_cases(
    connection: sqlite3.Connection,
    accepted: Iterable[AcceptedCase],
    ids: Mapping[str, int],
    counts: Mapping[int, list[int]],
) -> None:
    cases = []
    for c in accepted:
        number = ids[c.category]
        inputs, expectations, tags = to_text(c.inputs), to_text(c.expectations), to_text(c.tags)
        crc = checksum(number, c.ordinal, inputs, expectations, tags)
        cases.append(
            (c.seq, MAIN_BRANCH, number, c.ordinal, c.structure, inputs, expectations, tags, c.created_at, crc, c.batch)
        )
        counts[number][0] += 1
    connection.executemany(f"INSERT INTO accepted_case ({_COPIED}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", cases)


def _count(connection: sqlite3.Connection, counts: Mapping[int, Iterable[int]]) -> None:
    """Add to the accepted, rejected and exhausted ones of each category."""
    connection.executemany(
        "UPDATE progress SET accepted=accepted+?, rejected=rejected+?, exhausted=exhausted+? "
        "WHERE branch_id=? AND category_id=?",
        [(*count, MAIN_BRANCH, number) for number, count in counts.items() if any(count)],
    )


def history_row(seq: int, event: Event) -> HistoryRow:
    """An event as a line of history, from which it can be told again."""
    return HistoryRow(seq=seq, kind=event.type, data=event.facts(), created_at=event.ts)


def write_history(connection: sqlite3.Connection, rows: Iterable[HistoryRow], ids: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO history (seq, branch_id, kind, data, created_at, category_id, ordinal) VALUES (?,?,?,?,?,?,?)",
        [
            (h.seq, MAIN_BRANCH, h.kind, to_text(h.data), h.created_at, ids.get(h.category or ""), h.ordinal)
            for h in rows
        ],
    )


def _take_out(
    connection: sqlite3.Connection, changes: Changes, ids: Mapping[str, int], counts: dict[int, list[int]]
) -> None:
    names = {number: name for name, number in ids.items()}
    for w in changes.withdrawn:
        part_pair(connection, w.seq, ids, names)
        moved = connection.execute(
            f"INSERT INTO withdrawn_case SELECT {_COPIED}, ?, ?, ?, ? FROM accepted_case WHERE seq=?",
            (w.withdrawn_seq, w.replaced_by, w.reason, w.withdrawn_at, w.seq),
        ).rowcount
        _expect(moved, w.seq)
        connection.execute("DELETE FROM accepted_case WHERE seq=?", (w.seq,))
        set_verdicts_aside(connection, w.seq)
        counts[ids[w.category]][0] -= 1
    for name, ordinal in changes.reopened:
        gone = connection.execute(
            "DELETE FROM exhausted_slot WHERE branch_id=? AND category_id=? AND ordinal=?",
            (MAIN_BRANCH, ids[name], ordinal),
        ).rowcount
        counts[ids[name]][2] -= gone


def _edit(connection: sqlite3.Connection, case: AcceptedCase, number: int) -> None:
    inputs, expectations = to_text(case.inputs), to_text(case.expectations)
    kept = {key: value for key, value in case.tags.items() if key != TAG} | pair_tag(connection, case.seq)
    tags = to_text(kept)
    values: tuple[Any, ...] = (
        case.structure, inputs, expectations, tags, checksum(number, case.ordinal, inputs, expectations, tags), case.seq,
    )  # fmt: skip
    connection.execute(  # how like others it was when it said something else
        "DELETE FROM likeness WHERE seq=? AND (SELECT inputs FROM accepted_case WHERE seq=?) IS NOT ?",
        (case.seq, case.seq, inputs),
    )
    if says_otherwise(connection, case.seq, inputs, expectations):
        set_verdicts_aside(connection, case.seq)
        # They are about what it said. Where the session goes back before the edit, they are read again.
        connection.execute(
            "UPDATE evaluation_run SET digest='' WHERE id IN (SELECT evaluation FROM evaluation_result WHERE case_seq=?)",
            (case.seq,),
        )
        connection.execute("DELETE FROM evaluation_result WHERE case_seq=?", (case.seq,))
    changed = connection.execute(
        "UPDATE accepted_case SET structure=?, inputs=?, expectations=?, tags=?, crc=? WHERE seq=?", values
    ).rowcount
    _expect(changed, case.seq)


def _expect(rows: int, seq: int) -> None:
    if rows != 1:
        raise SessionDamaged(f"The case with the number {seq} is not in the session file.", "Open the session again.")
