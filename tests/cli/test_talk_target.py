"""A request that names the application by its path, from the command line: what is read, built and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import command


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    folder = tmp_path / "airline"
    folder.mkdir()
    (folder / "main.py").write_text(
        "@function_tool\ndef change_seat(booking: str, seat: str) -> str:\n    'Changes a seat.'\n"
        "@function_tool\ndef cancel_booking(booking: str) -> str:\n    'Cancels.'\n"
    )
    return tmp_path


@pytest.mark.parametrize("named", ["./airline", "airline"])
def test_its_tools_are_in_the_first_plan(bot: Path, named: str) -> None:
    ended = command(
        "run", "--prompt", f"6 cases for the bot in {named}: seat changes", "--yes", "--checkpoint-dir", "s",
        "--provider", "offline", "--out", "data.jsonl", cwd=bot,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.index(f"Read {named}: 2 tools.") < ended.stdout.index("Plan revision 1")
    rows = [json.loads(line) for line in (bot / "data.jsonl").read_text().splitlines()]
    calls = [call["name"] for row in rows for call in row["expectations"].get("expected_tool_calls", [])]
    assert (
        len(rows) == 6
        and {row["tags"]["category"] for row in rows} == {"seat_changes"}
        and set(calls) == {"change_seat"}
    )


@pytest.mark.parametrize("yes", [(), ("--yes",)])
@pytest.mark.parametrize(
    "words",
    [
        "6 cases for the bot in ./nowhere: refunds",
        "6 cases: refunds, for the bot in ./airline and the policies in ./docs",
        "6 cases about prices for a shop bot, use the rows of ./products.csv",
        "a case for each row of ./products.csv for our shop bot",
    ],
)
def test_a_path_that_is_not_there_builds_nothing(bot: Path, words: str, yes: tuple[str, ...]) -> None:
    ended = command("run", "--prompt", words, *yes, "--checkpoint-dir", "s", "--provider", "offline", cwd=bot)
    assert ended.returncode == 2 and "There is no file or folder ./" in ended.stderr
    assert not (bot / "s").exists()


def test_a_yes_is_not_given_to_half_a_request(bot: Path) -> None:
    words = "6 cases for the bot in ./airline: refunds. All of them should rhyme"
    asked = ("--checkpoint-dir", "s", "--provider", "offline")
    ended = command("run", "--prompt", words, "--yes", *asked, cwd=bot)
    assert ended.returncode == 4 and "this was not: “All of them should rhyme”" in ended.stdout
    assert "Building" not in ended.stdout
    agreed = command("resume", "--yes", "--checkpoint-dir", "s", cwd=bot)
    assert agreed.returncode == 0 and "Complete: 6 cases" in agreed.stdout
