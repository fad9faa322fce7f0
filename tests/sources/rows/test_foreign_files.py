"""Files that hold no rows are told as what they are; bombs, depth and any bytes end in one sentence or in rows."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import random
import sqlite3
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, InputError
from dsbuilder_tui.sources.rows import byte_stream
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from tests.support.row_files import SHAPES, containers, json_lines, put, tables


def _zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def _tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO(b""))
    return out.getvalue()


def _database() -> bytes:
    with sqlite3.connect("x.db") as database:
        database.execute("create table t (a)")
    return Path("x.db").read_bytes()


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "paper.pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
    "named_wrongly.jsonl": (lambda: b"%PDF-1.7\n", "a PDF document"),
    "book.xlsx": (lambda: _zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
    "letter.docx": (lambda: _zipped("[Content_Types].xml"), "a Word document"),
    "all.zip": (lambda: _zipped("a"), "a ZIP archive"),
    "all.tar": (_tarred, "a tar archive"),
    "all.tar.gz": (lambda: gzip.compress(_tarred()), "a tar archive"),
    "a.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
    "a.jpg": (lambda: b"\xff\xd8\xff\xe0" + bytes(50), "a JPEG image"),
    "a.csv": (lambda: b"\x89PNG\r\n\x1a\n", "a PNG image"),
    "a.db": (_database, "an SQLite database"),
    "a.bz2": (lambda: bz2.compress(b"x"), "packed with bzip2"),
    "a.xz": (lambda: lzma.compress(b"x"), "packed with xz"),
    "a.pkl": (lambda: pickle.dumps({"a": "b" * 50}, 4), "a Python pickle, which is never opened"),
    "page.html": (lambda: b"\n<!DOCTYPE html><html></html>", "an HTML page"),
    "a.xml": (lambda: b'<?xml version="1.0"?><a/>', "an XML document"),
    "pointer.parquet": (lambda: b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS, not the file itself"),
    "words.txt": (lambda: b"It was a dark night, and\nthe wind blew.\nNobody was there.\n", "text without a table in it"),
    "noise.bin": (lambda: bytes(random.Random(3).randbytes(3_000)), "neither text nor a file of a known kind"),
    "zeros.csv": (lambda: bytes(3_000), "neither text nor a file of a known kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_table_is_told_as_what_it_is(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, words = FOREIGN[name]
    path = put(tmp_path, name, make())
    with pytest.raises(InputError) as caught, Source(path) as source:
        list(source.rows())
    assert f"{name} is {words}" in caught.value.problem and caught.value.hint
    assert main(["dedup", str(path)]) == ExitCode.BAD_INPUT
    assert f"is {words}" in capsys.readouterr().err


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = put(tmp_path, "rows.parquet", b"PAR1" + bytes(20))
    with pytest.raises(InputError, match="a Parquet file, which needs the pyarrow library") as caught:
        list(Source(path).rows())
    assert "--field" not in str(caught.value)


@pytest.mark.parametrize("name", ["x.parquet", "file.arrow", "stream.arrow"])
def test_damaged_tables_of_arrow(name: str, tmp_path: Path) -> None:
    head = {"x.parquet": b"PAR1", "file.arrow": b"ARROW1\x00\x00", "stream.arrow": b"\xff\xff\xff\xff\x10\x00\x00\x00"}[
        name
    ]
    with pytest.raises(InputError, match="cannot be read"):
        list(Source(put(tmp_path, name, head + b"\x07" * 500)).rows())


YAML_BOMBS = {
    "aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 9)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)),
    "itself": "- &a [*a]",
    "deep": "- " + "[" * 5_000,
}


@pytest.mark.parametrize("name", YAML_BOMBS)
def test_yaml_that_is_larger_than_it_looks(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too large to be read"):
        list(Source(put(tmp_path, "x.yaml", YAML_BOMBS[name].encode())).rows())


def test_what_unpacks_beyond_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_stream, "_HARMLESS", 2**20)
    packed = gzip.compress(b'{"inputs": "a"}\n' * 500_000)
    with pytest.raises(InputError, match="unpacks to more than 400 times its size"):
        list(Source(put(tmp_path, "bomb.jsonl.gz", packed)).rows())


@pytest.mark.parametrize("name", ["quote.csv", "quote.tsv"])
def test_a_quote_that_is_never_closed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dsbuilder_tui.sources.rows import table_records

    monkeypatch.setattr(table_records, "LONGEST_LINE", 10_000)
    path = put(tmp_path, name, b'question\n"one"\n"two' + b"x" * 50 + b"\nthree\n" * 20_000)
    with pytest.raises(InputError, match="quote"):
        list(Source(path).rows())


def _read(path: Path) -> str:
    """The sentence that reading ends with; empty when it ends well. Anything else is the test's failure."""
    try:
        with Source(path) as source:
            for item in source.checked_rows():
                assert isinstance(item, Row | BadLine)
                if isinstance(item, Row):
                    assert item.parts.text and item.body
                    source.keep(item)
    except DsbuilderError as error:
        assert len(str(error)) < 3_000
        return str(error)
    return ""


