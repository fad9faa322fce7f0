"""The registry of export formats, and the writing of a dataset in one of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dsbuilder_tui.atomic_write import replaceable
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.registry import Registry
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.files import atomic_write

_BLOCK = 1 << 20
_HERE = "dsbuilder_tui.store.export"
FORMATS: Registry[ExportFormat] = Registry(
    "dsbuilder.formats",
    "export format",
    {
        "jsonl": f"{_HERE}.jsonl:FORMAT",
        "json": f"{_HERE}.json_array:FORMAT",
        "csv": f"{_HERE}.csv_table:FORMAT",
        "parquet": f"{_HERE}.parquet_table:FORMAT",
        "checkpoint": f"{_HERE}.checkpoint:FORMAT",
        "deepeval": f"{_HERE}.deepeval_goldens:FORMAT",
        "promptfoo": f"{_HERE}.promptfoo_tests:FORMAT",
        "openai-evals": f"{_HERE}.openai_evals:FORMAT",
        "langsmith": f"{_HERE}.langsmith:FORMAT",
        "langfuse": f"{_HERE}.langfuse:FORMAT",
        "braintrust": f"{_HERE}.braintrust:FORMAT",
        "huggingface": f"{_HERE}.dataset_folder:FORMAT",
    },
    f"{_HERE}.export_format:ExportFormat",
)


def format_of(path: Path, explicit: str | None = None) -> str:
    """The name of the format that a file name asks for. Raises ``InputError`` for an ending that nothing writes."""
    if explicit:
        return explicit
    endings = {row.ending: name for name, row in FORMATS.all().items()}
    for ending, name in endings.items():
        if not ending.startswith(".") and path.name.endswith(ending):
            return name
    found = endings.get(path.suffix.lower())
    if found is None:
        *most, last = [ending for ending in endings if ending.startswith(".")]
        raise InputError(
            f"{path}: cannot tell the format from the ending {path.suffix or '(none)'!r}.",
            f"Use {', '.join(most)} or {last}, or name one with --format.",
        )
    return found


def require_writer(kind: str) -> None:
    """Raises ``InputError`` when the library that writes this format is missing, ``ConfigError`` for an unknown format."""
    FORMATS.load(kind).require()


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What was written: how many cases, and the SHA-256 of the file."""

    cases: int
    sha256: str


async def write_cases(
    path: Path,
    kind: str,
    pages: AsyncIterator[list[AcceptedCase]],
    shape: DatasetShape,
    *,
    private: bool = False,
) -> WrittenFile:
    """Write cases page by page into a file that takes its name only when it is whole.

    A ``private`` file is the session's own, and a link in its place is replaced.
    Raises ``InputError`` (a library is missing, or the name is that of a device or of a link that leads elsewhere),
    ``ConfigError`` (no such format), ``PlugInBroken`` (a format that does not work), ``StorageError``, or what reading
    the pages raises.
    """
    require_writer(kind)
    path = path if private else replaceable(path)
    count = 0
    with atomic_write(path, private=private) as handle:
        with _at_work(kind):
            writer = FORMATS.load(kind).open(handle, shape)
        async for page in pages:
            with _at_work(kind):
                await asyncio.to_thread(writer.write, page)
            count += len(page)
        with _at_work(kind):
            writer.close(count)
        return WrittenFile(count, await asyncio.to_thread(_digest, handle))


def _digest(handle: BinaryIO) -> str:
    handle.flush()
    handle.seek(0)
    digest = hashlib.sha256()
    while block := handle.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


@contextmanager
def _at_work(kind: str) -> Iterator[None]:
    """Turn whatever a stranger's writer raises into ``PlugInBroken``; what the disk raises stays what it is."""
    try:
        yield
    except (DsbuilderError, OSError):
        raise
    except Exception as error:
        raise FORMATS.failed(kind, error) from error
