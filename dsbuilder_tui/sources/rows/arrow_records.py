"""Records of Parquet and Arrow files, batch by batch; needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.file_kind import FileKind
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import to_json
from dsbuilder_tui.sources.rows.table_records import nested

_BATCH = 512  # rows
_LONGEST_BYTES = 200  # of a value that is no text: an image is no question


def arrow_records(stream: ByteStream, kind: FileKind) -> Iterator[RawRecord]:
    """The records of a Parquet or Arrow file. Raises ``InputError`` without pyarrow, and for what is damaged."""
    words = "a Parquet file" if kind is FileKind.PARQUET else "an Arrow file"
    try:
        import pyarrow
    except ImportError:
        raise InputError(
            f"{stream.name} is {words}, which needs the pyarrow library; it is not installed.",
            "Run: pip install pyarrow",
        ) from None
    number = 0
    try:
        for batch in _batches(stream, kind):
            for row in batch.to_pylist():
                number += 1
                value = nested(_as_json(row))
                yield RawRecord(line=number, raw=to_json(value) + b"\n", value=value)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{stream.name} is {words} that cannot be read: {said}.", "Write it again.") from None


def _batches(stream: ByteStream, kind: FileKind) -> Iterator[Any]:
    if kind is FileKind.PARQUET:
        import pyarrow.parquet as parquet

        if stream.path is None or not stream.plain:
            raise InputError(f"{stream.name} is a Parquet file in a pipe, or packed.", "Give the file itself.")
        with parquet.ParquetFile(stream.path) as file:
            yield from file.iter_batches(_BATCH)
        return
    import pyarrow.ipc as ipc

    if stream.head.startswith(b"ARROW1"):
        if stream.path is None or not stream.plain:
            raise InputError(f"{stream.name} is an Arrow file in a pipe, or packed.", "Give the file itself.")
        with stream.path.open("rb") as handle, ipc.open_file(handle) as reader:
            for place in range(reader.num_record_batches):
                yield from _cut(reader.get_batch(place))
        return
    with ipc.open_stream(stream.reader) as reader:
        for batch in reader:
            yield from _cut(batch)


def _cut(batch: Any) -> Iterator[Any]:
    for start in range(0, batch.num_rows, _BATCH):
        yield batch.slice(start, _BATCH)


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(inner) for inner in value]
    if isinstance(value, bytes):
        return (
            value[:_LONGEST_BYTES].decode("utf-8", "replace")
            if len(value) <= _LONGEST_BYTES
            else f"({len(value):,} bytes)"
        )
    return str(value)
