"""Rows out of files as they are met: lines, arrays, gzip, pipes, and damage of every kind."""

from __future__ import annotations

import gzip
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows import json_records as reading
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.record_fields import at, parse
from dsbuilder_tui.sources.rows.row_shapes import RECORDS, ROW_SHAPES
from dsbuilder_tui.store.imports.json_values import Unusable


def record(text: str, category: str = "orders", **more: Any) -> dict[str, Any]:
    return {"inputs": {"query": text}, "expectations": {"polite": True}, "tags": {"category": category}, **more}


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


def read(content: bytes, name: str = "data.jsonl", shape: FieldChoice | None = None) -> list[Row | BadLine]:
    Path(name).write_bytes(content)
    with Source(name, shape or FieldChoice()) as source:
        return list(source.rows())


def texts(found: list[Row | BadLine]) -> list[str]:
    return [item.parts.text if isinstance(item, Row) else f"bad: {item.reason}" for item in found]


def test_our_records() -> None:
    content = lines(record("Where is it?", id=7), record("Cancel it", "refunds"))
    first, second = read(content)
    assert isinstance(first, Row) and isinstance(second, Row)
    assert (first.line, first.parts.category, first.parts.text, first.parts.id) == (1, "orders", "Where is it?", "7")
    assert first.parts.expectations == {"polite": True} and second.parts.category == "refunds"
    assert first.raw + second.raw == content


@pytest.mark.parametrize(
    ("given", "category", "expectations"),
    [
        ({"inputs": "Hi there", "category": "greet"}, "greet", {}),
        ({"input": {"q": "Hi there"}, "category_name": "greet", "expectations": "say hello"}, "greet",
         {"expectations": "say hello"}),
        ({"inputs": {"q": "Hi there"}, "tags": None, "expectations": None}, "", {}),
        ({"inputs": {"q": "Hi there"}, "tags": {"category": 3}}, "3", {}),
    ],
)  # fmt: skip
def test_other_records_like_ours(given: dict[str, Any], category: str, expectations: dict[str, Any]) -> None:
    (row,) = read(lines(given))
    assert isinstance(row, Row)
    assert (row.parts.text, row.parts.category, row.parts.expectations) == ("Hi there", category, expectations)


def test_named_fields() -> None:
    chat = {
        "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}],
        "a.b": {"c": 1},
    }
    shape = FieldChoice(("messages.0.content", "a.b.c"), "messages.-1.role", "messages.1.content")
    (row,) = read(lines(chat), shape=shape)
    assert isinstance(row, Row)
    assert row.parts.shown == "Hello · 1" and row.parts.category == "assistant"
    assert row.parts.expectations == {"expected_response": "Hi!"}
    whole = read(lines(chat), shape=FieldChoice(("messages",)))
    assert isinstance(whole[0], Row) and "Hi!" in whole[0].parts.text


@pytest.mark.parametrize("shape", [FieldChoice(("text",)), FieldChoice((), "kind"), FieldChoice((), None, "answer")])
def test_a_field_that_is_not_there(shape: FieldChoice) -> None:
    (found,) = read(lines(record("Hi")), shape=shape)
    missing = (*shape.fields, shape.category_field, shape.expectations_field)
    assert isinstance(found, BadLine) and found.reason == f"no field {next(name for name in missing if name)}"


