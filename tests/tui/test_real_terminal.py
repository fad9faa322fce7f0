"""The app in a real terminal: how it opens, how it is left, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.process import ROOT, command, events
from tests.support.terminal import Terminal, python, tokens

PLACE = ("--checkpoint-dir", "s")
NAME = "customer_service_v1"


def begun(terminal: Terminal) -> None:
    """A new session from the example, running."""
    terminal.wait("There is no session yet")
    terminal.press("e")
    terminal.wait("travel_assistant")
    terminal.press("enter")
    terminal.wait("raise the limit")
    terminal.press("enter")
    terminal.wait("⏎ approve")
    terminal.press("enter")
    terminal.wait("running")


def saved(state: str, *, at_least: int = 1) -> int:
    """How many cases the session holds, which must be in this state, whole, and each there once."""
    (listed,) = command("sessions", "--json", *PLACE, cwd=Path.cwd()).stdout and _listing()
    assert listed["state"] == state, listed
    assert listed["accepted"] >= at_least
    out = Path.cwd() / "out.jsonl"
    done = command("export", NAME, "--out", out, *PLACE, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert len(set(out.read_text().splitlines())) == listed["accepted"]
    return int(listed["accepted"])


def _listing() -> list[dict[str, object]]:

    found: list[dict[str, object]] = json.loads(command("sessions", "--json", *PLACE, cwd=Path.cwd()).stdout)
    return found


@pytest.mark.parametrize(("rows", "columns"), [(36, 120), (24, 80), (16, 60)])
def test_it_opens_and_closes_at_any_size(rows: int, columns: int) -> None:
    with Terminal(*PLACE, rows=rows, columns=columns) as terminal:
        terminal.wait("There is no session yet")
        terminal.wait(lambda screen: "^Q quit" in screen.splitlines()[-1])
        assert "1049" in terminal.grid.modes and "cursor hidden" in terminal.left_on
        begun(terminal)
        terminal.wait(lambda screen: re.search(r"❯", screen) and re.search(r"running", screen))
        terminal.press("ctrl+p")
        terminal.wait("paused")
        assert all(len(line) <= columns for line in terminal.grid.lines)
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
    assert terminal.left_on == set()


def test_a_session_from_beginning_to_end(tmp_path: Path) -> None:
    with Terminal(*PLACE) as terminal:
        begun(terminal)
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > 40)
        terminal.press("ctrl+p")
        terminal.wait("paused")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
        assert terminal.left_on == set()
    count = saved("paused", at_least=41)
    assert f"{NAME}: {count} of 500 cases are saved." in terminal.plain
    told = re.search(r"To go on:  (dsbuilder resume .*?)\r?\n", terminal.plain)
    assert told and told[1] == f"dsbuilder resume {NAME} --checkpoint-dir s"

    with Terminal(*PLACE) as terminal:  # again in the app
        terminal.wait(f"{count}/500")
        terminal.press("enter")
        terminal.wait("Paused at")
        terminal.press("ctrl+p")
        terminal.wait("Going on")
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > count)
        terminal.press("ctrl+q")
        terminal.wait("Pause and quit?")
        terminal.press("escape")
        terminal.wait(lambda screen: "Pause and quit?" not in screen and "running" in screen)
        terminal.press("ctrl+c")
        terminal.wait("Pause and quit?")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.left_on == set()
    more = saved("paused", at_least=count + 1)

    with Terminal(*told[1].split()[1:]) as terminal:  # by the command that was printed
        terminal.until("Complete: 500 cases")
        assert terminal.finish() == 0
        assert f"{more} of 500 cases are there" in terminal.plain
    saved("complete", at_least=500)

    with Terminal("replay", NAME, "--speed", "100", *PLACE, columns=100) as terminal:
        terminal.wait("replay ×100")
        terminal.wait("replay · end")
        terminal.wait("500/500")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
        assert terminal.left_on == set()
    told_again = events(command("replay", NAME, "--json", *PLACE, cwd=Path.cwd()).stdout)
    assert sum(event["type"] == "case_accepted" for event in told_again) == 500
    assert "500 accepted" in command("replay", NAME, "--plain", *PLACE, cwd=Path.cwd()).stdout


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_a_signal_pauses_saves_and_ends(name: str) -> None:
    with Terminal(*PLACE) as terminal:
        begun(terminal)
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > 20)
        os.kill(terminal.child.pid, getattr(signal, name))
        assert terminal.finish() == 4
        assert terminal.left_on == set()
        assert "To go on:  dsbuilder resume" in terminal.plain
    saved("paused", at_least=21)


def test_a_closed_terminal_pauses_saves_and_ends() -> None:
    with Terminal(*PLACE) as terminal:
        begun(terminal)
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > 20)
        assert terminal.hang_up() == 4
    saved("paused", at_least=21)


def test_a_killed_run_is_found_and_goes_on() -> None:
    with Terminal(*PLACE) as terminal:
        begun(terminal)
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > 20)
        shown = int((re.search(r"(\d+)/500", terminal.screen) or [0, "0"])[1])
        terminal.child.kill(signal.SIGKILL)
        assert terminal.finish() == -signal.SIGKILL
    safe = saved("interrupted", at_least=shown)
    with Terminal(*PLACE) as terminal:
        terminal.wait(f"interrupted · {safe} safe")
        terminal.press("enter")
        terminal.wait("cut off")
        terminal.wait(f"All {safe}")
        terminal.press("ctrl+p")
        terminal.wait("Going on")
        terminal.press("ctrl+q")
        terminal.wait("Pause and quit?")
        terminal.press("enter")
        assert terminal.finish() == 0
    saved("paused", at_least=safe)


def test_sizes_change_while_it_runs() -> None:
    with Terminal(*PLACE) as terminal:
        begun(terminal)
        for rows, columns, seen in (
            (24, 80, "Talk"),
            (16, 60, "Talk"),
            (5, 20, "dsbuilder"),
            (50, 160, "Rejected"),
            (36, 120, "Rejected"),
        ):
            terminal.resize(rows, columns)
            terminal.wait(seen)
            terminal.wait(lambda screen: "running" in screen or "●" in screen or "dsb" in screen)
        terminal.press("ctrl+p")
        terminal.wait("paused")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
        assert terminal.left_on == set()


def test_a_crash_leaves_the_terminal_sane() -> None:
    with Terminal(argv=python("-m", "tests.support.crashing_app", "s")) as terminal:
        begun(terminal)
        terminal.wait(lambda screen: int((re.search(r"(\d+)/500", screen) or [0, "0"])[1]) > 20)
        terminal.press("f4")
        assert terminal.finish() == 1
        assert terminal.left_on == set()
    after = terminal.raw[terminal.raw.rindex("\x1b[?1049l") :]
    lines = [line for line in "".join(b for k, b in tokens(after) if k in ("text", "c0")).splitlines() if line.strip()]
    assert "Traceback" not in terminal.plain and "│" not in after
    told = [line for line in lines if line.startswith("dsbuilder: an unexpected error: RuntimeError: ")]
    assert len(told) == 1 and "crash.log" in " ".join(lines)
    assert lines[-1].startswith("Everything accepted is saved")
    log = next(Path(os.environ["HOME"]).rglob("crash.log")).read_text()
    assert "RuntimeError" in log and "crashing_app" in log
    saved("paused", at_least=21)


def test_no_colour_where_none_is_wanted() -> None:
    with Terminal(*PLACE, NO_COLOR="1") as terminal:
        begun(terminal)
        terminal.press("ctrl+p")
        terminal.wait("paused")
        terminal.press("f2")
        terminal.wait("all categories")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
    styles = {
        part
        for kind, body in tokens(terminal.raw)
        if kind == "csi" and body[-1] == "m"
        for part in body[:-1].split(";")
    }
    colours = {
        part for part in styles if part and ((30 <= int(part) <= 49 and int(part) not in (39, 49)) or int(part) >= 90)
    }
    assert colours == set()
    assert {"1", "7"} <= styles  # what is bold and what is chosen can still be told


def test_without_a_terminal_it_speaks_in_plain_lines() -> None:
    with Terminal("--plain", *PLACE) as terminal:
        assert terminal.finish() == 0
        assert "There is no session in" in terminal.plain and "\x1b" not in terminal.raw
    with Terminal(*PLACE, TERM="dumb") as terminal:
        assert terminal.finish() == 0
        assert "The app needs a terminal" in terminal.plain and "\x1b" not in terminal.raw
    piped = command(*PLACE, cwd=Path.cwd())
    assert piped.returncode == 0 and "The app needs a terminal" in piped.stdout and "\x1b" not in piped.stdout


def test_the_editor_has_the_terminal_to_itself_while_the_run_goes_on() -> None:
    editor = f"{sys.executable} {ROOT / 'tests/support/editor.py'}"
    with Terminal("--set", "offline_pace=12", *PLACE, EDITOR=editor, VISUAL="") as terminal:
        begun(terminal)
        terminal.wait(lambda screen: re.search(r"Checkpoints +1", screen))
        terminal.press("f2")
        terminal.wait("expectations")
        before = stored()
        terminal.press("o")
        terminal.wait("EDITOR HAS THE TERMINAL")
        assert terminal.left_on == set()
        start = len(terminal.raw)
        assert before + 20 < 500, "the run was nearly over before the editor came"
        while stored() < before + 20:  # the run goes on
            terminal.read()
        assert terminal.raw[start:] == ""
        terminal.press("x")
        terminal.wait("by_hand")
        terminal.wait("✎")
        terminal.press("ctrl+q")
        terminal.wait("Pause and quit?")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.left_on == set()
    saved("paused", at_least=before + 20)
    assert sum('"by_hand"' in line for line in Path("out.jsonl").read_text().splitlines()) == 1


def stored() -> int:
    """Cases on disk, read beside the process that writes them."""
    with closing(sqlite3.connect(f"file:s/{NAME}/session.db?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM accepted_case").fetchone()[0])


def test_what_is_typed_before_the_prompt_is_there_is_not_lost(tmp_path: Path) -> None:
    with Terminal(*PLACE, rows=36, columns=120) as terminal:
        terminal.wait("There is no session yet")
        terminal.press("n40 cases for a bakerx\x7fy, please")
        terminal.wait("❯ 40 cases for a bakery, please")
        terminal.press(" and soon")
        terminal.wait("please and soon")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0


@pytest.mark.parametrize(("rows", "columns", "tabs"), [(50, 200, 5), (36, 120, 4), (24, 80, 0)])
def test_the_newest_cases_are_seen_and_acted_on(rows: int, columns: int, tabs: int) -> None:
    with Terminal(*PLACE, rows=rows, columns=columns) as terminal:
        begun(terminal)
        if not tabs:  # there they have a tab
            terminal.insist("tab", "newest first")
        terminal.wait("newest first")
        terminal.wait(lambda screen: len(re.findall(r"#\d+ [a-z_]+ +\S", screen)) >= 6)
        terminal.press("ctrl+p")
        terminal.wait("paused")
        terminal.press(*["tab"] * tabs)
        terminal.wait("p pin")
        terminal.press("down", "down", "down", "down", "p")
        terminal.wait("★")
        terminal.press("e")
        terminal.wait("editing ")
        terminal.leave("escape", "editing ")
        terminal.wait("/ search")
        terminal.leave("escape", "/ search")
        terminal.wait("p pin")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
    assert terminal.left_on == set()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
def test_the_history_is_returned_to_in_a_real_terminal(columns: int, rows: int) -> None:
    ran = command("run", "--example", "travel_assistant", "--set", "checkpoint_interval=20", *PLACE, cwd=Path.cwd())
    assert ran.returncode == 0, ran.stderr
    name = "travel_assistant_v1"
    with Terminal("studio", name, *PLACE, rows=rows, columns=columns) as terminal:
        terminal.wait("finished")
        terminal.press("f4")
        terminal.wait("This is where the session stands now.")
        terminal.press("home")
        terminal.wait("20 of 60 cases")
        terminal.press("enter")
        terminal.wait("Back to checkpoint 1?")
        terminal.press("enter")
        terminal.wait("20 here")
        terminal.press("down")
        terminal.wait("work on it")
        terminal.press("enter")
        terminal.wait("Work on main-1?")
        terminal.press("enter")
        terminal.wait("60 here")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
    branches = json.loads(command("branches", name, "--json", *PLACE, cwd=Path.cwd()).stdout)
    assert [(one["name"], one["current"], one["accepted"]) for one in branches] == [
        ("main", False, 20), ("main-1", True, 60),
    ]  # fmt: skip
