"""Places: what in a text may name one, what a link is made of, which files may be looked at. No terminal is needed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.places.finder import readable_file
from dsbuilder_tui.tui.places.links import linked
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place, place_of
from dsbuilder_tui.tui.places.references import OF_FOREIGN_TEXT, PlaceNames, references
from tests.support.hostile import ALL, CORPUS, LETTER

NAMES = PlaceNames(
    categories=frozenset({"refunds", "order status", "a-b.c"}), branches=("main", "try two", "try"),
    values={"angry": {"refunds": "tone"}, "very angry": {"refunds": "tone", "a-b.c": "mood"}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see #143, or (#7).", {"#143": "number 143", "#7": "number 7"}),
        ("refunds-00012 repeats order status-00003; a-b.c-00001", {
            "refunds-00012": "case refunds-00012", "order status-00003": "case order status-00003", "a-b.c-00001": "case a-b.c-00001",
        }),
        ("nothing-00012, xrefunds-00012, refunds-12, refunds-00012x, refunds-00012-3", {}),
        ("b17 and b2. But tab17, b17x, b-1, v1.b2, b3.5", {"b17": "batch 17", "b2": "batch 2"}),
        ("checkpoint 4, Checkpoint #5, cp6, cp 7; checkpoints 8", {
            "checkpoint 4": "checkpoint 4", "Checkpoint #5": "checkpoint 5", "cp6": "checkpoint 6", "cp 7": "checkpoint 7",
        }),
        ("branch try two, branch “main”, branch tryout", {"branch try two": "branch try two", "branch “main": "branch main"}),
        ("refunds × angry: 3; very angry × refunds; angry × a-b.c", {
            "refunds × angry": "cell refunds tone angry", "very angry × refunds": "cell refunds tone very angry",
        }),
        ("F2 shows them, /coverage too; F12, xF2, coverage", {"F2": "screen cases", "/coverage": "screen coverage"}),
        ("`max_workers` (not max_nothing)", {"max_workers": "setting max_workers"}),
        ("to out/data.jsonl, ./x.csv. But http://evil.example/a.json, and/or, .env, x/.ssh, a//b.json", {
            "out/data.jsonl": "file out/data.jsonl", "./x.csv": "file ./x.csv", "and/or": "file and/or",
        }),
        ("order ##12, &#143; #12345678 C#3 a#4", {}),
    ],
)  # fmt: skip
def test_what_a_text_names(text: str, found: dict[str, str]) -> None:
    said = {
        text[link.start : link.end]: " ".join(
            filter(None, (link.place.kind, link.place.name, link.place.axis, link.place.value))
        )
        for link in references(text, NAMES)
    }
    assert said == found


def test_the_content_of_cases_names_no_numbers() -> None:
    text = "My order #143, vitamin b12, max_workers, F2, checkpoint 3; refunds-00001"
    assert [link.place.name for link in references(text, NAMES, OF_FOREIGN_TEXT)] == ["refunds-00001"]


@pytest.mark.parametrize(
    "text", [*CORPUS, LETTER, "a-" * 20_000, "b1 " * 9_000, " × " * 9_000, "/a" * 9_000, "-00001" * 4_000]
)
def test_hostile_text_is_looked_through_in_bounded_time_and_parts_do_not_overlap(text: str) -> None:
    found = references(f"{text} refunds-00012 {text}", NAMES)
    assert len(found) <= 220
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_token_is_letters_and_digits_whatever_the_place_is_called() -> None:
    for name in (ALL, LETTER, "'); app.exit() #", "", "\ud800"):
        place = Place(kind=PlaceKind.CELL, name=name, axis=name, value=name)
        assert place.token.replace("_", "").isalnum() and place.token.isascii()
        assert place_of(place.token) == place
    for wrong in (
        "",
        "case",
        "case_zz",
        "case_5b5d",
        "nothing_5b2261222c2262222c2263225d",
        "case_5b312c322c335d",
        "case_7b7d",
        ALL,
    ):
        assert place_of(wrong) is None


def test_a_line_keeps_its_text_and_gives_its_links_a_role_and_an_action() -> None:
    line: Line = (("▸ see ", "muted"), ("refunds-", "text"), ("00012 now", "strong", "unfold"))
    found = linked(line, lambda text: references(text, NAMES))
    action = f"screen.visit('{case_place('refunds', 12).token}')"
    assert found == (
        ("▸ see ", "muted"), ("refunds-", "text+link", action), ("00012", "strong+link", action), (" now", "strong", "unfold"),
    )  # fmt: skip
    assert linked((("nothing", "text"),), lambda text: references(text, NAMES)) == (("nothing", "text"),)


def test_only_ordinary_files_of_these_folders_can_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other, own / ".hidden"):
        folder.mkdir()
        (folder / "data.jsonl").write_text("{}\n", encoding="utf-8")
    (own / ".env").write_text("KEY=1", encoding="utf-8")
    (own / "out.csv").symlink_to(other / "data.jsonl")
    (own / "in.csv").symlink_to(own / "data.jsonl")
    monkeypatch.chdir(own)
    for name in ("data.jsonl", "./data.jsonl", str(own / "data.jsonl"), "in.csv"):
        assert readable_file(name, [own]) is not None, name
    for name in (
        "nothing.csv", "../other/data.jsonl", str(other / "data.jsonl"), ".env", ".hidden/data.jsonl", "out.csv", "/dev/zero",
        "/etc/passwd", "", "~nobody-there/x.csv", "a\0b.csv", str(own),
    ):  # fmt: skip
        assert readable_file(name, [own]) is None, name
