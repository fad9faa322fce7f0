"""Tests of a promptfoo configuration: what they inherit, and the files that they stand in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows import dataset_rows
from dsbuilder_tui.sources.rows.dataset_rows import BadLine, Row, Source

POOL, HOURS = "Where is the pool?", "When is breakfast served?"
POLITE = {"type": "llm-rubric", "value": "Is polite."}
CONTAINS = {"type": "contains", "value": "ground floor"}
EN = {"question": POOL, "language": "en"}


def read(folder: Path, config: Any, name: str = "promptfooconfig.yaml") -> tuple[list[Row], list[str]]:
    """The rows of a configuration, and what was not read."""
    path = folder / name
    path.write_text(json.dumps(config, indent=1) if name.endswith(".json") else yaml.safe_dump(config), "utf-8")
    with Source(path) as source:
        found = list(source.rows())
    return (
        [item for item in found if isinstance(item, Row)],
        [item.reason for item in found if isinstance(item, BadLine)],
    )


def inputs(rows: list[Row]) -> list[Any]:
    return [row.parts.inputs for row in rows]


@pytest.mark.parametrize("name", ["promptfooconfig.yaml", "config.json"])
@pytest.mark.parametrize("apart", [False, True])
def test_what_holds_for_every_test(tmp_path: Path, name: str, apart: bool) -> None:
    default: Any = {"vars": {"language": "en"}, "assert": [POLITE], "options": {"provider": "x"}}
    if apart:
        (tmp_path / "default.yaml").write_text(yaml.safe_dump(default))
        default = "file://default.yaml"
    tests = [
        {"vars": {"question": POOL}, "assert": [CONTAINS]},
        {"vars": {"question": HOURS, "language": "de"}},
        {"vars": {"question": "Hi"}, "options": {"disableDefaultAsserts": True}, "assert": [CONTAINS]},
    ]
    rows, unread = read(tmp_path, {"prompts": ["p"], "defaultTest": default, "tests": tests}, name)
    assert not unread and inputs(rows) == [
        EN,
        {"question": HOURS, "language": "de"},
        {"question": "Hi", "language": "en"},
    ]
    assert rows[0].parts.expectations == {"guidelines": ["Is polite."], "expected_facts": ["ground floor"]}
    assert rows[1].parts.expectations == {"guidelines": ["Is polite."]}
    assert rows[2].parts.expectations == {"expected_facts": ["ground floor"]}
    assert rows[0].parts.tags["options"] == {"provider": "x"}


@pytest.mark.parametrize("name", ["promptfooconfig.yaml", "config.json"])
def test_scenarios_are_each_config_with_each_test(tmp_path: Path, name: str) -> None:
    scenario = {
        "config": [{"vars": {"language": "en"}}, {"vars": {"language": "de"}, "assert": [POLITE]}],
        "tests": [{"vars": {"question": POOL}}, {"vars": {"question": HOURS}, "assert": [CONTAINS]}],
    }
    rows, unread = read(tmp_path, {"scenarios": [scenario], "tests": [{"vars": {"question": "Hi"}}]}, name)
    assert not unread and inputs(rows) == [
        {"question": "Hi"}, EN, {"question": HOURS, "language": "en"}, {"question": POOL, "language": "de"},
        {"question": HOURS, "language": "de"},
    ]  # fmt: skip
    assert rows[4].parts.expectations == {"guidelines": ["Is polite."], "expected_facts": ["ground floor"]}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("cases.csv", f"question,language,__expected\n{POOL},en,contains: ground floor\n"),
        ("cases.yaml", yaml.safe_dump([{"vars": EN, "assert": [CONTAINS]}])),
        ("cases.json", json.dumps([{"vars": EN, "assert": [CONTAINS]}])),
        ("cases.jsonl", json.dumps({"vars": EN, "assert": [CONTAINS]}) + "\n"),
    ],
)
@pytest.mark.parametrize(
    "given", ["{}", "file://{}", ["file://{}"], "file://sub", "file://sub/*", [{"path": "file://{}"}]]
)
@pytest.mark.parametrize("name", ["promptfooconfig.yaml", "config.json"])
def test_tests_in_files(tmp_path: Path, file: str, text: str, given: Any, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / file).write_text(text)
    tests = json.loads(json.dumps(given).replace("{}", f"sub/{file}")) if given != [{"path": "file://{}"}] else [
        {"path": f"file://sub/{file}"}
    ]  # fmt: skip
    config = {"prompts": ["p"], "defaultTest": {"assert": [POLITE]}, "tests": tests}
    rows, unread = read(tmp_path, config, name)
    assert not unread and inputs(rows) == [EN]
    assert rows[0].parts.expectations == {"guidelines": ["Is polite."], "expected_facts": ["ground floor"]}


def test_variables_and_rubrics_in_files(tmp_path: Path) -> None:
    (tmp_path / "question.txt").write_text(f"{POOL}\n")
    (tmp_path / "vars.yaml").write_text("language: en\n")
    (tmp_path / "rubric.md").write_text("Is polite.\n")
    tests = [
        {"vars": {"question": "file://question.txt", "language": "en"}},
        {"vars": ["vars.yaml"], "assert": [{"type": "llm-rubric", "value": "file://rubric.md"}]},
    ]
    rows, unread = read(tmp_path, {"prompts": ["p"], "defaultTest": {"vars": {"question": HOURS}}, "tests": tests})
    assert not unread and inputs(rows) == [EN, {"question": HOURS, "language": "en"}]
    assert rows[1].parts.expectations == {"guidelines": ["Is polite."]}
    listed, unread = read(tmp_path, [{"vars": {"question": "file://question.txt"}}], "tests.yaml")
    assert not unread and inputs(listed) == [{"question": POOL}]


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("file://../secret.txt", "not below the configuration"),
        ("file://sub/../../secret.txt", "not below the configuration"),
        ("file:///etc/hostname", "not below the configuration"),
        ("file://~/secret.txt", "not below the configuration"),
        ("file://link.txt", "not below the configuration"),
        ("file://.env", "may hold keys"),
        ("file://gone.txt", "no such file"),
        ("file://make.py", "a program is not run"),
        ("file://make.py:cases", "a program is not run"),
        ("file://image.png", "no text in UTF-8"),
    ],
)
def test_a_variable_that_is_not_read_is_told_once_and_stays_as_it_was(tmp_path: Path, reference: str, why: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "image.png").write_bytes(b"\x89PNG\xff\xfe")
    (folder / ".env").write_text("API_KEY=secret")
    (folder / "make.py").write_text("raise SystemExit")
    tests = [{"vars": {"doc": reference, "question": question}} for question in (POOL, HOURS)]
    rows, unread = read(folder, {"prompts": ["p"], "tests": tests})
    assert [row.parts.inputs["doc"] for row in rows] == [reference] * 2
    assert len(unread) == 1 and why in unread[0] and reference.split(":")[0] in unread[0]


@pytest.mark.parametrize(
    "reference", ["https://docs.google.com/x", "huggingface://a/b", "/etc/passwd", "gone/*.csv", "x.py"]
)
def test_tests_that_are_not_read_are_told(tmp_path: Path, reference: str) -> None:
    rows, unread = read(tmp_path, {"prompts": ["p"], "tests": [reference, {"vars": {"question": POOL}}]})
    assert inputs(rows) == [{"question": POOL}]
    assert len(unread) == 1 and unread[0].startswith(reference) and "was not read" in unread[0]


def test_a_configuration_that_names_itself_ends(tmp_path: Path) -> None:
    config = {"prompts": ["p"], "tests": ["file://promptfooconfig.yaml", {"vars": {"question": POOL}}]}
    rows, unread = read(tmp_path, config)
    assert {"question": POOL} in inputs(rows) and any("is not followed" in reason for reason in unread)


def test_tests_that_inherit_nothing_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"prompts": ["p"], "tests": [{"vars":  {"question": "Hi"}}]}')
    with Source(path) as source:
        (row,) = source.rows()
    assert row.raw == b'{"vars":  {"question": "Hi"}}\n'


def test_a_large_configuration_never_loses_what_its_tests_inherit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_rows, "LONGEST_YAML", 2**18)
    tests = [{"vars": {"question": f"{POOL} {number}"}} for number in range(8_000)]
    with pytest.raises(InputError, match="configuration of more than"):
        read(tmp_path, {"defaultTest": {"vars": {"language": "en"}}, "tests": tests}, "config.json")
    rows, _ = read(tmp_path, {"prompts": ["p"], "tests": tests}, "config.json")  # these are streamed
    assert len(rows) == 8_000