def test_damaged_lines_are_told_and_the_rest_is_read() -> None:
    good = lines(record("Fine"))
    damaged = [
        (b'{"inputs": {"q": "cut off\n', "not JSON"),
        (b"\n", "empty line"),
        (b"   \r\n", "empty line"),
        (b'{"inputs": "caf\xe9"}\n', "not UTF-8 at byte 16"),
        (b"\x00\x01\x02\n", "not JSON"),
        (b"[1, 2]\n", "not a JSON object"),
        (b'"text"\n', "not a JSON object"),
        (b"{}\n", "no field inputs"),
        (b'{"inputs": {"q": " "}}\n', "nothing to compare in inputs"),
        (b'{"inputs": {}}\n', "nothing to compare in inputs"),
        (b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}\n", "nested too deeply"),
        (b'{"inputs": ' + b'{"a":' * 1010 + b"1" + b"}" * 1010 + b"}\n", "nested too deeply"),
    ]
    found = read(good + b"".join(line for line, _ in damaged) + good)
    assert [item.line for item in found] == list(range(1, len(damaged) + 3))
    assert isinstance(found[0], Row) and isinstance(found[-1], Row)
    for item, (line, reason) in zip(found[1:-1], damaged, strict=True):
        assert isinstance(item, BadLine) and item.reason.startswith(reason), (item, reason)
        assert item.raw == line


def test_what_pythons_json_writes_and_strict_readers_refuse() -> None:
    (row,) = read(b'{"inputs": {"q": "half \\ud83d emoji"}, "expectations": {"score": NaN}}\n')
    assert isinstance(row, Row) and row.parts.text == "half � emoji"


def test_lines_are_as_they_stood() -> None:
    content = b'\xef\xbb\xbf{"inputs":  "one"}\r\n{"inputs": "two", "x": 1.0}'
    found = read(content)
    assert b"".join(item.raw for item in found) == content
    assert isinstance(found[0], Row) and found[0].body == b'{"inputs":  "one"}'
    assert texts(found) == ["one", "two"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["data.json", "x_checkpoint.json", "data.jsonl"])
@pytest.mark.parametrize("seed_format", [False, True])
def test_one_json_document(indent: int | None, name: str, seed_format: bool) -> None:
    records = [record("First"), {"nothing": 1}, record("Second")]
    document = {"dataset_name": "d", "created_instances": records, "instances_created": 3} if seed_format else records
    found = read(json.dumps(document, indent=indent).encode(), name)
    assert texts(found) == ["First", "bad: no field inputs", "Second"]
    assert [item.line for item in found] == [1, 2, 3]
    assert [json.loads(item.raw) for item in found] == records


def test_json_lines_under_the_name_of_a_document() -> None:
    assert texts(read(lines(record("One"), record("Two")), "data.json")) == ["One", "Two"]
    rows = read(lines(["a", "b"], ["c", "d"]), "rows.jsonl", FieldChoice(("1",)))
    assert texts(rows) == ["b", "d"]


@pytest.mark.parametrize("content", [b"[1, 2", b'{\n "created_instances": [', b'[{"inputs": "x"}]\n{"inputs": "y"}'])
def test_a_damaged_document(content: bytes) -> None:
    with pytest.raises(InputError, match="not JSON"):
        read(content, "data.json")


def test_an_object_of_many_lines_that_holds_no_records() -> None:
    assert texts(read(b'{\n "a": 1\n}\n', "data.json")) == ["bad: no field inputs"]
    with Source("data.json") as source, pytest.raises(InputError, match="its fields are a"):
        list(source.checked_rows())


def test_an_empty_file_has_no_rows() -> None:
    assert read(b"") == []


@pytest.mark.parametrize("name", ["data.jsonl.gz", "data.jsonl"])
def test_packed_files_and_looking_up(name: str) -> None:
    Path(name).write_bytes(gzip.compress(lines(*(record(f"Number {n}", id=f"r{n}") for n in range(500)))))
    _look_up(name)


def test_looking_up_in_a_plain_file() -> None:
    Path("plain.jsonl").write_bytes(lines(*(record(f"Number {n}", id=f"r{n}") for n in range(500))))
    _look_up("plain.jsonl")


def test_looking_up_in_a_document() -> None:
    Path("all.json").write_text(json.dumps([record(f"Number {n}", id=f"r{n}") for n in range(500)]))
    _look_up("all.json")


