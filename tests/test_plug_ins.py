"""One package with a part of each kind is installed: doctor, command line, API and app have its parts, and nothing else changes."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsbuilder_tui import load_plan
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.quality.validation import VALIDATORS
from dsbuilder_tui.session.export_formats import ending_words
from dsbuilder_tui.settings.provider_names import PROVIDERS
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.sources.rows.dataset_rows import Row, Source
from dsbuilder_tui.sources.rows.row_shapes import ROW_SHAPES
from dsbuilder_tui.store.export.formats import FORMATS
from dsbuilder_tui.store.imports.import_formats import IMPORT_FORMATS
from dsbuilder_tui.tui.studio.paint import feed_row
from tests.support.plug_ins import SAMPLE, install_sample, plugged_in
from tests.support.process import COMMAND, ROOT
from tests.support.studio import begin, studio

REGISTRIES = (PROVIDERS, STAGES, VALIDATORS, FORMATS, IMPORT_FORMATS, ROW_SHAPES)
PLAN = """
dataset_name: parcels
validators: no_placeholder
categories:
  - {name: asked, description: Parcels, count: 12, example_inputs: Hi, diversity: {stages: [structural, same_opening]}}
"""
# The rows of CONTRIBUTING's table that a plug-in can be, and the group of each.
KINDS = {
    "a model provider": "dsbuilder.providers",
    "a comparing stage": "dsbuilder.stages",
    "a validator": "dsbuilder.validators",
    "an export format": "dsbuilder.formats",
    "an import format": "dsbuilder.import_formats",
    "a row shape": "dsbuilder.row_shapes",
}


_PARTS = (
    "provider dice", "comparing stage same_opening", "validator no_placeholder", "export format sheet", "import format sheet",
    "row shape tickets",
)  # fmt: skip


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return install_sample(tmp_path / "site")


@pytest.fixture
def here(packages: Path) -> Iterator[None]:
    """In this process."""
    with plugged_in(packages, *REGISTRIES):
        yield


def run(packages: Path, *words: str) -> str:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"}
    done = subprocess.run([*COMMAND, *words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_line_has_every_part(packages: Path) -> None:
    Path("plan.yaml").write_text(PLAN)
    place = ("--checkpoint-dir", "s")
    checks = {check["name"]: check for check in json.loads(run(packages, "doctor", "--json", *place))}
    for name in _PARTS:
        assert (checks[name]["status"], checks[name]["text"]) == ("ok", "of the package sample-parts")
    assert "huggingface or sheet" in " ".join(run(packages, "run", "--help").split())
    said = run(packages, "run", "plan.yaml", "--provider", "dice", "--plain", "--out", "all.sheet", *place)
    assert "Complete: 12 cases" in said
    *lines, last = Path("all.sheet").read_text().splitlines()
    assert len(set(lines)) == 12 and last == "-- 12" and not any("[" in line for line in lines)
    summary = json.loads(run(packages, "show", "--json", "--cases", "99", *place))
    assert (summary["provider"], summary["worker_model"]) == ("dice", "dice-1")
    assert summary["rejections"] == {"validators": 4, "same_opening": 1}, (
        "slot 9 is turned away for its placeholder first"
    )
    assert [case["inputs"]["query"] for case in summary["cases"]] == lines
    assert "Imported 12 of 12 cases as all." in run(packages, "import", "all.sheet", *place)
    run(packages, "export", "all", "--out", "again.txt", "--format", "sheet", *place)
    assert Path("again.txt").read_text() == Path("all.sheet").read_text()


async def test_the_app_has_every_part(here: None) -> None:
    Path("plan.yaml").write_text(PLAN)
    Path("old.sheet").write_text("Where is my coat?\n-- 1\n")
    async with studio(flags={"provider": "dice"}) as user:
        await user.at("HomeScreen")
        await user.app.change_to("old.sheet")
        await user.at("StudioScreen")
        assert [case.inputs["query"] for case in await user.session.cases.page(0, 9)] == ["Where is my coat?"]
        await begin(user, load_plan("plan.yaml"))
        await user.command("/run")
        await user.state("finished")
        assert (user.live.view.accepted, user.live.view.stages) == (12, {"validators": 4, "same_opening": 1})
        rows = ["".join(text for text, *_ in feed_row(turned, 100)) for turned in user.live.view.feed]
        assert ["no_placeholder: a placeholder is" in row and "#" not in row for row in rows].count(True) == 4
        assert ["same_opening" in row and "= #1 " in row for row in rows].count(True) == 1
        await user.press("f5")
        await user.at("RejectedScreen", "rejections")
        await user.press("s")
        await user.sees("validators (4)")
        await user.press("escape")
        await user.at("RejectedScreen", "rejections")
        await user.until(lambda: "validators" in str(user.one("#right-pane").border_title))
        await user.sees("no_placeholder: a placeholder", "A rule of the plan found fault", "[name]")
        await user.press("escape")
        await user.at("StudioScreen")
        prompt = user.one("#prompt")
        prompt.focus()
        assert "_hf or .sheet" in ending_words()
        await user.write("/export sheet")  # more formats than the list has rows
        await user.sees(f"{user.session.id}.sheet")
        await user.press("escape")
        await user.command("/export kept.sheet")
        await user.said("Wrote 12 cases to")
        assert Path("kept.sheet").read_text().endswith("-- 12\n")
        await user.command("/settings")
        await user.at("SettingsScreen", "settings")
        await user.press("enter")
        await user.at("QuestionDialog", "answers")
        await user.sees("offline", "openai", "dice")


def test_a_part_is_one_file_and_an_entry_point(packages: Path) -> None:
    """As CONTRIBUTING's table says; and using all of them leaves the package as it was."""
    entries = configparser.ConfigParser(delimiters="=")
    entries.read_string((SAMPLE / "entry_points.txt").read_text())
    assert set(entries) - {"DEFAULT"} == set(KINDS.values()) == {registry.group for registry in REGISTRIES}
    files = [entries[group][name].partition(":")[0] for group in KINDS.values() for name in entries[group]]
    assert len(files) == len(set(files)) == len(KINDS), "one entry point, and one file, for each"
    assert {path.stem for path in SAMPLE.glob("*.py")} == set(files), "and there are no others"
    table = dict(re.findall(r"^\| (.+?) \| (.+) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert {kind: table[kind][:2] for kind in KINDS} == dict.fromkeys(KINDS, "1,")
    for path in SAMPLE.glob("*.py"):
        own = {name for name in files if name != path.stem}
        assert not own & set(re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    before = digest()
    test_the_command_line_has_every_part(packages)
    assert digest() == before


def test_a_file_has_the_shape_of_a_package(here: None) -> None:
    rows = "".join(
        f'{{"no": {n}, "subject": "Printer {n} is on fire", "resolution": "{word}"}}\n' for n, word in enumerate("ab")
    )
    Path("tickets.jsonl").write_text(rows)
    with Source("tickets.jsonl") as source:
        first, _ = source.checked_rows()
        assert isinstance(first, Row) and source.shape is ROW_SHAPES.load("tickets")
    assert (first.parts.inputs, first.parts.expectations) == (
        {"query": "Printer 0 is on fire"},
        {"expected_response": "a"},
    )
    Path("odd.jsonl").write_text('{"subject": [], "resolution": "c"}\n{"subject": {}, "resolution": "c"}\n')
    with Source("odd.jsonl") as source, pytest.raises(InputError, match="nothing to compare in inputs"):
        list(source.checked_rows())


def digest() -> dict[str, str]:
    package = ROOT / "dsbuilder_tui"
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
