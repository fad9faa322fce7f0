"""The manual holds what it says: every block in its pages is run, and every link leads somewhere."""

from __future__ import annotations

import argparse
import ast
import asyncio
import gzip
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
import yaml

from dsbuilder_tui import load_plan
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.cli.parser import build_parser
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.manual import page, topics
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config
from tests.support.fake_batches import FakeBatches
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import ROOT, fake_endpoint

PAGES = [topic.name for topic in topics()]
# The endpoints that the pages name; the fake one stands in for them.
ENDPOINT = re.compile(r"http://localhost:\d+/v1|https://[\w.]+\.azure\.com/openai/v1")
INSTALLING = ("make wheel", "pipx install dist/", "uv tool install dist/")  # tests/test_wheel.py does that
_FENCE = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    language: str
    name: str  # of the file that it is, when the page goes on to use it
    text: str


def blocks(name: str) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(page(name))]


def prose(text: str) -> str:
    return _FENCE.sub("", text)


@pytest.fixture
def endpoint() -> Iterator[FakeOpenAI]:
    models = ("gpt-4o", "gpt-4o-mini", "llama3.3", "llama3.2")
    with fake_endpoint(models=models, batches=FakeBatches()) as server:
        yield server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The working folder, with the files that pages speak of and do not show."""
    work = Path.cwd()
    texts = ["Where is my order #12345?", "where is my order #54321", "I would like to speak to a person"]
    (work / "old.jsonl").write_text("".join(json.dumps({"inputs": {"query": text}}) + "\n" for text in texts))
    chats = [{"messages": [{"content": text}], "topic": "orders", "answer": "yes"} for text in texts]
    with gzip.open(work / "chats.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(chat) + "\n" for chat in chats)
    answers = "".join(f'"{text}",Yes.\n' for text in texts)
    (work / "questions.csv").write_text("question,answer\n" + answers)
    shim = tmp_path / "bin" / "dsbuilder"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m dsbuilder_tui "$@"\n')
    shim.chmod(0o755)
    return work


@dataclass
class Terminal:
    """Runs the commands of a page, one after another, in this process wherever that is possible."""

    endpoint: FakeOpenAI
    shims: Path
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    code: int = 0

    def run(self, line: str) -> str:
        """What a command prints; its exit code is in ``code``."""
        if "|" in line:
            path = f"{self.shims}{os.pathsep}{os.environ['PATH']}"
            done = subprocess.run(
                ["sh", "-c", line], capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False
            )
            self.code = done.returncode
            assert not done.stderr, done.stderr
            return done.stdout
        words = shlex.split(ENDPOINT.sub(self.endpoint.url, line))
        with self.monkeypatch.context() as patch:
            while "=" in words[0]:
                name, _, value = words.pop(0).partition("=")
                patch.setenv(name, value)
                if name == "OPENAI_API_KEY":
                    patch.setenv("OPENAI_BASE_URL", self.endpoint.url)
            assert words[0] == "dsbuilder", f"{line!r} is no command that a test can run"
            self.capture.readouterr()
            self.code = main(words[1:])
        out, err = self.capture.readouterr()
        assert "Traceback" not in err, err
        return out if self.code in (0, 3, 4) else out + err


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern(shown: list[str]) -> str:
    """``…`` stands for any lines, or for any part of one."""
    parts = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*?") + r"\n" for line in shown]
    return "".join(parts)


def run_console(block: Block, terminal: Terminal) -> None:
    lines = commands(block)
    for index, (line, shown) in enumerate(lines):
        if line.startswith(INSTALLING):
            continue
        if line == "echo $?":
            assert shown == [str(terminal.code)]
            continue
        out = terminal.run(line)
        if shown:
            assert re.fullmatch(pattern(shown), out.rstrip() + "\n"), f"$ {line}\n{out}"
        told = index + 1 < len(lines) and lines[index + 1][0] == "echo $?"
        waits = "--prompt" in line and "--yes" not in line  # such a command ends with a question
        assert told or terminal.code == (4 if waits else 0), f"$ {line}\n{out}"


def run_python(block: Block) -> None:
    code = compile(block.text, "a page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, {"__name__": "__main__"})
    if inspect.iscoroutine(result):
        asyncio.run(result)


def run_settings(block: Block) -> None:
    file = Path("dsbuilder.toml")
    file.write_text(block.text)
    config = load_config()
    origins = config.origins()
    file.unlink()
    named = [name for name, origin in origins.items() if "dsbuilder.toml" in origin]
    assert named, origins


def run_plan(block: Block, work: Path) -> None:
    file = work / (block.name or "some-plan.yaml")
    file.write_text(block.text)
    if "categories" in yaml.safe_load(block.text):
        assert load_plan(file).categories


@pytest.mark.parametrize("name", PAGES)
def test_every_block_of_a_page_runs(
    name: str,
    work: Path,
    tmp_path: Path,
    endpoint: FakeOpenAI,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(endpoint, tmp_path / "bin", capsys, monkeypatch)
    for block in blocks(name):
        match block.language:
            case "console":
                run_console(block, terminal)
            case "python":
                run_python(block)
            case "toml":
                run_settings(block)
            case "yaml":
                run_plan(block, work)
            case "jsonl":
                (work / block.name).write_text(block.text)
            case "json":
                assert set(json.loads(block.text)) == {"inputs", "expectations", "tags"}
            case other:
                pytest.fail(f"the page {name} has a block of {other!r}, which no test runs")


def flags() -> set[str]:
    """Every flag of every command, as the help shows them."""

    def of(parser: argparse.ArgumentParser) -> set[str]:
        found = {flag for action in parser._actions for flag in action.option_strings}
        below = (action.choices for action in parser._actions if isinstance(action.choices, dict))
        return found.union(*(of(sub) for choices in below for sub in choices.values()))

    return of(build_parser())


@pytest.mark.parametrize("name", [*PAGES, "README"])
def test_commands_and_flags_in_sentences_exist(name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") if name == "README" else page(name)
    known = flags()
    for code in _CODE.findall(prose(text)):
        if code.startswith("ray "):  # a command of its own
            continue
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", code)) <= known, code
        if code.startswith("dsbuilder ") and "--help" not in code and "--version" not in code:
            build_parser().parse_args(shlex.split(code)[1:])  # ends the process, and so the test, when it is refused


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages(name: str) -> None:
    links = _LINK.findall(prose(page(name)))
    assert [link for link in links if link.removesuffix(".md") not in PAGES] == []


def test_each_page_is_listed_and_begins_with_a_title_and_a_sentence() -> None:
    import dsbuilder_tui.manual

    folder = Path(dsbuilder_tui.manual.__file__).parent
    assert sorted(PAGES) == sorted(file.stem for file in folder.glob("*.md"))
    for topic in topics():
        assert page(topic.name).startswith(f"# {topic.title}\n\n") and topic.summary.endswith("."), topic
        assert len(topic.summary) < 120, topic


def test_every_setting_is_in_the_manual() -> None:
    text = page("settings")
    missing = [name for name in DatasetBuilderConfig.model_fields if f"- `{name}`" not in text]
    assert missing == [] and "<!--" not in text


def test_the_list_and_a_page_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manual"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {topic.name}" in listed and topic.summary in listed for topic in topics())
    assert main(["manual", "Costs"]) == 0
    assert capsys.readouterr().out.strip() == page("costs").strip()


def test_in_a_terminal_a_page_is_set_and_says_how_to_go_on() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    child = pexpect.spawn(sys.executable, ["-m", "dsbuilder_tui", "manual", "start"], env=env, dimensions=(30, 80))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", child.read().decode()).replace("\r\n", "\n")
    child.close()
    assert child.exitstatus == 0 and "](" not in shown and "**" not in shown
    assert "dsbuilder manual app" in " ".join(shown.split()) and max(map(len, shown.splitlines())) <= 80


def test_a_page_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manual", "setings"]) == 2
    assert "no page 'setings'. Did you mean `dsbuilder manual settings`?" in capsys.readouterr().err
    with pytest.raises(InputError, match="lists the pages"):
        page("../../../etc/passwd")