def test_looking_up_what_came_through_a_pipe() -> None:
    os.mkfifo("pipe")
    content = lines(*(record(f"Number {n}", id=f"r{n}") for n in range(500)))
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(content))
    writer.start()
    _look_up("pipe")
    writer.join(10)


def _look_up(name: str) -> None:
    with Source(name, FieldChoice()) as source:
        kept = 0
        for row in source.rows():
            assert isinstance(row, Row)
            if row.line % 3:
                source.keep(row)
                kept += 1
                found = source.kept(kept // 2)  # between reads, as it happens in a pass
                assert (found.id, found.shown) == (f"r{found.line - 1}", f"Number {found.line - 1}")
        assert (source.kept(0).line, source.kept(kept - 1).line) == (1, 500)
        assert [source.kept(n).line for n in range(4)] == [1, 2, 4, 5]
        assert source.share in (None, 1.0)


def test_a_file_that_changes_meanwhile() -> None:
    Path("data.jsonl").write_bytes(lines(record("One"), record("Two")))
    with Source("data.jsonl", FieldChoice()) as source:
        for row in source.rows():
            assert isinstance(row, Row)
            source.keep(row)
        Path("data.jsonl").write_bytes(b"gone\n")
        assert (source.kept(0).line, source.kept(0).shown, source.kept(1).shown) == (1, None, None)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Source("nowhere.jsonl", FieldChoice())
    with pytest.raises(InputError, match="is a folder"):
        Source(tmp_path, FieldChoice())


def test_a_packed_file_that_ends_in_the_middle() -> None:
    packed = gzip.compress(lines(*(record(os.urandom(20).hex()) for _ in range(2000))))
    with pytest.raises(InputError, match="is damaged"):
        read(packed[: len(packed) // 2], "cut.jsonl.gz")
    with pytest.raises(InputError, match="is damaged"):
        read(packed[:2000] + b"\x00" * 50 + packed[2050:], "hurt.jsonl.gz")


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    with pytest.raises(InputError, match="line 2, is longer"):
        read(lines(record("Fine")) + b'{"inputs": "' + b"x" * 5000)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_json_value_is_a_row_or_is_told(value: Any) -> None:
    for shape in (FieldChoice(), FieldChoice(("a.b",), "c", "d"), FieldChoice(("0",))):
        try:
            parts = shape.parts(parse(json.dumps(value).encode()), ROW_SHAPES.load(RECORDS))
        except Unusable as problem:
            assert str(problem)
        else:
            assert parts.text


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.dictionaries(st.text(min_size=1), st.integers())))
def test_every_key_is_found_at_its_path(value: dict[str, Any]) -> None:
    for key, inner in value.items():
        assert at(value, key) == inner
        if isinstance(inner, dict):
            for deeper, leaf in inner.items():
                if f"{key}.{deeper}" not in value and "." not in key:
                    assert at(value, f"{key}.{deeper}") == leaf


@pytest.mark.parametrize("depth", [200, 300, 500, 800, 990, 1010, 5_000, 100_000])
@pytest.mark.parametrize(
    "around", ["{}\n", '{{"inputs": {}}}\n', "[{}]\n", '{{"created_instances": [{}, {{"inputs": "a"}}]}}']
)
@pytest.mark.parametrize("name", ["deep.jsonl", "deep.json"])
def test_what_is_nested_deeply_is_rows_or_one_sentence(tmp_path: Path, depth: int, around: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(around.format("[" * depth + "]" * depth))
    try:
        with Source(path, FieldChoice()) as source:
            assert all(isinstance(row, Row | BadLine) for row in source.rows())
    except InputError as error:
        assert "nested too deeply" in error.problem


def test_a_number_of_any_size_in_a_document(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_text('[\n{"inputs": "a", "id": 123456789012345678901234567890, "x": NaN}\n]')
    with Source(path, FieldChoice()) as source:
        assert [type(row) for row in source.rows()] == [Row]
