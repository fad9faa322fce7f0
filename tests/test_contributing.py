"""What CONTRIBUTING names is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from dsbuilder_tui.domain.errors import ExitCode
from tests.support.plug_ins import install_plug_in
from tests.support.process import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "dsbuilder_tui"
_FENCE = re.compile(r"^```.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+(?:\.py|\.md|\.toml|\.yaml|\.txt|/))`")


def test_files_and_folders_in_sentences_are_there() -> None:
    named = _FILE.findall(_FENCE.sub("", TEXT))
    assert len(named) > 20
    assert [name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()] == []


def test_the_map_has_every_room_and_no_other() -> None:
    (tree,) = [block for block in _FENCE.findall(TEXT) if block.startswith("dsbuilder_tui/\n")]
    rooms = set(re.findall(r"^  ([\w.]+)/ ", tree, re.MULTILINE))
    here = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == here - {"examples"}
    files = re.findall(r"^  (\w+\.py) ", tree, re.MULTILINE)
    assert [file for file in files if not (PACKAGE / file).exists()] == []


def test_each_decision_is_short() -> None:
    decisions = TEXT.split("## Decisions")[1].split("\n## ")[0]
    long = [text[:40] for text in decisions.split("\n\n") if text.startswith("**") and len(text.splitlines()) > 5]
    assert long == []


def test_the_examples_of_plug_ins_work(tmp_path: Path) -> None:
    """Each is a whole module, followed by its entry point; together they write a dataset."""
    pairs = re.findall(r"^```python\n(.*?)^```$.*?^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    entries, modules = list[str](), dict[str, str]()
    for module, entry in pairs:
        group, row = re.fullmatch(r'\[project\.entry-points\."(.+)"\]\n(.+)\n', entry).groups()  # type: ignore[union-attr]
        modules[row.split('"')[1].partition(":")[0]] = module
        entries.append(f"[{group}]\n{row.replace(chr(34), '')}\n")
    assert len(modules) == len(pairs) == 4
    install_plug_in(tmp_path, "worked-examples", modules, "".join(entries))
    Path("chess.questions").write_text("Who is to move?\nIs that mate?\n")
    plan = "dataset_name: d\nvalidators: short\ncategories: [{name: c, description: Chess, count: 5, example_inputs: Hi}]\n"
    Path("plan.yaml").write_text(plan)
    Path("many.yaml").write_text(plan.replace("validators: short\n", "").replace("count: 5", "count: 40"))
    for words, said in (
        (("run", "plan.yaml", "--provider", "lines", "--no-diversity"), "Complete: 5 cases"),
        (("run", "many.yaml", "--set", "diversity_stages=opening"), "turned away: opening "),
        (("import", "chess.questions"), "Imported 2 of 2 cases as chess."),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dsbuilder_tui", *words],
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (ExitCode.COMPLETE, ExitCode.SHORT) and said in done.stdout, done.stdout + done.stderr
