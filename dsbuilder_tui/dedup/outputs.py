"""The files a pass writes: each of them whole, or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from dsbuilder_tui.atomic_write import atomic_write, replaceable
from dsbuilder_tui.diversity.answer import Flag, Match
from dsbuilder_tui.domain.errors import InputError, StorageError
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Found, Row
from dsbuilder_tui.sources.rows.file_kind import suffix_of
from dsbuilder_tui.sources.rows.record_fields import parse, to_json

KEPT, DROPPED, FLAGGED = "kept", "dropped", "flagged"
_TABLES = frozenset({".csv", ".tsv", ".tab", ".psv"})
_FLAGS = {KEPT: "--out", DROPPED: "--dropped", FLAGGED: "--flagged"}


class Outputs:
    """Writes what is kept, dropped and flagged to those of the files that are wanted.

    A context manager: the files take their names when the block ends without an error, and are packed where the name ends
    in ``.gz``. Raises ``InputError`` for a name that cannot be used, ``StorageError`` when the disk refuses.
    """

    def __init__(self, source: str | Path, wanted: Mapping[str, str | Path | None]) -> None:
        self.paths = {
            name: Path(os.path.realpath(replaceable(Path(path).expanduser())))
            for name, path in wanted.items()
            if path is not None
        }
        self._closing = contextlib.ExitStack()
        self._handles: dict[str, BinaryIO] = {}
        self._headed = False
        _check(source, self.paths)

    def __enter__(self) -> Outputs:
        with contextlib.ExitStack() as closing:
            for name, path in self.paths.items():
                handle = closing.enter_context(atomic_write(path))
                if path.name.lower().endswith(".gz"):
                    packed = closing.enter_context(gzip.GzipFile("", "wb", 6, handle, mtime=0))
                    handle = cast(BinaryIO, packed)
                self._handles[name] = handle
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if error == (None, None, None):
            try:
                for name, handle in self._handles.items():  # a full disk is met before the first file has its name
                    self._guarded(name, handle.flush)
            except StorageError:
                self._closing.__exit__(*sys.exc_info())
                raise
        self._closing.__exit__(*error)

    def wants(self, name: str) -> bool:
        return name in self._handles

    def keep(self, row: Row | BadLine, heading: bytes | None = None) -> None:
        """A record as it stood; one of a table in text, which has a ``heading``, as JSON unless a table is wanted."""
        if heading is None or KEPT not in self._handles:
            self._write(KEPT, row.raw)
        elif suffix_of(self.paths[KEPT].name) in _TABLES:
            if not self._headed:
                self._headed = True
                self._write(KEPT, _ended(heading))
            self._write(KEPT, _ended(row.raw))
        elif isinstance(row, Row):
            self._write(KEPT, row.body + b"\n")

    def drop(self, row: Row, match: Match, found: Found) -> None:
        why = {
            "reason": match.reason, "stage": match.stage, "score": match.score, "threshold": match.threshold,
            "match": found.as_dict(),
        }  # fmt: skip
        self._write(DROPPED, line_with(row, why))

    def flag(self, row: Row, flags: list[tuple[Flag, Found]]) -> None:
        told = [
            {
                "kind": flag.kind,
                "stage": flag.stage,
                "score": flag.score,
                "differs": flag.differs,
                "match": found.as_dict(),
            }
            for flag, found in flags
        ]
        self._write(FLAGGED, line_with(row, {"flags": told}))

    def _write(self, name: str, line: bytes) -> None:
        if (handle := self._handles.get(name)) is not None:
            self._guarded(name, handle.write, line)

    def _guarded(self, name: str, act: Callable[..., Any], *given: bytes) -> None:
        try:
            act(*given)
        except OSError as error:
            raise StorageError(
                f"{self.paths[name]} could not be written: {error.strerror or error}.",
                "Free some space or choose another place; an earlier file of that name is untouched.",
            ) from None


def line_with(row: Row, more: Mapping[str, Any]) -> bytes:
    """The record goes in as it stood: what reading it would change (the order of keys, 1.0 or 1) stays."""
    body = row.body
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:  # NaN or half a character, which only tolerant readers take
        body = to_json(parse(body))
    return b'{"line":%d,"record":%b,%b' % (row.line, body, orjson.dumps(more, option=orjson.OPT_APPEND_NEWLINE)[1:])


def _ended(line: bytes) -> bytes:
    return line if line.endswith((b"\n", b"\r")) else line + b"\n"


def _check(source: str | Path, paths: Mapping[str, Path]) -> None:
    """Raises for names that would overwrite the input, each other, or something that is no file."""
    taken = {} if str(source) == "-" else {os.path.realpath(Path(source).expanduser()): "the file to read"}
    for name, path in paths.items():
        flag = _FLAGS[name]
        if path.name == "-" or path.name == "":
            raise InputError(
                f"{flag}: {str(path.name)!r} is not the name of a file.", "Name a file; it appears when it is whole."
            )
        if (other := taken.get(str(path))) or (other := _same(path, taken)):
            raise InputError(f"{flag} {path} is {other}, too.", "Choose another name.")
        if path.is_dir():
            raise InputError(f"{flag} {path} is a folder.", "Name a file in it.")
        if not path.parent.is_dir() and path.parent.exists():
            raise StorageError(f"{flag} {path}: {path.parent} is not a folder.", "Choose another place.")
        taken[str(path)] = f"the file for {flag}"


def _same(path: Path, taken: Mapping[str, str]) -> str | None:
    """What a name stands for already under another name: a hard link, or other capitals where they do not count."""
    with contextlib.suppress(OSError):
        for other, what in taken.items():
            if path.samefile(other):
                return what
    return None
