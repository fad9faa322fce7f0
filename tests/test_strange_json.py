"""JSON of every kind, given wherever a file of JSON is read: rows, a plan, a session, or one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from dsbuilder_tui.dedup.outputs import line_with
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.session.plan_files import load_plan
from dsbuilder_tui.sources.rows import json_records
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.store.imports.seed_checkpoint import read_seed_checkpoint
from tests.support.json_texts import json_texts

TEXTS = json_texts()


def said(act: Callable[[], object]) -> str:
    """The sentence that an act ends with; empty when it ends well. Anything but a sentence is the test's failure."""
    try:
        act()
    except DsbuilderError as error:
        assert "\x00" not in error.problem and len(str(error)) < 2_000
        return str(error)
    return ""


def test_there_are_enough_of_each_kind() -> None:
    assert {kind: sum(name.startswith(kind) for name in TEXTS) > 40 for kind in "yni"} == dict.fromkeys("yni", True)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize(
    "around", [b"%s", b"[%s]", b"[\n%s\n]", b'{"inputs": {"query": "Hi"}}\n%s\n', b'{"created_instances": [%s]}']
)
def test_rows(tmp_path: Path, around: bytes, name: str) -> None:
    for kind, text in TEXTS.items():
        file = tmp_path / name
        file.write_bytes(around % text)
        found: list[Row | BadLine] = []

        def read(file: Path = file, found: list[Row | BadLine] = found) -> None:
            with Source(file, FieldChoice()) as source:
                for row in source.rows():
                    found.append(row)
                    if isinstance(row, Row):
                        source.keep(row)
                for place in range(sum(isinstance(row, Row) for row in found)):
                    source.kept(place)

        sentence = said(read)
        assert found or sentence or kind[0] in "yi", (kind, text[:60])
        if kind.startswith("y") and around == b"%s" and b"inputs" in text and name.endswith("l"):
            assert isinstance(found[0], Row), text
        for row in found:
            if isinstance(row, Row):
                line = line_with(row, {"reason": "x"})
                assert line.endswith(b"}\n") and (kind.startswith("i") or orjson.loads(line))


@pytest.mark.parametrize(
    "around",
    [
        b"%s", b'{"dataset_name": "x", "categories": %s}', b'{"dataset_name": %s, "categories": [{"name": "a", "count": 1}]}',
        b'{"dataset_name": "x", "categories": [{"name": "a", "count": %s, "example_inputs": ["b"]}]}',
        b'{"dataset_name": "x", "categories": [{"name": "a", "count": 1, "example_inputs": ["b"], "expectations": {"k": %s}}]}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["plan.json", "plan.yaml"])
def test_plans(tmp_path: Path, around: bytes, name: str) -> None:
    for kind, text in TEXTS.items():
        file = tmp_path / name
        file.write_bytes(around % text)
        sentence = said(lambda file=file: load_plan(file))
        assert sentence or kind[0] in "yi" or name.endswith("yaml"), (kind, text[:60])


@pytest.mark.parametrize(
    "around",
    [
        b"%s", b'{"dataset_plan": %s, "created_instances": []}',
        b'{"dataset_plan": {"dataset_name": "x", "categories": [{"name": "a", "count": 1}]}, "created_instances": %s}',
        b'{"dataset_plan": {"dataset_name": "x", "categories": [{"name": "a", "count": 1}]}, "created_instances": [%s]}',
        b'{"dataset_plan": {"dataset_name": "x", "categories": [{"name": "a", "count": 1}]}, '
        b'"created_instances": [{"inputs": {"query": %s}, "tags": %s}]}',
        b'{"dataset_plan": {"dataset_name": "x", "categories": [{"name": "a", "count": 1}]}, "retired_slots": %s}',
    ],
)  # fmt: skip
def test_imports(tmp_path: Path, around: bytes) -> None:
    file = tmp_path / "x_checkpoint.json"
    for kind, text in TEXTS.items():
        file.write_bytes(around.replace(b"%s", text))
        sentence = said(lambda: read_seed_checkpoint(file))
        assert sentence or kind[0] in "yi", (kind, text[:60])


def test_a_document_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document is read record by record: what has a limit is one record, and what an object has beside its rows."""
    file = tmp_path / "rows.json"
    record, beside = b'[\n{"inputs": "a"},\n%s\n]', b'{\n"about": %s,\n"records": [{"inputs": "a"}]\n}'
    large = b"[" + b"[]," * 300_000 + b"[]]"
    for limit, value, around in (
        ("LONGEST_LINE", 50_000, record), ("LONGEST_DOCUMENT", 50_000, beside), ("MOST_VALUES", 20_000, beside),
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(json_records, limit, value)
            file.write_bytes(around % large)
            with pytest.raises(DsbuilderError, match="Give JSON lines"), Source(file, FieldChoice()) as source:
                list(source.rows())
        with Source(file, FieldChoice()) as source:
            assert sum(isinstance(row, Row) for row in source.rows()) == 1


BOMBS = {
    "aliases": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 10)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)),
    "merged": "a: &a {x: 1}\n"
    + "".join(
        f"{c}: &{c} {{<<: [{', '.join([f'*{b}'] * 10)}]}}\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "itself": "a: &a [*a]",
    "deep": "[" * 5_000,
    "deep blocks": "\n".join(" " * depth + "a:" for depth in range(500)),
    "anchors": "".join(f"- &a{n} x\n" for n in range(2_000)),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_yaml_that_is_larger_than_it_looks(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(DsbuilderError, match="too large to be a plan"):
        load_plan(tmp_path / "plan.yaml")


@pytest.mark.parametrize(
    "text", ["a: 2024-02-30", "? [a]\n: b", "a: " + "9" * 5_000, "a: !!binary 'x'", "a: \x01", "a: !!set {b}"]
)
def test_yaml_values_that_cannot_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    assert said(lambda: load_plan(tmp_path / "plan.yaml"))


def test_a_plan_without_end() -> None:
    assert "larger than 10 MB" in said(lambda: load_plan("/dev/zero"))
