"""Small files of rows in every shape and container, each with the rows it has to give."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Wanted:
    """A row as it has to come out."""

    inputs: dict[str, Any]
    expectations: dict[str, Any] = field(default_factory=dict)
    category: str = ""
    id: str | None = None


POOL, HOURS = "Where is the pool?", "When is breakfast served?"
GROUND = {"expected_response": "On the ground floor."}
SEVEN = {"expected_response": "From seven."}
SYSTEM = {"role": "system", "content": "You work at the desk of a hotel."}


def asked(text: str) -> list[dict[str, str]]:
    return [SYSTEM, {"role": "user", "content": text}]


# By shape: the records that somebody else writes, and the rows in them.
SHAPES: dict[str, tuple[list[dict[str, Any]], list[Wanted]]] = {
    "records": (
        [
            {"inputs": {"query": POOL}, "expectations": GROUND, "tags": {"category": "rooms", "case_id": "rooms-1", "slot": 1}},
            {"inputs": {"query": HOURS}, "expectations": {"expected_facts": ["seven"]}, "tags": {"category": "meals"}},
        ],
        [
            Wanted({"query": POOL}, GROUND, "rooms", "rooms-1"),
            Wanted({"query": HOURS}, {"expected_facts": ["seven"]}, "meals"),
        ],
    ),
    "mlflow": (
        [
            {"dataset_record_id": "dr-1", "dataset_id": "d-1", "inputs": {"query": POOL}, "expectations": GROUND,
             "outputs": {"answer": "No idea."}, "tags": {"category": "rooms"}, "source": None, "create_time": None},
            {"dataset_record_id": "dr-2", "dataset_id": "d-1", "inputs": {"query": HOURS}, "expectations": {},
             "outputs": {"answer": "At nine."}, "tags": {}},
        ],
        [Wanted({"query": POOL}, GROUND, "rooms", "dr-1"), Wanted({"query": HOURS}, {}, "", "dr-2")],
    ),
    "evals": (
        [
            {"input": asked(POOL), "ideal": ["On the ground floor."]},
            {"input": [{"role": "user", "content": HOURS}], "ideal": ["From seven.", "At seven."]},
            {"input": HOURS, "ideal": "From seven."},
        ],
        [
            Wanted({"messages": asked(POOL)}, GROUND),
            Wanted({"input": HOURS}, {**SEVEN, "other_responses": ["At seven."]}),
            Wanted({"input": HOURS}, SEVEN),
        ],
    ),
    "promptfoo": (
        [
            {"description": "pool", "vars": {"question": POOL, "language": "English"}, "metadata": {"category": "rooms"},
             "assert": [{"type": "icontains", "value": "ground floor"}, {"type": "llm-rubric", "value": "Is polite."}]},
            {"vars": {"question": HOURS}, "assert": [{"type": "equals", "value": "From seven."}, {"type": "is-json"}]},
        ],
        [
            Wanted({"question": POOL, "language": "English"},
                   {"expected_facts": ["ground floor"], "guidelines": ["Is polite."]}, "rooms"),
            Wanted({"question": HOURS}, {**SEVEN, "assert": [{"type": "is-json"}]}),
        ],
    ),
    "promptfoo table": (
        [
            {"question": POOL, "__expected1": "icontains: ground floor", "__expected2": "llm-rubric: Is polite."},
            {"question": HOURS, "__expected1": "From seven.", "__expected2": ""},
        ],
        [
            Wanted({"question": POOL}, {"expected_facts": ["ground floor"], "guidelines": ["Is polite."]}),
            Wanted({"question": HOURS}, SEVEN),
        ],
    ),
    "deepeval": (
        [
            {"input": POOL, "actual_output": None, "expected_output": "On the ground floor.", "retrieval_context": None,
             "context": None, "additional_metadata": {"category": "rooms"}, "source_file": None},
            {"input": HOURS, "actual_output": "At nine.", "expected_output": None,
             "expected_tools": [{"name": "opening_hours", "input_parameters": {"of": "breakfast"}}]},
        ],
        [
            Wanted({"input": POOL}, GROUND, "rooms"),
            Wanted({"input": HOURS}, {"expected_tool_calls": [{"name": "opening_hours", "arguments": {"of": "breakfast"}}]}),
        ],
    ),
    "deepeval conversations": (
        [
            {"scenario": "A guest looks for the pool.", "expected_outcome": "The guest knows where it is.",
             "user_description": "In a hurry.", "turns": None, "context": None},
            {"scenario": "A guest asks for breakfast.", "expected_outcome": None, "turns": [{"role": "user", "content": HOURS}]},
        ],
        [
            Wanted({"scenario": "A guest looks for the pool.", "user_description": "In a hurry."},
                   {"expected_response": "The guest knows where it is."}),
            Wanted({"scenario": "A guest asks for breakfast.", "turns": [{"role": "user", "content": HOURS}]}),
        ],
    ),
    "ragas": (
        [
            {"user_input": POOL, "retrieved_contexts": ["x"], "response": "No idea.", "reference": "On the ground floor."},
            {"user_input": HOURS, "reference": "From seven.", "reference_contexts": ["Breakfast is from seven."]},
        ],
        [
            Wanted({"user_input": POOL}, GROUND),
            Wanted({"user_input": HOURS}, {**SEVEN, "reference_contexts": ["Breakfast is from seven."]}),
        ],
    ),
    "older ragas": (
        [
            {"question": POOL, "answer": "No idea.", "contexts": ["x"], "ground_truth": "On the ground floor."},
            {"question": HOURS, "answer": "At nine.", "contexts": ["y"], "ground_truth": "From seven."},
        ],
        [Wanted({"question": POOL}, GROUND), Wanted({"question": HOURS}, SEVEN)],
    ),
    "langsmith": (
        [
            {"id": "e-1", "inputs": {"question": POOL}, "outputs": {"answer": "On the ground floor."},
             "metadata": {"category": "rooms"}},
            {"id": "e-2", "inputs": {"question": HOURS}, "outputs": {"time": "seven", "sure": True}, "metadata": None},
        ],
        [
            Wanted({"question": POOL}, GROUND, "rooms", "e-1"),
            Wanted({"question": HOURS}, {"time": "seven", "sure": True}, "", "e-2"),
        ],
    ),
    "langfuse": (
        [
            {"id": "i-1", "status": "ACTIVE", "input": {"question": POOL}, "expectedOutput": "On the ground floor.",
             "metadata": {"category": "rooms"}, "sourceTraceId": None, "datasetName": "hotel"},
            {"id": "i-2", "status": "ACTIVE", "input": HOURS, "expectedOutput": {"answer": "From seven."}, "metadata": None},
        ],
        [Wanted({"question": POOL}, GROUND, "rooms", "i-1"), Wanted({"input": HOURS}, SEVEN, "", "i-2")],
    ),
    "braintrust": (
        [
            {"id": "b-1", "input": {"question": POOL}, "expected": "On the ground floor.", "metadata": {"category": "rooms"},
             "tags": ["checked"]},
            {"id": "b-2", "input": HOURS, "expected": 7},
        ],
        [Wanted({"question": POOL}, GROUND, "rooms", "b-1"), Wanted({"input": HOURS}, {"expected_response": "7"}, "", "b-2")],
    ),
    "sharegpt": (
        [
            {"id": "c-1", "conversations": [{"from": "human", "value": POOL}, {"from": "gpt", "value": "On the ground floor."}]},
            {"id": "c-2", "conversations": [
                {"from": "system", "value": SYSTEM["content"]}, {"from": "human", "value": HOURS},
                {"from": "gpt", "value": "From seven."}]},
        ],
        [
            Wanted({"input": POOL}, GROUND, "", "c-1"),
            Wanted({"messages": asked(HOURS)}, SEVEN, "", "c-2"),
        ],
    ),
    "messages": (
        [
            {"messages": [*asked(POOL), {"role": "assistant", "content": "On the ground floor."}]},
            {"messages": [{"role": "user", "content": [{"type": "text", "text": HOURS}]}]},
        ],
        [
            Wanted({"messages": asked(POOL)}, GROUND),
            Wanted({"messages": [{"role": "user", "content": [{"type": "text", "text": HOURS}]}]}),
        ],
    ),
    "squad": (
        [
            {"id": "s-1", "title": "Hotel", "context": "The pool is on the ground floor.", "question": POOL,
             "answers": {"text": ["On the ground floor.", "On the ground floor."], "answer_start": [1, 2]}},
            {"id": "s-2", "title": "Hotel", "context": "The pool is on the ground floor.", "question": HOURS,
             "answers": {"text": [], "answer_start": []}},
        ],
        [
            Wanted({"question": POOL, "context": "The pool is on the ground floor."}, GROUND, "", "s-1"),
            Wanted({"question": HOURS, "context": "The pool is on the ground floor."}, {"answerable": False}, "", "s-2"),
        ],
    ),
    "articles of squad": (
        [
            {"title": "Hotel", "paragraphs": [
                {"context": "The pool is on the ground floor.", "qas": [
                    {"id": "s-1", "question": POOL, "answers": [{"text": "On the ground floor.", "answer_start": 12}]},
                    {"id": "s-2", "question": HOURS, "answers": [], "is_impossible": True}]}]},
        ],
        [
            Wanted({"question": POOL, "context": "The pool is on the ground floor."}, GROUND, "", "s-1"),
            Wanted({"question": HOURS, "context": "The pool is on the ground floor."}, {"answerable": False}, "", "s-2"),
        ],
    ),
    "instructions": (
        [
            {"instruction": "Translate it.", "input": POOL, "output": "Wo ist das Becken?"},
            {"instruction": "Greet me.", "input": "", "output": "Hello!"},
        ],
        [
            Wanted({"instruction": "Translate it.", "input": POOL}, {"expected_response": "Wo ist das Becken?"}),
            Wanted({"instruction": "Greet me."}, {"expected_response": "Hello!"}),
        ],
    ),
    "questions": (
        [
            {"Question": POOL, "Answer": "On the ground floor.", "Category": "rooms", "ID": "7"},
            {"Question": HOURS, "Answer": "From seven.", "Category": "meals", "ID": "8"},
        ],
        [Wanted({"question": POOL}, GROUND, "rooms", "7"), Wanted({"question": HOURS}, SEVEN, "meals", "8")],
    ),
}  # fmt: skip


def json_lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def table(records: list[dict[str, Any]], divider: str = ",", *, as_python: bool = False) -> str:
    """Records as a table; what is nested as JSON, or as pandas writes it."""
    names = list(dict.fromkeys(name for record in records for name in record))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=divider)
    writer.writerow(names)
    for record in records:
        cells = [record.get(name) for name in names]
        writer.writerow([_cell(cell, as_python) for cell in cells])
    return out.getvalue()


def _cell(value: Any, as_python: bool) -> Any:
    if isinstance(value, dict | list):
        return repr(value) if as_python else json.dumps(value)
    return "" if value is None else value


def containers(records: list[dict[str, Any]]) -> dict[str, bytes]:
    """The same records as files of every kind, by name."""
    lines, array = json_lines(records), json.dumps(records).encode()
    columns = {name: {str(n): record.get(name) for n, record in enumerate(records)} for name in records[0]}
    split = {"columns": list(records[0]), "index": list(range(len(records))),
             "data": [[record.get(name) for name in records[0]] for record in records]}  # fmt: skip
    return {
        "rows.jsonl": lines,
        "bom.jsonl": b"\xef\xbb\xbf" + lines,
        "no_end.jsonl": lines.rstrip(b"\n"),
        "windows.ndjson": lines.replace(b"\n", b"\r\n"),
        "no_ending": lines,
        "packed.jsonl.gz": gzip.compress(lines),
        "wide.jsonl": lines.decode().encode("utf-16"),
        "wide_without_mark.jsonl": lines.decode().encode("utf-16-le"),
        "array.json": array,
        "indented.json": json.dumps(records, indent=2).encode(),
        "array.json.gz": gzip.compress(array),
        "in_an_object.json": json.dumps({"name": "x", "notes": ["a"], "data": records, "count": 2}).encode(),
        "deeper.json": json.dumps({"dataset": {"name": "x", "items": records}}, indent=1).encode(),
        "under_an_own_name.json": json.dumps({"version": 1, "my_rows": records}).encode(),
        "one_after_another.json": "\n".join(json.dumps(record, indent=2) for record in records).encode(),
        "rows.yaml": yaml.safe_dump(records, allow_unicode=True).encode(),
        "in_an_object.yml": yaml.safe_dump({"prompts": ["x"], "tests": records}, allow_unicode=True).encode(),
        "documents.yaml": yaml.safe_dump_all(records, allow_unicode=True).encode(),
        "pandas.json": json.dumps(columns).encode(),
        "split.json": json.dumps(split).encode(),
    }


def tables(records: list[dict[str, Any]]) -> dict[str, bytes]:
    """The same records as tables of every kind, by name."""
    text = table(records)
    return {
        "comma.csv": text.encode(),
        "bom.csv": b"\xef\xbb\xbf" + text.encode(),
        "unix.csv": text.replace("\r\n", "\n").encode(),
        "semicolon.csv": table(records, ";").encode(),
        "bar.csv": table(records, "|").encode(),
        "tab.tsv": table(records, "\t").encode(),
        "tab.csv": table(records, "\t").encode(),
        "wide.csv": text.encode("utf-16"),
        "packed.csv.gz": gzip.compress(text.encode()),
        "pandas.csv": table(records, as_python=True).encode(),
    }


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
