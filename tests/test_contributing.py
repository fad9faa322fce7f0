"""What CONTRIBUTING names is there."""

from __future__ import annotations

import re

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
