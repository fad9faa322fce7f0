"""``import`` of rows, and ``run --extend``: what is there is kept, new cases are added, and nothing is there twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import deduplicate
from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

PLACE = ("--checkpoint-dir", "s")
RUN = ("--provider", "offline", "--plain", *PLACE)
TEXTS = (
    "Where is my parcel?", "My parcel has been damaged", "Can I change the address of my parcel?", "Who signs for a parcel?",
    "How do I return the shoes?", "May I return a gift?", "What does it cost to return a jacket?", "Where do I return it?",
)  # fmt: skip


@pytest.fixture
def old() -> Path:
    path = Path("old.csv").absolute()
    rows = [f'"{text}",Yes.,{"parcels" if n < 4 else "returns"}' for n, text in enumerate(TEXTS)]
    path.write_text("\n".join(["question,answer,category", *rows]) + "\n")
    return path


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def test_rows_become_a_session(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(old), *PLACE]) == ExitCode.COMPLETE
    said = capsys.readouterr().out
    assert "Note: read as questions" in said and "Imported 8 of 8 cases as old." in said
    assert main(["export", "old", "--out", "back.jsonl", *PLACE]) == ExitCode.COMPLETE
    assert [line["inputs"]["question"] for line in lines("back.jsonl")] == list(TEXTS)
    assert lines("back.jsonl")[0]["expectations"] == {"expected_response": "Yes."}


def test_more_rows_than_a_plan_may_hold_are_there_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    Path("many.jsonl").write_text("".join(f'{{"input": "Question {n} of many"}}\n' for n in range(308)))
    assert main(["import", "many.jsonl", *PLACE]) == ExitCode.COMPLETE
    assert "Imported 308 of 308 cases" in capsys.readouterr().out
    assert main(["run", "--extend", "many.jsonl", "--more", "300", *RUN]) == ExitCode.BAD_INPUT
    assert "300 — more than max_dataset_size allows" in capsys.readouterr().err


def test_fields_are_named_where_no_shape_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.csv").write_text("frage,antwort,thema\nWo ist es?,Dort.,orte\n")
    assert main(["import", "odd.csv", *PLACE]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "its fields are frage, antwort, thema" in said and "--field" in said and "--category-field" in said
    fields = ("--field", "frage", "--expectations-field", "antwort", "--category-field", "thema")
    assert main(["import", "odd.csv", *fields, *PLACE]) == ExitCode.COMPLETE
    assert main(["export", "odd", "--out", "odd.jsonl", *PLACE]) == ExitCode.COMPLETE
    (line,) = lines("odd.jsonl")
    assert (line["inputs"], line["expectations"], line["tags"]["category"]) == (
        {"frage": "Wo ist es?"}, {"expected_response": "Dort."}, "orte",
    )  # fmt: skip


@pytest.mark.parametrize("only_new", [True, False])
def test_more_like_a_file(old: Path, only_new: bool, capsys: pytest.CaptureFixture[str]) -> None:
    before = old.read_bytes()
    flags = ("--only-new",) if only_new else ()
    assert main(["run", "--extend", str(old), "--more", "12", *flags, "--out", "all.jsonl", *RUN]) == ExitCode.COMPLETE
    said = capsys.readouterr().out
    assert "8 rows are there; 12 cases will be added, and repeat none of them." in said and "Complete: 20 cases" in said
    assert old.read_bytes() == before
    rows = lines("all.jsonl")
    fresh = [row for row in rows if "imported_from" not in row["tags"]]
    assert (len(rows), len(fresh)) == ((12, 12) if only_new else (20, 12))
    assert {row["tags"]["category"] for row in fresh} == {"parcels", "returns"}
    assert all(set(row["inputs"]) == {"question"} and row["expectations"] for row in fresh)
    texts = [text for text in TEXTS if text not in {row["inputs"]["question"] for row in rows}]
    both = [{"inputs": {"question": text}} for text in texts] + rows
    Path("both.jsonl").write_text("".join(json.dumps({**row, "tags": {}}) + "\n" for row in both))
    report = deduplicate("both.jsonl", config=DatasetBuilderConfig())
    assert report.repeats == 0, "nothing that is new repeats what was there"
    main(["export", "old", "--only-new", "--out", "new.jsonl", *PLACE])
    assert lines("new.jsonl") == fresh
    capsys.readouterr()
    main(["show", "old", *PLACE])
    shown = capsys.readouterr().out
    assert "8 of the cases came with old.csv, 12 are new." in shown
    assert "Of those that came: parcels 50 % (planned 50 %), returns 50 % (planned 50 %)." in shown


def test_a_plan_and_the_rows_before_it(old: Path) -> None:
    Path("plan.yaml").write_text(
        "dataset_name: shop\ncategories:\n  - {name: returns, count: 5, description: Returns, example_inputs: ['How do I send it back?']}\n"
    )
    assert main(["run", "plan.yaml", "--extend", str(old), "--out", "all.jsonl", *RUN]) == ExitCode.COMPLETE
    rows = lines("all.jsonl")
    assert [sum(row["tags"]["category"] == name for row in rows) for name in ("returns", "parcels")] == [9, 4]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--extend", "old.csv"], "--more N"),
        (["--extend", "old.csv", "--more", "0"], "from 1 on"),
        (["plan.yaml", "--extend", "old.csv", "--more", "5"], "without a plan"),
        (["--example", "customer_service", "--only-new"], "--only-new is for --extend"),
        (["--extend", "nowhere.csv", "--more", "5"], "nowhere.csv does not exist"),
        (["--extend", "old.csv", "--more", "5", "--out", "old.csv"], "is the file to extend"),
        (["--prompt", "add 5 returns", "--extend", "old.csv", "--more", "5"], "Leave --more out"),
        (["--prompt", "add 5 returns", "--extend", "old.csv", "--out", "old.csv"], "is the file to extend"),
        (["--prompt", "add 5 returns", "--extend", "nowhere.csv"], "nowhere.csv does not exist"),
        (["--prompt", "5 cases for a shop: returns, parcels", "--only-new"], "--only-new is for --extend"),
        ([], "nothing to build"),
    ],
)
def test_flags_that_do_not_go_together(
    old: Path, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old.read_bytes()
    assert main(["run", *flags, *RUN]) == ExitCode.BAD_INPUT
    assert words in capsys.readouterr().err and old.read_bytes() == before and not Path("s").exists()


def test_more_like_a_file_in_words(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"12 more like {old}, none of them again"
    assert main(["run", "--prompt", words, "--yes", "--out", "all.jsonl", *RUN]) == ExitCode.COMPLETE
    said = capsys.readouterr().out
    assert f"8 rows of {old} are there, 12 will be added" in said and "Complete: 20 cases" in said
    rows = lines("all.jsonl")
    assert sum(row["tags"].get("imported_from") == "old.csv" for row in rows) == 8 and len(rows) == 20
    texts = [" ".join(row["inputs"]["question"].casefold().split()) for row in rows]
    assert len(set(texts)) == 20


@pytest.mark.parametrize("only_new", [True, False])
def test_what_is_added_to_a_file_is_said_in_words(
    old: Path, only_new: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--only-new",) if only_new else ()
    words = "add 6 returns and 3 complaints"
    assert (
        main(["run", "--prompt", words, "--extend", str(old), "--yes", *flags, "--out", "all.jsonl", *RUN])
        == ExitCode.COMPLETE
    )
    assert "8 rows are there; nothing that is added repeats them." in capsys.readouterr().out
    rows = lines("all.jsonl")
    fresh = [row["tags"]["category"] for row in rows if "imported_from" not in row["tags"]]
    assert (fresh.count("returns"), fresh.count("complaints"), len(rows)) == (6, 3, 9 if only_new else 17)
    asked = [" ".join(str(row["inputs"]).casefold().split()) for row in rows]
    assert len(set(asked)) == len(asked)


def test_without_a_yes_the_rows_wait_with_the_plan(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--prompt", "add 6 returns", "--extend", str(old), *RUN]) == ExitCode.RESUMABLE
    assert "~ returns" in capsys.readouterr().out
    assert main(["resume", "old", "--yes", "--plain", "--out", "all.jsonl", *PLACE]) == ExitCode.COMPLETE
    assert len(lines("all.jsonl")) == 14


def test_words_that_add_nothing_are_no_success(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--prompt", "hello", "--extend", str(old), "--yes", *RUN]) == ExitCode.RESUMABLE
    assert "nothing was added" in capsys.readouterr().err


def test_words_about_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--prompt", "12 more like nowhere.csv", "--yes", *RUN])
    said = capsys.readouterr()
    assert "nowhere.csv does not exist" in said.out + said.err
