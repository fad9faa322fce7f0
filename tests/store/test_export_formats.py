"""Export formats are rows of a registry: a package that is installed adds one, and everybody has it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from dsbuilder_tui.store.export.formats import FORMATS
from tests.support.plug_ins import install_plug_in
from tests.support.process import COMMAND, ROOT

MODULE = """
import json

from dsbuilder_tui.store.export.export_format import ExportFormat


class Questions:
    def __init__(self, handle, shape):
        self._handle = handle

    def write(self, cases):
        for case in cases:
            self._handle.write(("? " + json.dumps(case.inputs["query"]) + "\\n").encode())

    def close(self, count):
        self._handle.write(f"= {count}\\n".encode())


FORMAT = ExportFormat(ending=".questions", open=Questions)
"""


def test_the_built_in_formats_stand_in_the_same_table() -> None:
    assert FORMATS.names()[:5] == ("jsonl", "json", "csv", "parquet", "checkpoint")
    assert {name: row.ending for name, row in FORMATS.all().items()} == {
        "jsonl": ".jsonl", "json": ".json", "csv": ".csv", "parquet": ".parquet", "checkpoint": "_checkpoint.json",
        "deepeval": "_deepeval.json", "promptfoo": "_promptfoo.yaml", "openai-evals": "_openai_evals.jsonl",
        "langsmith": "_langsmith.jsonl", "langfuse": "_langfuse.jsonl", "braintrust": "_braintrust.jsonl", "huggingface": "_hf",
    }  # fmt: skip


def test_a_format_of_a_plug_in_is_one_file_and_an_entry_point(tmp_path: Path) -> None:
    entries = "[dsbuilder.formats]\nquestions = question_lists:FORMAT\nbroken = question_lists:NOTHING\n"
    packages = install_plug_in(tmp_path / "packages", "question-lists", {"question_lists": MODULE}, entries)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*COMMAND, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    Path(tmp_path / "plan.yaml").write_text(
        "dataset_name: d\ncategories: [{name: c, count: 4, example_inputs: 'Where is my order #12345?'}]\n"
    )
    place = ("--checkpoint-dir", "s")
    assert run("run", "plan.yaml", "--plain", "--out", "all.questions", *place).returncode == 0
    lines = (tmp_path / "all.questions").read_text().splitlines()
    assert [line[0] for line in lines] == ["?"] * 4 + ["="] and lines[-1] == "= 4"
    again = run("export", "--out", "again.txt", "--format", "questions", *place)
    assert again.returncode == 0 and (tmp_path / "again.txt").read_text().splitlines() == lines
    unknown = run("export", "--out", "all.odd", *place)
    assert unknown.returncode == 2 and ".questions" in unknown.stderr
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json", *place).stdout)}
    assert "question-lists" in checks["export format questions"]["text"]
    assert checks["export format broken"]["status"] == "problem"
