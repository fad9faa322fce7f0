"""The work folder of a pass on a cluster: what has been compared, so that another run goes on behind it.

It has the fingerprints of the rows that were kept, which are looked at there, and for each piece of the dataset what was
decided about its rows. Decisions are taken over as they stand: nothing is compared twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
import xxhash
from filelock import FileLock, Timeout

from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.diversity.answer import Answer, Flag, Match
from dsbuilder_tui.diversity.fingerprint_file import NAMES, FingerprintFile
from dsbuilder_tui.domain.errors import InputError, StorageError

_ABOUT, _DECISIONS, _LOCK = "work.json", "decisions.jsonl", "work.lock"
_FORMAT = 1


class Begun(StrEnum):
    """How a run finds its work folder."""

    NEW = "new"
    RESUMED = "resumed"
    OTHER_SOURCE = "other source"
    OTHER_SETTINGS = "other settings"


@dataclass(frozen=True, slots=True)
class JudgedPiece:
    """A piece of which every row has its answer. ``items`` counts lines that cannot be compared, too."""

    items: int
    answers: list[Answer]


class WorkFolder:
    """A context manager: the folder is locked, and what it holds is open. ``remove`` it when its run is complete.

    Raises ``InputError`` for a folder with other things in it or in use by another run, and ``StorageError``.
    """

    def __init__(self, folder: Path, source: Any, settings: Mapping[str, Any]) -> None:
        """What was done for another ``source`` or other ``settings``, which are JSON, does not count."""
        self.path = folder
        self._about: dict[str, Any] = {"format": _FORMAT, "source": source, "settings": dict(settings)}
        self._decisions: BinaryIO | None = None
        self._lock = FileLock(folder / _LOCK, mode=0o600, thread_local=False)
        self.begun = Begun.NEW
        self.pieces = self.rows = 0  # that were judged before

    def open(self, row_type: np.dtype[Any], versions: Mapping[str, Any]) -> FingerprintFile:
        """The fingerprints of the rows kept so far: as many as there are decisions for, by the same ``versions``."""
        self._about["versions"] = {"dsbuilder": version("dsbuilder-tui"), **versions}
        with self._told():
            self._take()
            self.begun = self._found()
            if self.begun is not Begun.RESUMED:
                self._clear()
                with atomic_write(self.path / _ABOUT, private=True, durable=False) as out:
                    out.write(orjson.dumps(self._about))
            prints = FingerprintFile.open(self.path, row_type, versions)
            self._decisions = (self.path / _DECISIONS).open("a+b")
            prints.cut(self._cut_to(len(prints)))
            if self.begun is Begun.RESUMED and not self.pieces:
                self.begun = Begun.NEW
        return prints

    def judged(self) -> Iterator[JudgedPiece]:
        """The pieces that were judged before, in order."""
        with (self.path / _DECISIONS).open("rb") as handle:
            for _ in range(self.pieces):
                told = _read(handle.readline())
                assert told is not None, "they were read when the folder was opened"
                kept = told["kept"] - sum(isinstance(one, int) or "flags" in one for one in told["answers"])
                answers = []
                for one in told["answers"]:
                    answers.append(_answer(one, kept))
                    kept += answers[-1].row is not None
                yield JudgedPiece(told["items"], answers)

    def note(self, items: int, answers: Sequence[Answer], kept: int) -> None:
        """Remember the decisions about a piece; ``kept`` rows are there with it. Their fingerprints are written before."""
        body = orjson.dumps({"items": items, "kept": kept, "answers": [_told_of(answer) for answer in answers]})
        assert self._decisions is not None
        with self._told():
            self._decisions.write(b"%016x %b\n" % (xxhash.xxh3_64_intdigest(body), body))
            self._decisions.flush()

    def close(self) -> None:
        """The folder stays, for another run."""
        if self._decisions is not None:
            self._decisions.close()
            self._decisions = None
        self._lock.release()

    def remove(self) -> None:
        """Closed, and all that is in it."""
        self.close()
        self._clear()
        for name in (_ABOUT, _LOCK):
            (self.path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody has put something there
            self.path.rmdir()

    def _take(self) -> None:
        if self.path.is_dir():
            known = {_ABOUT, _DECISIONS, _LOCK, *NAMES}
            if (self.path / _LOCK).is_symlink() or any(entry.name not in known for entry in self.path.iterdir()):
                raise InputError(
                    f"{self.path} has other things in it than the work of a pass.", "Name another --work-folder."
                )
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"{self.path} is in use by another run.", "Wait for it, or name another --work-folder."
            ) from None

    def _found(self) -> Begun:
        try:
            about = orjson.loads((self.path / _ABOUT).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return Begun.NEW
        if not isinstance(about, dict) or about.get("source") != orjson.loads(orjson.dumps(self._about["source"])):
            return Begun.OTHER_SOURCE
        return Begun.RESUMED if about == orjson.loads(orjson.dumps(self._about)) else Begun.OTHER_SETTINGS

    def _clear(self) -> None:
        for name in (_DECISIONS, *NAMES):
            (self.path / name).unlink(missing_ok=True)

    def _cut_to(self, prints: int) -> int:
        """Keep the decisions on rows whose fingerprints are whole; how many rows those let in."""
        assert self._decisions is not None
        kept = end = 0
        self.pieces = self.rows = 0
        self._decisions.seek(0)
        for line in self._decisions:
            told = _read(line)
            if told is None or told["kept"] > prints:
                break
            kept, end = told["kept"], end + len(line)
            self.pieces, self.rows = self.pieces + 1, self.rows + len(told["answers"])
        self._decisions.truncate(end)
        return kept

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"{self.path} could not be written: {error.strerror or error}.",
                "Free some space there, or name another --work-folder.",
            ) from None


def _read(line: bytes) -> Any:
    """What stands in a line of decisions; None for one that a kill broke off."""
    digest, _, body = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or digest != b"%016x" % xxhash.xxh3_64_intdigest(body):
        return None
    return orjson.loads(body)


def _told_of(answer: Answer) -> Any:
    if answer.match is not None:
        match = answer.match
        return {"match": [match.row, match.stage, match.score, match.threshold, match.reason]}
    if not answer.flags:
        return 0
    return {"flags": [[flag.kind, flag.row, flag.stage, flag.score, flag.differs] for flag in answer.flags]}


def _answer(told: Any, kept: int) -> Answer:
    """The answer as far as a pass looks at it; ``kept`` rows were let in before."""
    if isinstance(told, int):
        return Answer(row=kept, text=0)
    if "match" in told:
        return Answer(row=None, text=0, match=Match(*told["match"]))
    flags = tuple(Flag(kind, row, stage, score, tuple(differs)) for kind, row, stage, score, differs in told["flags"])
    return Answer(row=kept, text=0, flags=flags)
