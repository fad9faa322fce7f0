"""The input files of batch jobs: one request a line, as many files as a provider's limits ask for."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.models.batch_client import MOST_BYTES, MOST_REQUESTS

_FOLDER = "batch_input"  # in that of the session
_LINE = b'{"custom_id":"%s","method":"POST","url":"/v1/chat/completions","body":%s}\n'


def request_name(batch: int) -> str:
    """What the request of a worker call is called in its job."""
    return f"b{batch}"


def batch_of(name: str) -> int | None:
    """The number of the worker call that a request of this name is for; None when it is no name of ours."""
    number = name.removeprefix("b")
    return int(number) if number != name and number.isascii() and number.isdigit() else None


@dataclass(slots=True)
class InputFile:
    """A file for one job. ``requests`` are numbers of worker calls; one file has requests to one model, with one set of
    ``options``."""

    path: Path
    model: str
    options: frozenset[str]
    requests: list[int] = field(default_factory=list)
    size: int = 0  # bytes


class BatchInput:
    """Writes the requests of one round to files, for the owner alone to read, until they are with the provider."""

    def __init__(self, session_folder: Path) -> None:
        self._folder = session_folder / _FOLDER
        self.files: list[InputFile] = []
        self.requests = 0

    def add(self, model: str, options: frozenset[str], batch: int, body: bytes) -> None:
        """Write a request, in a file with others like it. Raises ``StorageError``."""
        line = _LINE % (request_name(batch).encode(), body)
        try:
            file = self._file_for(model, options, len(line))
            with file.path.open("ab") as out:
                out.write(line)
        except OSError as error:
            raise StorageError(
                f"The input of a batch job cannot be written to {self._folder}: {error.strerror or error}.",
                "Make room there, then go on.",
            ) from None
        file.requests.append(batch)
        file.size += len(line)
        self.requests += 1

    def _file_for(self, model: str, options: frozenset[str], size: int) -> InputFile:
        for file in reversed(self.files):
            if (file.model, file.options) == (model, options):
                if len(file.requests) < MOST_REQUESTS and file.size + size <= MOST_BYTES:
                    return file
                break
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{len(self.files) + 1}.jsonl"
        os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        self.files.append(InputFile(path, model, options))
        return self.files[-1]

    def discard(self) -> None:
        """Remove what is left of this and earlier rounds."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.files.clear()
