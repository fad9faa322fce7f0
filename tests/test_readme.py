"""README is short, and what it says is there."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from dsbuilder_tui.cli.parser import build_parser
from dsbuilder_tui.manual import topics
from tests.support.process import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def anchors(file: Path) -> set[str]:
    """What can follow ``#`` in a link to a Markdown file, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", file.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    for link in _LINK.findall((ROOT / name).read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = ROOT / (path or name)
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_it_is_short_and_has_its_pictures_and_every_page() -> None:
    assert len(TEXT.splitlines()) <= 150
    assert len(re.findall(r"^!\[.+\]\(screenshots/\w+\.png\)$", TEXT, re.MULTILINE)) == 3
    assert TEXT.index("](screenshots/film.svg)") < TEXT.index("](screenshots/studio.png)")  # what moves comes first
    linked = [link for link in _LINK.findall(TEXT) if "/manual/" in link]
    assert linked == [f"dsbuilder_tui/manual/{topic.name}.md" for topic in topics()]


def test_its_blocks_are_what_can_be_typed() -> None:
    for language, text in _FENCE.findall(TEXT):
        if language == "json":
            assert set(json.loads(text)) == {"inputs", "expectations", "tags"}
        elif language == "python":
            compile(text, "README", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # the manual's page runs the like
        else:
            assert language == "console"
            for line in text.splitlines():
                _can_be_typed(line)


def _can_be_typed(line: str) -> None:
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word) or "ARGS" in word]
    if words[0] == "dsbuilder":
        build_parser().parse_args(words[1:])  # ends the process, and so the test, when it is refused
        return
    assert words[0] == "make"
    done = subprocess.run(["make", "--dry-run", words[1]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in words[2:]:
        build_parser().parse_args(["studio", *shlex.split(word.removeprefix("ARGS="))])
