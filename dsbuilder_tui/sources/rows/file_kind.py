"""The kind of a file by its first bytes: a table of rows, or something else that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from dsbuilder_tui.sources.rows.record_fields import BOM
from dsbuilder_tui.sources.rows.table_layout import layout_of

_LEAST = 4  # of the first bytes that are looked at for zeros


class FileKind(StrEnum):
    """How a file is read."""

    JSON = "json"
    TABLE = "table"
    YAML = "yaml"
    PARQUET = "parquet"
    ARROW = "arrow"


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """What a file is that holds no rows, in words that follow "is", and the way out."""

    words: str
    way_out: str


_ROWS = "Give JSON lines, JSON, CSV, YAML or Parquet."
_UNPACK = "Unpack it, or pack it with gzip."
_DOCUMENT = (
    "To write cases from it, name it under `sources:` in a plan; rows are JSON lines, JSON, CSV, YAML or Parquet."
)
_ZIPPED = {
    ".xlsx": ForeignFile("an Excel workbook", "Save the sheet as CSV."),
    ".ods": ForeignFile("a spreadsheet of OpenDocument", "Save the sheet as CSV."),
    ".docx": ForeignFile("a Word document", _DOCUMENT),
    ".pptx": ForeignFile("a PowerPoint file", _DOCUMENT),
    ".npz": ForeignFile("a file of NumPy arrays", _ROWS),
    ".whl": ForeignFile("a Python package", _ROWS),
}
_ZIP = ForeignFile("a ZIP archive", "Unpack it, and give a file or the folder.")
_SQLITE = ForeignFile("an SQLite database", "Export the table as CSV, and a session with `dsbuilder export`.")
# Where the mark stands, the mark, and what has it.
_MARKS: tuple[tuple[int, bytes, ForeignFile], ...] = (
    (0, b"%PDF", ForeignFile("a PDF document", _DOCUMENT)),
    (0, b"SQLite format 3\x00", _SQLITE),
    (0, b"\x89PNG", ForeignFile("a PNG image", _ROWS)),
    (0, b"\xff\xd8\xff", ForeignFile("a JPEG image", _ROWS)),
    (0, b"GIF8", ForeignFile("a GIF image", _ROWS)),
    (8, b"WEBP", ForeignFile("a WebP image", _ROWS)),
    (4, b"ftyp", ForeignFile("a video or an image", _ROWS)),
    (0, b"ID3", ForeignFile("a sound file", _ROWS)),
    (8, b"WAVE", ForeignFile("a sound file", _ROWS)),
    (0, b"OggS", ForeignFile("a sound file", _ROWS)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ForeignFile("an old Office file (.xls, .doc)", "Save the sheet as CSV.")),
    (0, b"BZh", ForeignFile("packed with bzip2", _UNPACK)),
    (0, b"\xfd7zXZ\x00", ForeignFile("packed with xz", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", ForeignFile("packed with zstandard", _UNPACK)),
    (0, b"\x04\x22\x4d\x18", ForeignFile("packed with LZ4", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", ForeignFile("a 7-Zip archive", "Unpack it, and give a file or the folder.")),
    (0, b"Rar!", ForeignFile("a RAR archive", "Unpack it, and give a file or the folder.")),
    (257, b"ustar", ForeignFile("a tar archive", "Unpack it, and give a file or the folder.")),
    (0, b"\x7fELF", ForeignFile("a program", _ROWS)),
    (0, b"Obj\x01", ForeignFile("an Avro file", _ROWS)),
    (0, b"ORC", ForeignFile("an ORC file", "Convert it to Parquet.")),
    (0, b"FEA1", ForeignFile("an old Feather file", "Convert it to Parquet.")),
    (0, b"\x89HDF", ForeignFile("an HDF5 file", "Convert it to Parquet.")),
    (0, b"\x93NUMPY", ForeignFile("a NumPy array", _ROWS)),
    (0, b"\x80\x04\x95", ForeignFile("a Python pickle, which is never opened", _ROWS)),
    (0, b"\x80\x05\x95", ForeignFile("a Python pickle, which is never opened", _ROWS)),
    (0, b"{\\rtf", ForeignFile("a document in Rich Text Format", _ROWS)),
    (0, b"version https://git-lfs", ForeignFile("a pointer of Git LFS, not the file itself", "Fetch it with `git lfs pull`.")),
)  # fmt: skip
_MARKUP = (
    (b"<!doctype html", ForeignFile("an HTML page", _DOCUMENT)),
    (b"<html", ForeignFile("an HTML page", _DOCUMENT)),
    (b"<?xml", ForeignFile("an XML document", _ROWS)),
    (b"<svg", ForeignFile("an SVG image", _ROWS)),
)
_BINARY = ForeignFile("neither text nor a file of a known kind", _ROWS)
_NAMED = {
    ".jsonl": FileKind.JSON, ".ndjson": FileKind.JSON, ".json": FileKind.JSON, ".csv": FileKind.TABLE, ".tsv": FileKind.TABLE,
    ".tab": FileKind.TABLE, ".psv": FileKind.TABLE, ".yaml": FileKind.YAML, ".yml": FileKind.YAML,
}  # fmt: skip


def kind_of(head: bytes, name: str) -> FileKind | ForeignFile:
    """The kind of a file that begins with ``head``, which is text in UTF-8 if it is text. The name counts for text alone."""
    suffix = suffix_of(name)
    if head.startswith(b"PAR1"):
        return FileKind.PARQUET
    if head.startswith(b"ARROW1\x00\x00") or (
        head.startswith(b"\xff\xff\xff\xff") and head[4:8] not in (b"", b"\xff" * 4)
    ):
        return FileKind.ARROW
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _ZIPPED.get(suffix, _ZIP)
    for place, mark, foreign in _MARKS:
        if head[place : place + len(mark)] == mark:
            return foreign
    text = head.removeprefix(BOM).lstrip()
    lowered = text[:100].lower()
    for mark, foreign in _MARKUP:
        if lowered.startswith(mark):
            return foreign
    if text[:1] in (b"{", b"["):
        return FileKind.YAML if _NAMED.get(suffix) is FileKind.YAML else FileKind.JSON
    if suffix in _NAMED:
        named = _NAMED[suffix]
        return _BINARY if named is not FileKind.JSON and _holds_zeros(head) else named
    if not text or suffix == ".gz":
        return FileKind.JSON
    if _holds_zeros(head):
        return _BINARY
    return _kind_of_text(text)


def suffix_of(name: str) -> str:
    """The ending that says what is in a file: that before ``.gz``."""
    path = PurePath(name.lower())
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def _holds_zeros(head: bytes) -> bool:
    return len(head) >= _LEAST and b"\x00" in head


def _kind_of_text(text: bytes) -> FileKind | ForeignFile:
    """Of text without a telling name: a line of JSON among its first ones, a table, YAML, or words."""
    lines = [line.strip() for line in text.split(b"\n")[:20] if line.strip()]
    if any(line.startswith(b"{") and line.endswith((b"}", b",")) for line in lines):
        return FileKind.JSON
    if lines[0].startswith((b"- ", b"---", b"%YAML")) or (len(lines) > 1 and lines[0].endswith(b":")):
        return FileKind.YAML
    if layout_of(text).is_likely:
        return FileKind.TABLE
    return ForeignFile(
        "text without a table in it",
        "Give it the ending .csv if each line is a row under a heading; otherwise " + _ROWS[0].lower() + _ROWS[1:],
    )
