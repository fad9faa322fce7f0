"""Standard output that takes nothing, has no reader or is not there: a sentence and the exit code that the manual names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui.cli.commands import command_names
from tests.support.process import ROOT, command

FULL = Path("/dev/full")
PLAN = """\
dataset_name: shop
categories:
- {name: orders, count: 6, description: questions about orders, example_inputs: [Where is my order?]}
"""
PLACE = ("--checkpoint-dir", "s", "--provider", "offline")
# Each command with what it is given here, and whether it prints anything at all then.
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("plan.yaml", *PLACE), "resume": ("shop", *PLACE), "replay": ("shop", "--json", *PLACE), "studio": ("-h",), "watch": ("-h",),
    "show": ("shop", *PLACE[:2]), "export": ("shop", "--out", "again.jsonl", *PLACE[:2]), "sessions": PLACE[:2],
    "import": ("s/shop_checkpoint.json", *PLACE[:2]), "dedup": ("shop.jsonl", "--out", "clean.jsonl"),
    "doctor": ("shop", *PLACE[:2]), "examples": (), "config": (), "manual": (), "completion": ("bash",),
    "judge": ("-h",), "regate": ("-h",), "check": ("shop.jsonl",), "mlflow": ("-h",), "serve": ("-h",),
    "checkpoints": ("shop", *PLACE[:2]), "branches": ("shop", *PLACE[:2]), "fork": ("-h",), "rewind": ("-h",), "merge": ("-h",),
    "compare": ("shop.jsonl", "shop.jsonl"),
}  # fmt: skip
OTHER = (
    ("--version",),
    ("-h",),
    ("run", "-h"),
    ("replay", "shop", "--plain", *PLACE),
    ("resume", "shop", "--json", *PLACE),
)
LINES = [(name, *given) for name, given in COMMANDS.items()] + list(OTHER)
ALWAYS = {"run", "replay", "show", "export", "--version", "-h"}
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


def _some_each_night() -> list[object]:
    seen: set[str] = set()
    made = []
    for words in LINES:
        new = words[0] in ALWAYS and words[0] not in seen
        seen.add(words[0])
        made.append(pytest.param(words, id=" ".join(words)[:24], marks=[] if new else [pytest.mark.slow]))
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan, and a session that is finished."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "plan.yaml").write_text(PLAN)
    done = command("run", "plan.yaml", *PLACE, "--out", "shop.jsonl", cwd=folder, env=_home(folder))
    assert done.returncode == 0, done.stderr
    assert command(
        "export", "shop", *PLACE[:2], "--format", "checkpoint", "--out", "s/shop_checkpoint.json", cwd=folder
    )
    return folder


def _home(folder: Path) -> dict[str, str]:
    return {name: str(folder) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}


def _ended(
    words: tuple[str, ...], folder: Path, out: int, begin: Callable[[], None] | None = None, err: int = subprocess.PIPE
) -> tuple[int, str]:
    """The command in a fresh interpreter that keeps its output until it has a block of it, as it does by itself."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **_home(folder), "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        [sys.executable, "-m", "dsbuilder_tui", *words], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out,
        stderr=err, preexec_fn=begin, timeout=120, check=False,
    )  # fmt: skip
    said = (done.stderr or b"").decode()
    assert "Traceback" not in said and "Exception ignored" not in said and "unexpected" not in said, said
    return done.returncode, said


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(command_names())


@pytest.mark.parametrize("words", _some_each_night())
def test_a_full_disk_is_said(place: Path, words: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        code, said = _ended(words, place, full.fileno())
    assert "No space left on device" in said
    assert code == (4 if words[0] == "run" and "-h" not in words else 1), said


@pytest.mark.parametrize("words", _some_each_night())
def test_a_pipe_without_a_reader_ends_it_quietly(place: Path, words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code, said = _ended(words, place, writer)
    finally:
        os.close(writer)
    assert code == (0 if words[0] == "resume" else 4), said
    assert not said or words[0] == "run"


@pytest.mark.parametrize("words", _some_each_night())
def test_streams_that_are_closed_are_as_if_nobody_listened(place: Path, words: tuple[str, ...]) -> None:
    """No file that is opened later takes the place of standard output, and is written into."""
    before = command("doctor", "shop", *PLACE[:2], cwd=place, env=_home(place)).returncode
    code, _ = _ended(words, place, subprocess.DEVNULL, lambda: os.closerange(0, 3))
    assert (code, before) == (0, 0)
    assert command("doctor", "shop", *PLACE[:2], cwd=place, env=_home(place)).returncode == 0


@pytest.mark.parametrize("words", [("show", "nothing"), ("run",), ("nothing",), ("export", "shop", "--out", "x.y")])
def test_what_cannot_be_told_changes_no_exit_code(place: Path, words: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        code, _ = _ended((*words, "--checkpoint-dir", "s"), place, subprocess.DEVNULL, err=full.fileno())
    assert code == 2


def test_a_run_whose_errors_are_not_heard_goes_on(place: Path) -> None:
    with FULL.open("wb") as full:
        words = ("run", "plan.yaml", *PLACE, "--json", "--set", "no_such=1", "--out", "deaf.jsonl")
        code, _ = _ended(words[:-4] + words[-2:], place, subprocess.DEVNULL, err=full.fileno())
    assert code == 0 and len((place / "deaf.jsonl").read_text().splitlines()) == 6
