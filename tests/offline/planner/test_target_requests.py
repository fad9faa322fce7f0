"""Requests that name the application by its path: it is read first, and the path is never a category."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.target_requests import missing_paths, path_of_target
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, acts_of, counts_of, proposed

KNOWN = PlanningContext(tools=("update_seat", "getStatus"))

REQUESTS = [
    ("40 cases for the bot in ./X: seat changes", {"seat_changes": 40}),
    ("40 cases for ./X: refunds and seat changes", {"refunds": 20, "seat_changes": 20}),
    ("./X is my MCP server; write 40 cases for it: seat changes", {"seat_changes": 40}),
    ("Look at ./X and write 40 cases: seat changes, refunds", {"seat_changes": 20, "refunds": 20}),
    ("My bot is in ./X. 40 cases: seat changes", {"seat_changes": 40}),
    ("Read ./X first, then make 40 cases about seat changes", {"seat_changes": 40}),
    ("40 cases for the bot (in ./X): seat changes", {"seat_changes": 40}),
    ("40 cases about seat changes for the bot in ./X", {"seat_changes": 40}),
    ("I need 40 test cases for my airline bot that lives in ./X: half seat changes, half refunds", {"seat_changes": 20, "refunds": 20}),
    ("Using the agent in ./X, write 40 cases: seat changes", {"seat_changes": 40}),
    ("40 seat changes for the agent at ./X", {"seat_changes": 40}),
    ("30 refunds and 10 seat changes, for the app in ./X", {"refunds": 30, "seat_changes": 10}),
    ("For the bot in ./X: 12 cases, seat changes", {"seat_changes": 12}),
    ("test the assistant in ./X with 40 cases: seat changes", {"seat_changes": 40}),
    ("40 cases for the thing in ./X: seat changes", {"seat_changes": 40}),
    ("40 cases for the MCP server in ./X", {"update_seat": 20, "get_status": 20}),
    ("40 cases for ./X", {"update_seat": 20, "get_status": 20}),
]  # fmt: skip


@pytest.mark.parametrize("path", ["./X", "../my_bot2/app.py", "~/bots/seat", "/srv/refund-bot/v3"])
@pytest.mark.parametrize(("said", "counts"), REQUESTS)
def test_the_application_is_read_before_anything_is_planned(said: str, counts: dict[str, int], path: str) -> None:
    said = said.replace("./X", path)
    assert acts_of(understand(said, NOTHING)) == [("describe_target", {"path": path})]
    reading = understand(said, KNOWN, target_read=True)
    assert [act.tool for act in reading.acts] == ["propose_plan"]
    assert counts_of(proposed(reading)) == counts
    assert path_of_target(said) == path


def test_a_path_of_words_alone_and_documents_beside_it() -> None:
    assert path_of_target("40 cases for the bot in src/bot: seat changes") == "src/bot"
    assert path_of_target('40 cases for the bot in "./my bot": seat changes') == "./my bot"
    said = "40 cases: seat changes, for the bot in ./X and the policies in ./docs"
    plan = proposed(understand(said, KNOWN, target_read=True))
    assert path_of_target(said) == "./X" and plan is not None
    assert (counts_of(plan), plan.sources) == ({"seat_changes": 40}, ("./docs",))


@pytest.mark.parametrize(
    "said",
    [
        "40 cases: refunds, from the docs in ./docs", "40 cases for a shop bot: the /refund command", "12 cases: refunds and returns",
        "300 more like ./old.jsonl, none of them again", "40 refunds, export to ./out.csv", '40 cases: refunds, like "see ./X"',
        "40 cases for the bot in spanish: half refunds, half returns", "40 cases for the bot in English/German: refunds",
    ],
)  # fmt: skip
def test_what_names_no_application(said: str) -> None:
    assert path_of_target(said) == ""


@pytest.mark.parametrize(
    "said", ["40 cases: refunds, the things of ./X/y", "40 cases: refunds, /a/b, returns", "40 cases: ./X/y"]
)
def test_a_path_is_never_a_category(said: str) -> None:
    reading = understand(said, KNOWN, target_read=True)
    assert not {"x", "y", "x_y", "a_b", "things_of_x_y"} & set(counts_of(proposed(reading)))


def test_what_was_not_understood_is_an_argument() -> None:
    reading = understand("40 cases for the bot in ./X: refunds. All of them should rhyme", KNOWN, target_read=True)
    assert reading.acts[0].arguments["not_understood"] == ["All of them should rhyme"]
    assert counts_of(proposed(reading)) == {"refunds": 40}
    first = understand("Make them rhyme. 40 cases for the bot in ./X: refunds", KNOWN, target_read=True)
    assert first.acts[0].arguments["not_understood"] == ["Make them rhyme"]
    assert "not_understood" not in understand("40 cases: refunds, please", NOTHING).acts[0].arguments


def test_paths_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "X").mkdir()
    assert missing_paths("40 cases for the bot in ./X: refunds", tmp_path) == []
    assert missing_paths("40 cases for the bot in ./Y: refunds", tmp_path) == ["./Y"]
    assert missing_paths("40 cases: refunds, for the bot in ./X and the policies in ./docs", tmp_path) == ["./docs"]
    assert missing_paths("40 cases for a bot: the /refund command, export to ./out.csv", tmp_path) == []


@pytest.mark.parametrize(
    "said",
    [
        "40 cases for the bot in my_bot: seat changes", "40 cases for the agent in the folder my_bot: seat changes",
        "My bot is in my_bot. 40 cases: seat changes", "40 cases about seat changes for the bot in my_bot",
        "40 cases for the bot (in my_bot): seat changes", "40 cases for the assistant in the my_bot folder: seat changes",
    ],
)  # fmt: skip
def test_a_bare_name_is_a_path_where_there_is_such_a_folder(said: str, tmp_path: Path) -> None:
    assert path_of_target(said, tmp_path) == ""
    (tmp_path / "my_bot").mkdir()
    assert path_of_target(said, tmp_path) == "my_bot" and path_of_target(said) == ""
    there = PlanningContext(folder=tmp_path)
    assert acts_of(understand(said, there)) == [("describe_target", {"path": "my_bot"})]
    reading = understand(said, PlanningContext(folder=tmp_path, tools=KNOWN.tools), target_read=True)
    assert counts_of(proposed(reading)) == {"seat_changes": 40}


def test_a_file_or_a_language_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "spanish").write_text("")
    assert path_of_target("40 cases for the bot in spanish: refunds", tmp_path) == ""