NAMES = st.sampled_from(["x", "x.jsonl", "x.json", "x.csv", "x.tsv", "x.yaml", "x.parquet", "x.jsonl.gz"])


@settings(deadline=None)
@given(st.binary(max_size=400), NAMES)
def test_any_bytes_are_rows_or_one_sentence(content: bytes, name: str) -> None:
    _read(put(Path(), name, content))


@settings(deadline=None)
@given(st.text(alphabet="{}[]\",:\\\n\r\t'-&*|;# abé0\ufeff\x00", max_size=200), NAMES)
def test_any_text_is_rows_or_one_sentence(text: str, name: str) -> None:
    _read(put(Path(), name, text.encode()))


WHOLE = {
    **containers(SHAPES["records"][0]),
    **tables(SHAPES["records"][0]),
    **{f"squad_{k}": v for k, v in containers(SHAPES["articles of squad"][0]).items()},
}


@settings(deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_files_that_are_damaged_or_cut(name: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _read(put(Path(), f"x_{name}", bytes(content[: data.draw(st.integers(0, len(content)))])))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["inputs", "input", "messages", "conversations", "vars", "assert", "answers", "paragraphs", "qas",
                         "question", "context", "expected", "tags", "metadata", "role", "content", "from", "value", "text",
                         "data", "records", "columns", "scenario", "turns", "user_input", "ideal", "outputs", "rubrics"]),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_JSON, max_size=4))
def test_any_records_with_known_fields(values: list[object]) -> None:
    import json

    for name, content in (
        ("x.jsonl", json_lines(values)), ("x.json", json.dumps(values).encode()),  # type: ignore[arg-type]
        ("y.json", json.dumps({"data": values, "more": values}).encode()),
    ):  # fmt: skip
        _read(put(Path(), name, content))


def test_memory_stays_flat_over_a_large_file(tmp_path: Path) -> None:
    """20 MB as lines, as one array on one line, and as a table: no more than the pieces that are read at once."""
    text = "Where is the pool, and which way do I go? " * 50
    for name, before, row, between, after in (
        ("x.jsonl", "", f'{{"question": "{text}"}}', "\n", "\n"), ("x.json", '{"data": [', f'{{"question": "{text}"}}', ",", "]}"),
        ("x.csv", "question\n", f'"{text}"', "\n", "\n"),
    ):  # fmt: skip
        path = tmp_path / name
        with path.open("w") as handle:
            handle.write(before + row)
            for _ in range(9_999):
                handle.write(between + row)
            handle.write(after)
        tracemalloc.start()
        with Source(path) as source:
            assert sum(isinstance(item, Row) for item in source.rows()) == 10_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12_000_000 < path.stat().st_size, name
