"""Rows of a file that a person named, to write cases about: counted, chosen by an order that does not need them all.

Reading is synchronous; from an event loop call it with ``asyncio.to_thread``.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.row_axis import RowAxis
from dsbuilder_tui.sources.file_access import may_hold_keys
from dsbuilder_tui.sources.foreign_text import kept, label
from dsbuilder_tui.sources.rows.dataset_folder import data_files
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import MISSING, at

_LONGEST_VALUE = 2000  # characters of a text in a row
_MOST_FIELDS, _MOST_ITEMS, _DEEPEST = 50, 100, 6
_MOST_NAMED = 30  # fields in a message
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """Rows of a file. ``bodies`` has by number (from 1) those that were chosen, as JSON; ``orders`` for each category the
    numbers of its rows, one for each place; ``totals`` how many rows with named fields there are. ``digest`` is that of the
    file's bytes; ``notes`` say what was left out, and why."""

    digest: str
    bodies: Mapping[int, bytes]
    orders: Mapping[str, Sequence[int]]
    totals: Mapping[str, int]
    notes: tuple[str, ...] = ()


def require_rows(axes: Iterable[RowAxis]) -> None:
    """Raises ``InputError`` for the first file that is not there, holds no rows, or has not the fields that are named.

    Reads no further than to the first row in which the last of the fields is seen.
    """
    for axis in axes:
        fields = _Fields(axis.fields)
        for _, value in _records(axis.file):
            fields.see(value)
            if not fields.missing:
                break
        fields.require(axis.file)


def count_rows(file: str, most: int) -> int:
    """How many rows a file has; ``most`` where it has more. Raises ``InputError`` as ``require_rows``."""
    return sum(1 for _, (_, _) in zip(range(most), _records(file), strict=False))


