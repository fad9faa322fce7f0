"""Every shape in every container gives the rows that somebody meant."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest

from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.row_shapes import ROW_SHAPES
from tests.support.row_files import GROUND, HOURS, POOL, SEVEN, SHAPES, Wanted, containers, json_lines, put, tables


def rows_of(path: Path | str, choice: FieldChoice | None = None) -> list[Row]:
    with Source(path, choice) as source:
        found = list(source.checked_rows())
    assert [item for item in found if isinstance(item, BadLine)] == []
    return [item for item in found if isinstance(item, Row)]


def wanted_of(rows: list[Row]) -> list[Wanted]:
    return [
        Wanted(dict(row.parts.inputs), dict(row.parts.expectations), row.parts.category, row.parts.id) for row in rows
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_in_every_container(name: str, tmp_path: Path) -> None:
    records, wanted = SHAPES[name]
    for file, content in containers(records).items():
        if file.startswith(("pandas", "split")) and len({tuple(record) for record in records}) > 1:
            continue  # there every record has the same fields
        assert wanted_of(rows_of(put(tmp_path, file, content))) == wanted, file


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "articles of squad"])
def test_a_shape_in_a_table(name: str, tmp_path: Path) -> None:
    records, wanted = SHAPES[name]
    if name == "braintrust":  # a table has no numbers
        wanted = [wanted[0], Wanted(wanted[1].inputs, {"expected_response": "7"}, "", "b-2")]
    for file, content in tables(records).items():
        assert wanted_of(rows_of(put(tmp_path, file, content))) == wanted, file


@pytest.mark.parametrize("name", ["records", "questions", "squad", "langsmith", "messages"])
def test_a_shape_in_parquet_and_arrow(name: str, tmp_path: Path) -> None:
    records, wanted = SHAPES[name]
    cells = [{k: v if isinstance(v, str) else json.dumps(v) for k, v in record.items()} for record in records]
    columns = {name: [cell.get(name) for cell in cells] for cell in cells for name in cell}
    whole = arrow.table(columns)
    parquet.write_table(whole, tmp_path / "rows.parquet")
    with ipc.new_file(tmp_path / "file.arrow", whole.schema) as writer:
        writer.write_table(whole)
    with ipc.new_stream(tmp_path / "stream.arrow", whole.schema) as writer:
        writer.write_table(whole)
    for file in ("rows.parquet", "file.arrow", "stream.arrow"):
        assert wanted_of(rows_of(tmp_path / file)) == wanted, file


def test_nested_columns_of_parquet(tmp_path: Path) -> None:
    records, wanted = SHAPES["squad"]
    parquet.write_table(arrow.Table.from_pylist(records), tmp_path / "squad.parquet")
    assert wanted_of(rows_of(tmp_path / "squad.parquet")) == wanted


def test_a_file_with_one_question(tmp_path: Path) -> None:
    for content in (b'{"question": "Where is the pool?"}', b'{\n "question": "Where is the pool?"\n}\n',
                    b'[{"question": "Where is the pool?"}]', b'[\n{"question": "Where is the pool?"}\n]\n'):  # fmt: skip
        for name in ("one.json", "one.jsonl"):
            assert wanted_of(rows_of(put(tmp_path, name, content))) == [Wanted({"question": POOL})]


def test_the_document_of_squad(tmp_path: Path) -> None:
    records, wanted = SHAPES["articles of squad"]
    whole = {"version": "v2.0", "data": records}
    for name, indent in (("dense.json", None), ("indented.json", 2)):
        path = put(tmp_path, name, json.dumps(whole, indent=indent).encode())
        assert wanted_of(rows_of(path)) == wanted
        with Source(path) as source:
            for row in source.rows():
                assert isinstance(row, Row)
                source.keep(row)
            assert [source.kept(n).id for n in range(2)] == ["s-1", "s-2"], "two rows of one record are told apart"


def test_the_dataset_that_mlflow_writes_as_json(tmp_path: Path) -> None:
    records, wanted = SHAPES["mlflow"]
    whole = {"name": "hotel", "digest": "x", "source_type": "t", "source": "{}", "schema": "{}", "profile": None,
             "dataset_id": "d-1", "tags": {}, "experiment_ids": [], "records": records}  # fmt: skip
    assert wanted_of(rows_of(put(tmp_path, "to.json", json.dumps(whole).encode()))) == wanted


def test_our_own_exports_come_back(tmp_path: Path) -> None:
    text = (
        "case_id,category,slot,inputs.query,inputs.who,expectations,attributes.tone,tags\r\n"
        'rooms-0001,rooms,1,Where is the pool?,guest,"{""expected_facts"": [""ground floor""]}",calm,'
        '"{""model"": ""built-in""}"\r\n'
        "rooms-0002,rooms,2,'=1+1,'-guest,{},calm,{}\r\n"
    )
    first, second = rows_of(put(tmp_path, "ours.csv", text.encode()))
    assert wanted_of([first]) == [
        Wanted({"query": POOL, "who": "guest"}, {"expected_facts": ["ground floor"]}, "rooms", "rooms-0001")
    ]
    assert first.parts.attributes == {"tone": "calm"} and first.parts.tags["model"] == "built-in"
    assert second.parts.inputs == {"query": "=1+1", "who": "-guest"}, "the apostrophe was ours"
    foreign = put(tmp_path, "foreign.csv", b"question,answer\n'=x,y\n")
    assert rows_of(foreign)[0].parts.inputs == {"question": "'=x"}


def test_text_of_a_western_spreadsheet(tmp_path: Path) -> None:
    text = "question;answer;category\r\nWo ist das Café?;Im “Süden”;räume\r\nÜber die Straße?;Ja – 5 €;räume\r\n"
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        rows = rows_of(put(tmp_path, "sheet.csv", text.encode(encoding)))
        assert wanted_of(rows) == [
            Wanted({"question": "Wo ist das Café?"}, {"expected_response": "Im “Süden”"}, "räume"),
            Wanted({"question": "Über die Straße?"}, {"expected_response": "Ja – 5 €"}, "räume"),
        ], encoding
    latin = "question,answer\nCafé?,\xfcber\n".encode("latin-1")
    assert rows_of(put(tmp_path, "latin.csv", latin))[0].parts.inputs == {"question": "Café?"}


def test_cells_with_quotes_lines_and_dividers(tmp_path: Path) -> None:
    text = 'question,answer\r\n"Where, ""exactly"",\nis it?",here\r\n\r\n"one",two\r\ntoo,many,cells\r\nfew\r\n'
    with Source(put(tmp_path, "odd.csv", text.encode())) as source:
        found = list(source.rows())
        assert source.heading == b"question,answer\r\n"
    first, second, bad, last = found
    assert (
        isinstance(first, Row) and first.parts.inputs == {"question": 'Where, "exactly",\nis it?'} and first.line == 2
    )
    assert first.raw == b'"Where, ""exactly"",\nis it?",here\r\n'
    assert isinstance(second, Row) and second.parts.expectations == {"expected_response": "two"} and second.line == 5
    assert isinstance(bad, BadLine) and bad.reason == "3 cells under 2 headings"
    assert isinstance(last, Row) and last.parts.inputs == {"question": "few"}


@pytest.mark.parametrize("name", ["records", "evals", "squad"])
def test_a_pipe_and_standard_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records, wanted = SHAPES[name]
    for file, content in {**containers(records), **tables(records)}.items():
        if file.startswith(("pandas", "split", "tab.csv", "semicolon", "bar", "wide.csv", "documents")):
            continue  # without a name, these have no telling beginning
        pipe = tmp_path / f"pipe_{file.replace('.', '_')}"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        assert wanted_of(rows_of(pipe)) == wanted, file
        writer.join(10)
        with put(tmp_path, "in", content).open("r") as handle:
            monkeypatch.setattr(sys, "stdin", handle)
            assert wanted_of(rows_of("-")) == wanted, file


def test_a_folder_of_hugging_face(tmp_path: Path) -> None:
    folder = tmp_path / "hotel"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Hotel\n")
    (folder / "dataset_infos.json").write_text('{"default": {"splits": {"train": {}}}}')
    (folder / ".gitattributes").write_text("*.parquet filter=lfs\n")
    for split, text in (("train", POOL), ("test", HOURS)):
        parquet.write_table(
            arrow.table({"question": [text], "answer": ["Yes."]}), folder / "data" / f"{split}-00000-of-00001.parquet"
        )
    rows = rows_of(folder)
    assert [(row.parts.inputs["question"], row.parts.tags["split"], row.line) for row in rows] == [
        (HOURS, "test", 1), (POOL, "train", 2),
    ]  # fmt: skip


def test_what_save_to_disk_writes(tmp_path: Path) -> None:
    for split, text in (("train", POOL), ("validation", HOURS)):
        folder = tmp_path / split
        folder.mkdir()
        whole = arrow.table({"question": [text], "answer": ["Yes."]})
        for name in ("data-00000-of-00001.arrow", "old.arrow"):
            with ipc.new_stream(folder / name, whole.schema) as writer:
                writer.write_table(whole)
        (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
        (folder / "dataset_info.json").write_text("{}")
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    rows = rows_of(tmp_path)
    assert [(row.parts.inputs["question"], row.parts.tags["split"]) for row in rows] == [
        (POOL, "train"), (HOURS, "validation"),
    ]  # fmt: skip
    with Source(tmp_path) as source:
        for row in source.rows():
            assert isinstance(row, Row)
            source.keep(row)
        assert [source.kept(n).shown for n in range(2)] == [POOL, HOURS] and source.share == 1.0


def test_fields_that_are_named_win_over_the_shape(tmp_path: Path) -> None:
    record = {"inputs": {"query": POOL}, "topic": {"name": "rooms"}, "right": ["On the ground floor."]}
    path = put(tmp_path, "x.jsonl", json_lines([record]))
    choice = FieldChoice(("inputs.query",), "topic.name", "right")
    assert wanted_of(rows_of(path, choice)) == [Wanted({"inputs.query": POOL}, GROUND, "rooms")]
    odd = put(tmp_path, "odd.csv", b"frage,antwort,thema\nWhen is breakfast served?,From seven.,meals\n")
    assert wanted_of(rows_of(odd, FieldChoice(("frage",), "thema", "antwort"))) == [
        Wanted({"frage": HOURS}, SEVEN, "meals")
    ]


def test_the_companion_is_expected_when_fields_are_named(tmp_path: Path) -> None:
    path = put(tmp_path, "x.jsonl", json_lines([{"question": POOL, "context": "x", "answer": "On the ground floor."}]))
    (row,) = rows_of(path, FieldChoice(("question",)))
    assert row.parts.expectations == GROUND


def test_of_a_chat_the_user_is_compared() -> None:
    records, _ = SHAPES["evals"]
    path = put(Path(), "chats.jsonl", json_lines(records[:1]))
    assert rows_of(path)[0].parts.text == POOL


def test_every_shape_has_a_sample() -> None:
    found = set()
    for records, _ in SHAPES.values():
        for name, shape in ROW_SHAPES.all().items():
            if shape.recognises(records[0]):
                found.add(name)
                break
    assert found == set(ROW_SHAPES.names())


@pytest.mark.parametrize("answer", ["outputs", "expected", "ideal", "expected_output", "answer", "reference"])
def test_another_answer_to_one_question_is_another_demand(answer: str, tmp_path: Path) -> None:
    for key in ("input", "inputs", "question"):
        records: list[dict[str, Any]] = [{key: POOL, answer: "Yes"}, {key: POOL, answer: ["No"]}]
        one, other = rows_of(put(tmp_path, "x.jsonl", json_lines(records)))
        assert one.parts.text == other.parts.text == POOL
        assert one.parts.demands and one.parts.demands != other.parts.demands
