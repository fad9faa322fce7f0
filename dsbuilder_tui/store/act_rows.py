"""Rows that an act changed: taken down in its transaction, and put back when it is undone or redone.

An act is undone by bringing back what it changed and nothing else: of a case that a judge has read since, a pin is taken off and
the verdict stays. Where what it changed says something else by now, nothing is done, and that is said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.case import case_id, slot_of
from dsbuilder_tui.domain.case_pair import TAG as PAIR
from dsbuilder_tui.domain.case_pair import pair_of
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.undo import ActOutdated
from dsbuilder_tui.store.retired_slots import retired_slots
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.travelled_tables import TRAVELLED_TABLES, TravelledTable, note_return
from dsbuilder_tui.store.verdicts import set_verdicts_aside

_CASES, _REJECTIONS, _EXHAUSTED, _RETIRED = "accepted_case", "rejection", "exhausted_slot", "retired_slot"
_COUNTED = {_CASES: "accepted", _REJECTIONS: "rejected", _EXHAUSTED: "exhausted"}
_OF_PERSON = (
    "note",
    "pinned",
    "edited",
    REVIEWED,
)  # tags; what a program wrote into others does not speak against an undo
_RESULTS = TravelledTable(
    "evaluation_result", ("case_seq", "evaluation", "raised", "scores"), key=("case_seq", "evaluation")
)
# The lines of history stay: what was done and undone has happened.
_TABLES = {table.name: table for table in (*TRAVELLED_TABLES, _RESULTS) if table.name != "history"}

Row = dict[str, Any]  # by column


@dataclass(slots=True)
class ChangedRow:
    """A row before an act and after it; None where it was not there."""

    table: TravelledTable
    former: Row | None
    latter: Row | None

    @property
    def key(self) -> tuple[Any, ...]:
        """By which it is found."""
        return _key(self.table, self.former or self.latter or {})


@dataclass(frozen=True, slots=True)
class Return:
    """What is put back: for each row how it is now and how it is to be."""

    rows: tuple[ChangedRow, ...] = ()

    def counts(self) -> dict[int, dict[str, int]]:
        """By how many the counters of each category change, by its number."""
        found: dict[int, dict[str, int]] = {}
        for row in self.rows:
            change = (row.latter is not None) - (row.former is not None)
            if change and row.table.name in _COUNTED:
                of = found.setdefault(
                    (row.latter or row.former or {})["category_id"], dict.fromkeys(_COUNTED.values(), 0)
                )
                of[_COUNTED[row.table.name]] += change
        return found

    def without_slots(self) -> Return:
        """The same, but which slots are exhausted or retired stays as it is."""
        return Return(tuple(row for row in self.rows if row.table.name not in (_EXHAUSTED, _RETIRED)))

    def stages(self) -> dict[str, int]:
        """By how many the rejections of each stage change."""
        found: dict[str, int] = {}
        for row in self.rows:
            change = (row.latter is not None) - (row.former is not None)
            if change and row.table.name == _REJECTIONS:
                stage = str((row.latter or row.former or {})["stage"])
                found[stage] = found.get(stage, 0) + change
        return found

    def cases(self) -> list[tuple[Row | None, Row | None]]:
        """The accepted cases, now and to be."""
        return [(row.former, row.latter) for row in self.rows if row.table.name == _CASES]

    def exhausted(self) -> set[tuple[int, int]]:
        """The slots that are exhausted then, by number of the category and ordinal."""
        return {
            (row.latter["category_id"], row.latter["ordinal"])
            for row in self.rows
            if row.table.name == _EXHAUSTED and row.latter is not None
        }


@contextmanager
def watched_rows(connection: sqlite3.Connection, act: int) -> Iterator[None]:
    """Take down the rows that are changed inside of this, as those of an act; the caller holds the transaction."""
    changes: dict[tuple[str, tuple[Any, ...]], ChangedRow] = {}

    def changed(name: str, gone: int, *values: Any) -> None:
        table = _TABLES[name]
        row = dict(zip(table.columns, values, strict=True))
        known = changes.get((name, _key(table, row)))
        if known is None:
            known = changes[name, _key(table, row)] = ChangedRow(table, row if gone else None, None)
        known.latter = None if gone else row

    connection.create_function("act_row_changed", -1, changed)
    triggers = [(table, event) for table in _TABLES.values() for event in ("INSERT", "UPDATE", "DELETE")]
    for table, event in triggers:
        old, new = (
            f"SELECT act_row_changed('{table.name}', {gone}, {', '.join(f'{row}.{column}' for column in table.columns)});"
            for gone, row in ((1, "OLD"), (0, "NEW"))
        )
        body = {"INSERT": new, "UPDATE": old + new, "DELETE": old}[event]
        connection.execute(
            f"CREATE TEMP TRIGGER act_{event}_{table.name} AFTER {event} ON main.{table.name} BEGIN {body} END"
        )
    yield
    for table, event in triggers:
        connection.execute(f"DROP TRIGGER temp.act_{event}_{table.name}")
    connection.executemany(
        "INSERT INTO act_row (act_id, of_table, columns, former, latter) VALUES (?,?,?,?,?)",
        [
            (
                act,
                row.table.name,
                to_text(row.table.columns),
                *(None if r is None else to_text(list(r.values())) for r in both),
            )
            for row in changes.values()
            if (both := (row.former, row.latter)) and row.former != row.latter
        ],
    )


def rows_of(connection: sqlite3.Connection, act: int) -> list[ChangedRow]:
    """The rows that an act changed."""
    found = []
    for name, columns, *both in connection.execute(
        "SELECT of_table, columns, former, latter FROM act_row WHERE act_id=? ORDER BY id", (act,)
    ):
        if name in _TABLES:
            former, latter = (
                None if row is None else dict(zip(orjson.loads(columns), orjson.loads(row), strict=True))
                for row in both
            )
            found.append(ChangedRow(_TABLES[name], former, latter))
    return found


class Returning:
    """Works out what is to be put back of an act, and puts it back. Called on the store's thread."""

    def __init__(self, connection: sqlite3.Connection, names: Mapping[int, str], room: Mapping[int, int]) -> None:
        """``names`` are those of the categories, ``room`` has the count of each category of the plan."""
        self.connection, self.names, self.room = connection, names, room
        self._steps: list[ChangedRow] = []
        self._leaving: set[tuple[int, int]] = set()  # slots whose case is to leave
        self._retired: dict[int, set[int]] = {}  # slots that are not planned afterwards
        self._expected: list[tuple[TravelledTable, Row, Row | None]] = []  # slots as the act left them

    def of_act(self, act: int, *, redo: bool) -> Return:
        """What is to be put back so that an act is undone, or done again. Raises ``ActOutdated``."""
        # Each as it is to be, and as it was left.
        rows = [
            (row.table, *((row.latter, row.former) if redo else (row.former, row.latter)))
            for row in rows_of(self.connection, act)
        ]
        self._steps = []
        self._leaving = {
            _slot(then) for table, to_be, then in rows if table.name == _CASES and to_be is None and then is not None
        }
        self._retired = {number: set(ordinals) for number, ordinals in retired_slots(self.connection).items()}
        self._expected = [
            (table, to_be or then or {}, then) for table, to_be, then in rows if table.name in (_EXHAUSTED, _RETIRED)
        ]
        for table, to_be, then in rows:
            if table.name == _RETIRED:
                number, ordinal = _slot(to_be or then or {})
                others = self._retired.get(number, set()) - {ordinal}
                self._retired[number] = others if to_be is None else others | {ordinal}
        for table, to_be, then in rows:
            if table.name == _CASES:
                self._case(to_be, then)
            elif table.name != _EXHAUSTED:
                self._row(table, to_be, then)
        arriving = {_slot(row.latter) for row in self._steps if row.table.name == _CASES and row.latter is not None}
        for table, to_be, then in rows:
            if table.name == _EXHAUSTED and (to_be is None or (_slot(to_be) not in arriving and self._is_free(to_be))):
                self._row(table, to_be, then)
        self._open_given_up(arriving)
        return Return(tuple(self._steps))

    def fits(self, back: Return) -> bool:
        """Whether the exhausted and retired slots are still as the act left them, and every case has its place afterwards."""
        if any((self._now(table, row) is None) != (then is None) for table, row, then in self._expected):
            return False
        cases = self.connection.execute(
            "SELECT category_id, ordinal FROM accepted_case WHERE branch_id=?", (MAIN_BRANCH,)
        )
        coming = (_slot(to_be) for _, to_be in back.cases() if to_be is not None)
        staying = (slot for slot in cases if tuple(slot) not in self._leaving)
        return all(self._has_place(number, ordinal) for number, ordinal in (*staying, *coming))

    def carry_out(self, back: Return) -> None:
        """Put it back; the caller holds the transaction."""
        for now, to_be in back.cases():
            if now is not None and _content(now) != _content(to_be):
                set_verdicts_aside(self.connection, now["seq"])
        for row in back.rows:
            if row.latter is None:
                self._execute(f"DELETE FROM {row.table.name} WHERE {_where(row.table)}", row.key)
        for row in back.rows:
            if row.former is not None and row.latter is not None:
                columns = [column for column in row.table.columns if column not in row.table.key]
                self._execute(
                    f"UPDATE {row.table.name} SET {', '.join(f'{column}=?' for column in columns)} WHERE {_where(row.table)}",
                    [*(row.latter[column] for column in columns), *row.key],
                )
            elif row.latter is not None:
                if row.table in TRAVELLED_TABLES:
                    note_return(self.connection, row.table, row.latter)
                listed, marks = ", ".join(row.latter), ", ".join("?" * len(row.latter))
                self._execute(f"INSERT INTO {row.table.name} ({listed}) VALUES ({marks})", list(row.latter.values()))
        self.connection.executemany(
            "UPDATE progress SET accepted=accepted+?, rejected=rejected+?, exhausted=exhausted+? "
            "WHERE branch_id=? AND category_id=?",
            [
                (c["accepted"], c["rejected"], c["exhausted"], MAIN_BRANCH, number)
                for number, c in back.counts().items()
            ],
        )

    def _execute(self, sql: str, values: Sequence[Any]) -> None:
        self.connection.execute(sql, tuple(values))

    def _now(self, table: TravelledTable, row: Row) -> Row | None:
        found = self.connection.execute(
            f"SELECT {table.listed} FROM {table.name} WHERE {_where(table)}", _key(table, row)
        ).fetchone()
        return None if found is None else dict(zip(table.columns, found, strict=True))

    def _row(self, table: TravelledTable, to_be: Row | None, then: Row | None) -> None:
        """A row of a table in which nothing speaks against it."""
        now = self._now(table, to_be or then or {})
        if to_be is not None and then is not None:  # changed: only what the act had changed
            changed = {column: to_be[column] for column in to_be if to_be[column] != then[column]}
            to_be = None if now is None else {**now, **changed}
        if now != to_be:
            self._steps.append(ChangedRow(table, now, to_be))

    def _open_given_up(self, arriving: set[tuple[int, int]]) -> None:
        """A slot that was given up meanwhile has its case again."""
        table = _TABLES[_EXHAUSTED]
        done = {row.key for row in self._steps if row.table is table}
        for number, ordinal in arriving:
            now = self._now(table, {"category_id": number, "ordinal": ordinal})
            if now is not None and (number, ordinal) not in done:
                self._steps.append(ChangedRow(table, now, None))

    def _case(self, to_be: Row | None, then: Row | None) -> None:
        table = _TABLES[_CASES]
        some = to_be or then or {}
        name = case_id(self.names[some["category_id"]], some["ordinal"])
        now = self._now(table, some)
        if to_be is None:
            if now is None or then is None or _content(now) != _content(then):
                raise ActOutdated(f"{name} says something else by now, or has gone.", "F2 shows what is there.")
            if _tags(now).get("pinned") and not _tags(then).get("pinned"):
                raise ActOutdated(f"{name} has been pinned since.", "Unpin it first (F2, p).")
            self._steps.append(ChangedRow(table, now, None))
        elif then is None:
            if now is not None:
                return
            if not self._has_place(*_slot(to_be)):
                raise ActOutdated(f"The plan no longer has a place for {name}.", "Raise the category's count first.")
            if not self._is_free(to_be):
                raise ActOutdated(
                    f"{name} was written anew since.", "F5 shows the one from before; k puts it back in its place."
                )
            self._steps.append(ChangedRow(table, None, self._with_its_pair(to_be)))
        else:
            self._changed_case(table, name, to_be, then, now)

    def _changed_case(self, table: TravelledTable, name: str, to_be: Row, then: Row, now: Row | None) -> None:
        tags_to_be, tags_then = _tags(to_be), _tags(then)
        changed = {key for key in {*tags_to_be, *tags_then} if tags_to_be.get(key) != tags_then.get(key)}
        if now is None:
            if changed <= {PAIR} and _content(to_be) == _content(then):
                return  # the other one of a pair, which has left on its own since
            raise ActOutdated(f"{name} is not there any more.", "F5 shows what was turned away; k brings a case back.")
        tags_now, new = _tags(now), dict(now)
        edited = _content(to_be) != _content(then)
        if edited and _content(now) != _content(then):
            raise ActOutdated(f"{name} was changed since.", "F2 shows what it says now; e edits it.")
        if any(tags_now.get(key) != tags_then.get(key) for key in changed.intersection(_OF_PERSON)):
            raise ActOutdated(f"What was noted on {name} was changed since.", "F2 shows it.")
        if edited:
            new |= {column: to_be[column] for column in ("inputs", "expectations", "structure")}
        kept = {key: value for key, value in tags_now.items() if key not in changed}
        merged = {key: tags_to_be[key] for key in tags_to_be if key in changed}
        # In the order of what it had, so that the row is what it was, byte for byte.
        order = [*tags_to_be, *(key for key in kept if key not in tags_to_be)]
        both = kept | merged
        new["tags"] = to_text({key: both[key] for key in order if key in both})
        if new != now:
            self._steps.append(ChangedRow(table, now, _summed(new)))

    def _has_place(self, number: int, ordinal: int) -> bool:
        """Whether the plan has a slot afterwards."""
        retired = self._retired.get(number, set())
        return ordinal not in retired and 1 <= ordinal <= self.room.get(number, 0) + len(retired)

    def _is_free(self, row: Row) -> bool:
        """Whether the slot of a row is in the plan and has no case, once those have left that are to leave."""
        taken = self.connection.execute(
            "SELECT 1 FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?", (MAIN_BRANCH, *_slot(row))
        ).fetchone()
        return self._has_place(*_slot(row)) and (taken is None or _slot(row) in self._leaving)

    def _with_its_pair(self, row: Row) -> Row:
        """A case that comes back, without the tag of a pair whose other one has left on its own since."""
        tags = _tags(row)
        pair = pair_of(tags)
        if pair is None:
            return row
        other, numbers = slot_of(pair.other), {name: number for number, name in self.names.items()}
        there = (
            other is not None
            and self.connection.execute(
                "SELECT 1 FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?",
                (MAIN_BRANCH, numbers.get(other[0], 0), other[1]),
            ).fetchone()
        )
        if there:
            return row
        return _summed({**row, "tags": to_text({key: value for key, value in tags.items() if key != PAIR})})


def _key(table: TravelledTable, row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.key)


def _where(table: TravelledTable) -> str:
    return " AND ".join(f"{column}=?" for column in table.key)


def _slot(row: Row) -> tuple[int, int]:
    return row["category_id"], row["ordinal"]


def _content(row: Row | None) -> tuple[Any, Any] | None:
    return None if row is None else (row["inputs"], row["expectations"])


def _tags(row: Row) -> dict[str, Any]:
    """A damaged case may hold anything."""
    try:
        found = orjson.loads(row["tags"])
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _summed(row: Row) -> Row:
    return {**row, "crc": checksum(row["category_id"], row["ordinal"], row["inputs"], row["expectations"], row["tags"])}