def field_values(record: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """The values of a record that count: those of the fields, or of the first fifty. Those that are empty are left out."""
    found = {name: at(record, name) for name in fields} if fields else dict(list(record.items())[:_MOST_FIELDS])
    return {name: value for name, value in found.items() if value not in (MISSING, None, "", [], {})}


def digest_of(file: str) -> str:
    """The digest of a file's bytes, or of those in a folder. Raises ``InputError`` as ``require_rows``."""
    with _refused(file):
        digest = hashlib.blake2b(digest_size=16)
        for path in _files_of(file):
            with path.open("rb") as handle:
                while piece := handle.read(_PIECE):
                    digest.update(piece)
        return digest.hexdigest()


def shown_name(file: str) -> str:
    """A file's name as it stands in tags: without its folder."""
    return label(Path(file).expanduser().name)


def choose_rows(axes: Mapping[str, RowAxis], places: Mapping[str, int], seed: int) -> ChosenRows:
    """The rows of the ``places`` first slots of each category; all ``axes`` are of one file, which is read once.

    The order of a category's rows follows from ``seed``, its name and their numbers: each is used before any is used
    twice, and more places have the same rows in front. Memory goes with the places, not with the file. Raises
    ``InputError`` as ``require_rows``.
    """
    file = next(iter(axes.values())).file
    digest = digest_of(file)
    choices = {name: _Choice(axis, places[name], _seed(seed, name)) for name, axis in axes.items()}
    left_out = list[int]()
    for number, value in _records(file, left_out.append):
        for choice in choices.values():
            choice.see(number, value)
    for choice in choices.values():
        choice.fields.require(file)
        if not choice.bodies():
            raise InputError(f"rows: {label(file)} has no row in which anything stands.", "Name another file.")
    notes = []
    if left_out:
        first = ", ".join(str(number) for number in left_out[:3])
        notes.append(f"{counted(len(left_out), 'row')} without named fields left out, such as row {first}")
    return ChosenRows(
        digest=digest,
        bodies={number: body for choice in choices.values() for number, body in choice.bodies().items()},
        orders={name: order_of(list(c.bodies()), places[name], seed, name) for name, c in choices.items()},
        totals={name: choice.count for name, choice in choices.items()},
        notes=tuple(notes),
    )


def order_of(numbers: Sequence[int], places: int, seed: int, category: str) -> list[int]:
    """The numbers, one for each place of a category, in rounds that hold each of them once."""
    order, said, turn = list[int](), _seed(seed, category), 0
    while len(order) < places:
        ranked = sorted((_rank(said, turn, number), number) for number in numbers)
        order += [number for _, number in ranked[: places - len(order)]]
        turn += 1
    return order


def _seed(seed: int, category: str) -> str:
    return f"{seed}\x1f{category}\x1frows"


class _Fields:
    """The fields that a person named, until each has been seen in some row."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self.missing = list(wanted)
        self._there = dict[str, None]()
        self._rows = 0

    def see(self, value: Mapping[str, Any]) -> None:
        self._rows += 1
        if self.missing:
            self.missing = [name for name in self.missing if at(value, name) is MISSING]
            if len(self._there) < _MOST_NAMED:
                self._there.update(dict.fromkeys(map(str, value)))

    def require(self, file: str) -> None:
        """Raises ``InputError`` where a field, or any row, was not there."""
        shown = label(file)
        if not self._rows:
            raise InputError(f"rows: {shown} has no rows with named fields.", "Name a table, or JSON objects.")
        if self.missing:
            there = ", ".join(label(name) for name in list(self._there)[:_MOST_NAMED])
            more = ", …" if len(self._there) > _MOST_NAMED else ""
            raise InputError(
                f"rows: {shown} has no field {label(self.missing[0])!r}; its fields are {there}{more}.",
                "Write `fields` as they stand there, or leave it out.",
            )


class _Choice:
    """The rows with the lowest ranks: as many as there are places, found in one pass."""

    def __init__(self, axis: RowAxis, places: int, seed: str) -> None:
        self.fields = _Fields(axis.fields)
        self.count = 0
        self._axis, self._places, self._seed = axis, places, seed
        self._heap: list[tuple[int, int, bytes]] = []  # the highest rank first

    def see(self, number: int, value: Mapping[str, Any]) -> None:
        self.fields.see(value)
        self.count += 1
        rank = -_rank(self._seed, 0, number)
        is_full = len(self._heap) >= self._places
        if (is_full and rank < self._heap[0][0]) or not field_values(value, self._axis.fields):
            return
        (heapq.heapreplace if is_full else heapq.heappush)(self._heap, (rank, number, _body(value)))

    def bodies(self) -> dict[int, bytes]:
        return {number: body for _, number, body in self._heap}


def _rank(seed: str, turn: int, number: int) -> int:
    said = f"{seed}\x1f{turn}\x1f{number}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")


def _body(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps({kept(str(name))[:_LONGEST_VALUE]: _bounded(inner) for name, inner in value.items()})


def _bounded(value: Any, depth: int = 0) -> Any:
    """A value without what no prompt can show: endless texts and lists, control characters, keys."""
    if isinstance(value, str):
        text = kept(value)
        return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {kept(str(name)): _bounded(inner, depth + 1) for name, inner in list(value.items())[:_MOST_ITEMS]}
    return [_bounded(inner, depth + 1) for inner in value[:_MOST_ITEMS]] if isinstance(value, list) else str(value)


def _records(
    file: str, left_out: Callable[[int], object] = lambda number: None
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a file by number, from 1; ``left_out`` is told the numbers of those that have no named fields."""
    from dsbuilder_tui.sources.rows.dataset_rows import Source  # with yaml, which most runs do without

    with Source(_checked(file)) as source:
        for number, record in enumerate(source.records(), 1):
            if isinstance(value := _value(record), Mapping):
                yield number, value
            else:
                left_out(number)


def _value(record: RawRecord) -> Any:
    return None if record.problem else record.value


def _checked(file: str) -> Path:
    """The file itself, or the folder. Raises ``InputError`` for what is not there, is no ordinary file, or may hold keys."""
    shown = label(file)
    with _refused(file):
        real = Path(file).expanduser().resolve(strict=True)
        about = real.stat()
    if may_hold_keys(real) or may_hold_keys(Path(file)):
        raise InputError(f"rows: {shown} may hold keys; it is not read.", "Name a file of rows.")
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
        raise InputError(f"rows: {shown} is no regular file.", "Name a file of rows.")
    return real


def _files_of(file: str) -> list[Path]:
    """The file, or the data files of a folder in order. Raises as ``_checked``."""
    real = _checked(file)
    return [each.path for each in data_files(real)] if real.is_dir() else [real]


@contextlib.contextmanager
def _refused(file: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"rows: there is no file {label(file)}.", "Check the path.") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"rows: {label(file)} cannot be read ({error}).", "Check the path and its permissions."
        ) from None
