"""Hostile text in a real terminal: nothing of it arrives as a control sequence, and a click on it does nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support.hostile import ALL, EVIL, FORBIDDEN, any_name, hostile_session
from tests.support.process import ROOT
from tests.support.terminal import Terminal, python, tokens

# What Textual itself writes: cursor places, styles in true colour, and the modes it needs, asks for and gives back.
ALLOWED = re.compile(
    r"csi (?:\d+;\d+H|(?:\d+(?:;\d+)*)?m|\?(?:1049|1000|1003|1004|1006|1015|2004|2026|2048|25|7)[hl]|\?(?:2026|2048)\$p|>\d+u|<u)"
    r"|osc 22;(?:default|pointer|text)|c0 [\r\n]"
)


def strangers(raw: str) -> set[str]:
    """Control sequences, and characters in text, that the app has no reason to write."""
    found = set()
    for kind, body in tokens(raw):
        if kind == "text":
            found.update(f"text {character!r}" for character in FORBIDDEN.findall(body))
        elif not ALLOWED.fullmatch(f"{kind} {body}"):
            found.add(f"{kind} {body!r}")
    return found


def test_a_clean_run_needs_no_more_than_that() -> None:
    with Terminal("--checkpoint-dir", "s") as terminal:
        terminal.wait("Sessions")
        terminal.press("f1")
        terminal.wait("Help · version")
        terminal.press("escape", "ctrl+q")
        assert terminal.finish() == 0
    assert strangers(terminal.raw) == set() and terminal.left_on == set()
    seen = {f"{kind} {body}" for kind, body in tokens(terminal.raw) if kind != "text"}
    assert {"csi ?1049h", "csi ?1049l", "csi ?2004h", "csi ?25h"} <= seen


def test_no_hostile_text_acts_on_the_terminal(tmp_path: Path) -> None:
    root = tmp_path / "r\x1b]0;evil\x07[bold"
    with Terminal(argv=python("-m", "tests.support.hostile_app", str(root))) as terminal:
        terminal.wait("a␛]0;evil")
        terminal.press("r")
        terminal.wait("Rename")
        terminal.paste(ALL)
        terminal.wait("🏴 tab")
        terminal.press("enter")
        terminal.wait("cannot be")
        terminal.press("slash")
        terminal.wait("filter by name")
        terminal.paste(ALL)
        terminal.wait("0 of 2")
        terminal.leave("escape", "0 of 2")
        terminal.wait("a␛]0;evil")
        terminal.press("ctrl+k")
        terminal.wait("Search for commands")
        terminal.paste(EVIL)
        terminal.wait("No matches found")
        terminal.leave("escape", "No matches found")
        terminal.press("c")
        terminal.wait("w␛]52")
        terminal.leave("escape", "w␛]52")
        terminal.press("f1")
        terminal.wait("Help · version")
        terminal.insist("end", "␛]0;evil")
        terminal.press("escape")
        terminal.wait("a␛]0;evil")
        terminal.press("end", "enter")
        terminal.wait("draft")
        terminal.paste(ALL[:700])
        terminal.press("enter")
        terminal.wait("file:///etc/passwd")
        terminal.wait("enter send")
        for row in range(2, 34):  # a click on every line that the agent and the others wrote
            terminal.click(row, 4)
            terminal.click(row, 12)
            terminal.click(row, 60)
        terminal.insist("escape", "enter send")  # a click on a case or a name leads to it: back to the studio
        terminal.press("ctrl+p")
        terminal.insist("escape", "writing")
        for key, title in (("f4", "· Checkpoints"), ("f5", "· Rejected"), ("f6", "· Workers"), ("f2", "· Cases")):
            terminal.press(key)
            terminal.wait(title)
            terminal.press("down", "end", "up", "home", "tab", "tab")
            for row in range(3, 30, 4):
                terminal.click(row, 20)
                terminal.click(row, 80)
            terminal.leave("escape", title)
        terminal.resize(16, 60)
        terminal.wait("Talk")
        terminal.press("tab", "tab", "tab", "tab")
        terminal.resize(36, 120)
        terminal.wait("Conversation")
        terminal.press("ctrl+q")
        terminal.wait("Pause and quit?")
        terminal.press("enter")
        terminal.press("ctrl+c")
        assert terminal.finish() == 0
        assert "dsbuilder resume" in terminal.plain
    assert strangers(terminal.raw) == set()
    assert terminal.left_on == set()


async def test_plain_commands_show_it_too(tmp_path: Path) -> None:
    root = tmp_path / "r\x1b]0;evil\x07[bold"
    with any_name():
        folder = await hostile_session(root)
    for words in (
        ["sessions"],
        ["sessions", "--json"],
        ["show", str(folder)],
        ["show", str(folder), "--json"],
        ["studio", "--plain"],
        ["replay", str(folder), "--plain"],
        ["replay", str(folder), "--json"],
    ):
        done = subprocess.run(
            python("-m", "tests.support.hostile_app", str(root), *words), env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        assert "52;c;ZXZpbA==" in done.stdout, words
        found = FORBIDDEN.search(re.sub("[\n\t]", "", done.stdout + done.stderr))
        assert found is None, (words, found, done.stdout)
