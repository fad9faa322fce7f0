"""The dataset as it is, with what can be mended for sure: exact repeats, ids that occur again, characters, blanks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from dsbuilder_tui.dedup.outputs import KEPT, Outputs
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.lint.encoding_faults import mended, trimmed
from dsbuilder_tui.lint.row_fingerprint import value_hash
from dsbuilder_tui.lint.row_tables import InputTable, UsedIds
from dsbuilder_tui.sources.rows.dataset_rows import Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.record_fields import at, with_value
from dsbuilder_tui.sources.rows.row_parts import id_path
from dsbuilder_tui.sources.rows.table_records import TableReader
from dsbuilder_tui.store.export.csv_table import is_formula

_SHOWN = 80  # characters of a text that a change tells


class Repair(StrEnum):
    """What is done to a row."""

    REMOVED = "removed"  # it is the very same as an earlier one
    RENUMBERED = "renumbered"  # its id stood before
    MENDED = "mended"  # characters that were read in a wrong encoding, or that no text holds
    TRIMMED = "trimmed"  # blank and invisible characters around a text


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One thing that was changed in the row at ``line``: at ``path`` (dotted; of a table the column) ``before`` became
    ``after``, of both the beginning. A row that was removed is the same as that at ``other_line``."""

    line: int
    repair: Repair
    path: str = ""
    before: str = ""
    after: str = ""
    other_line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        told: dict[str, Any] = {"line": self.line, "repair": str(self.repair)}
        if self.repair is Repair.REMOVED:
            return {**told, "other_line": self.other_line}
        return {**told, "path": self.path, "before": self.before, "after": self.after}


def write_fixed(source: Path, out: Path, choice: FieldChoice, ids: UsedIds) -> tuple[RowChange, ...]:
    """Write the rows of ``source`` to ``out`` with what can be mended for sure, and return what was changed, by line.

    ``ids`` has those of all rows. ``out`` may be ``source`` itself where that is a file of lines. A line at which there is
    nothing to mend stays as it was, byte for byte. Raises ``InputError`` for a name that cannot be used, ``StorageError``
    when the disk refuses.
    """
    in_place = source.is_file() and out.exists() and out.samefile(source)
    mode = source.stat().st_mode if in_place else None
    with ExitStack() as closing:
        outputs = closing.enter_context(Outputs("-" if in_place else source, {KEPT: out}))
        rows = closing.enter_context(Source(source, choice))  # closed before the new file gets its name
        fixer = _Fixer(rows, ids)
        for item in rows.checked_rows():
            if in_place and not rows.has_lines:
                raise InputError(
                    f"{source} does not hold a record a line, so it is not written over.",
                    "Name a new file with --fix: it gets JSON lines.",
                )
            fixed = fixer.fixed(item) if isinstance(item, Row) else item
            if fixed is not None:
                outputs.keep(fixed, rows.heading)
    if mode is not None:
        out.chmod(mode)
    return tuple(fixer.changes)


class _Fixer:
    """Mends one row after another."""

    def __init__(self, rows: Source, ids: UsedIds) -> None:
        self.changes: list[RowChange] = []
        self._rows, self._ids = rows, ids
        self._inputs, self._kept_ids = InputTable(), UsedIds()

    def fixed(self, row: Row) -> Row | None:
        """The row as it is to be; None when it is the same as an earlier one, mended or not."""
        try:
            return self._fixed(row)
        except RecursionError:  # what lies so deep in lists is left alone
            return row

    def _fixed(self, row: Row) -> Row | None:
        inputs, expectations = _repaired(row.parts.inputs), _repaired(row.parts.expectations)
        expected = value_hash(expectations)
        known = self._inputs.add(value_hash(inputs), row.line, expected)
        if known is not None and known.expected == expected:
            self.changes.append(RowChange(line=row.line, repair=Repair.REMOVED, other_line=known.line))
            return None
        if row.is_json:
            return self._in_json(row)
        table = self._rows.table
        assert table is not None, "a row that is no JSON stands in a table"
        return self._in_table(row, table)

    def _in_json(self, row: Row) -> Row:
        id_at = self._repeated_id(row)
        if id_at is None and not any(True for _ in _faults(row.record)):
            return row
        record = json.loads(row.body)  # every number as it stands there, however large
        for path, text in _faults(record):
            self._tell(row, path, text, _text(text))
        record = _repaired(record)
        if id_at is not None:
            record = with_value(record, id_at, self._new_id(row, id_at, at(record, id_at)))
        return replace(row, record=record, raw=_json_line(record))

    def _in_table(self, row: Row, table: TableReader) -> Row:
        cells = table.cells_of(row.raw)
        changed = {name: _cell(cell) for name, cell in cells.items()}
        for name, cell in cells.items():
            self._tell(row, name, cell, changed[name])
        id_at = self._repeated_id(row)
        if id_at in cells:
            changed[id_at] = self._new_id(row, id_at, cells[id_at])
        if changed == cells:
            return row
        record = table.record_of(changed, row.raw, row.line)
        return replace(row, record=record.value, raw=record.raw)

    def _tell(self, row: Row, path: str, before: str, after: str) -> None:
        whole = mended(before) if after != before else before
        if whole != before:
            self._changed(row, Repair.MENDED, path, before, whole)
        if after != whole:
            self._changed(row, Repair.TRIMMED, path, whole, after)

    def _changed(self, row: Row, repair: Repair, path: str, before: str, after: str) -> None:
        told = (one_line(before, _SHOWN), one_line(after, _SHOWN))
        self.changes.append(RowChange(line=row.line, repair=repair, path=path, before=told[0], after=told[1]))

    def _repeated_id(self, row: Row) -> str | None:
        """Where the row's id stands that an earlier one has, if it stands there as it is."""
        name = row.parts.id
        if name is None or self._kept_ids.add(_text(name), row.line) is None:
            return None
        path = id_path(row.record)
        return path if path is not None and str(at(row.record, path)) == name else None

    def _new_id(self, row: Row, path: str, old: Any) -> Any:
        new = self._ids.another(str(old))
        self._kept_ids.add(new, row.line)
        self._changed(row, Repair.RENUMBERED, path, str(old), new)
        return int(new) if isinstance(old, int) else new


def _text(text: str) -> str:
    return trimmed(mended(text))


def _cell(text: str) -> str:
    """A cell of a table: a blank in front may be what keeps a spreadsheet from taking it for a formula."""
    whole = mended(text)
    if is_formula(whole):
        return whole if is_formula(text) else text
    return trimmed(whole)


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {key: _repaired(inner) for key, inner in value.items()}
    return [_repaired(inner) for inner in value] if isinstance(value, list) else value


def _faults(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value that are to be changed, and where they stand."""
    if isinstance(value, str):
        if _text(value) != value:
            yield path, value
    elif isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _faults(inner, f"{path}.{key}" if path else str(key))


def _json_line(record: Any) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a character, which stays
        return json.dumps(record).encode() + b"\n"
