"""The coverage screen: its grid fills while cases come, its keys and clicks, and what it asks for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.figures import Cell, Coverage, DiversityReport, Figures
from dsbuilder_tui.domain.row_axis import RowAxis
from dsbuilder_tui.session.documents import RowUse
from dsbuilder_tui.tui.colours import COLOURS, Palette
from dsbuilder_tui.tui.coverage.paint import cell_words, figure_lines
from dsbuilder_tui.tui.coverage.row_paint import row_lines
from dsbuilder_tui.tui.paint.coverage_sheet import GridRow, is_thin, sheet
from dsbuilder_tui.tui.paint.line import length
from tests.support.shown_words import Reader
from tests.support.studio import NARROW, WIDE, Scripted, User, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
TONES = ("polite", "angry", "formal")
PLAN = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(
            name=name, count=count, example_inputs="Where is my order #12345?",
            attributes={"tone": TONES, "length": ("short", "long")},
        )
        for name, count in (("orders", 30), ("refunds", 12))
    ],
)  # fmt: skip


def grid(user: User) -> Any:
    return user.one("#grid")


def at(user: User) -> tuple[str, str | None]:
    category, row, _ = grid(user).chosen
    return category, row.value


async def coverage(user: User) -> None:
    await user.to_work()
    await user.press("f3")
    await user.at("CoverageScreen", "grid")
    await user.until(lambda: grid(user).chosen is not None)


@covers("Studio", "f3")
@covers("Coverage", "tab", "escape")
async def test_the_grid_and_the_figures_are_shown() -> None:
    await built(PLAN)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.sees(
            "10 of 10 cells hold a case · 100 %", "10/10", "All 42 cases", "orders × polite: 10 of 10 planned"
        )
        await user.press("tab")
        await user.at("CoverageScreen", "figures")
        await user.press("tab")
        await user.at("CoverageScreen", "grid")
        await user.press("escape")
        await user.at("StudioScreen")
        await user.command("/coverage")
        await user.at("CoverageScreen", "grid")


@covers("Grid", "up", "k", "down", "j", "left", "h", "right", "l", "pageup", "pagedown", "home", "end", "a")
async def test_the_grid_is_walked() -> None:
    await built(PLAN, until=20)
    async with studio(open_first="shop") as user:
        await coverage(user)
        assert at(user) == ("orders", "polite")
        for key, place in (
            ("down", ("orders", "angry")), ("j", ("orders", "formal")), ("down", ("orders", "short")),
            ("up", ("orders", "formal")), ("k", ("orders", "angry")), ("right", ("refunds", "angry")),
            ("right", ("refunds", "angry")), ("left", ("orders", "angry")), ("l", ("refunds", "angry")),
            ("h", ("orders", "angry")), ("end", ("orders", "long")), ("down", ("orders", "long")),
            ("home", ("orders", "polite")), ("up", ("orders", "polite")), ("pagedown", ("orders", "long")),
            ("pageup", ("orders", "polite")), ("a", ("orders", "short")), ("a", ("orders", "polite")),
        ):  # fmt: skip
            await user.press(key)
            assert at(user) == place, key


@covers("Grid", "enter")
async def test_more_cases_are_asked_for_in_the_prompt() -> None:
    await built(PLAN, until=20)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.press("down", "right")
        await user.press("enter")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "Write 20 more `angry` cases in refunds"
        await user.press("enter")
        await user.sees("refunds", "→")
        await user.until(lambda: user.focus == "PlanCard")
        await user.answer("ctrl+y")
        await user.until(lambda: user.session.plan.categories[-1].held != ())
        (held,) = user.session.plan.categories[-1].held
        assert held.attributes == {"tone": "angry"} and len(held.slots) == 20


def documented(folder: Path) -> DatasetPlanInput:
    """Ten cases from a folder with one document of three sections, and one from another category's folder."""
    folder.mkdir()
    sections = "".join(
        f"## {name}\n\nUnder the rule of {name} a customer waits {3 + len(name)} days before anything is done by the team. "
        f"After that the team of {name} answers within {len(name)} hours, and says why it took so long to say anything. "
        f"What was sent in the meantime is kept for {len(name)} weeks by the team of {name}, and then it is destroyed.\n\n"
        for name in ("Late parcels", "Broken goods", "Gift cards")
    )
    (folder / "rules.md").write_text(f"# Refunds\n\n{sections}")
    return DatasetPlanInput(
        dataset_name="shop",
        categories=[
            DatasetCategory(name="orders", count=3, example_inputs="Where is my order #12345?"),
            DatasetCategory(name="refunds", count=5, example_inputs="May I send it back?", sources=[str(folder)]),
        ],
    )


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_passages_show_their_cases_and_more_are_asked_for_from_one(size: tuple[int, int], tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    await built(documented(docs))
    async with studio(open_first="shop", size=size) as user:
        await coverage(user)
        uses = await user.session.documents.passages()
        assert [use.passage.heading for use in uses] == [
            "Refunds › Late parcels", "Refunds › Broken goods", "Refunds › Gift cards",
        ]  # fmt: skip
        assert sum(use.cases for use in uses) == 5 and all(use.cases for use in uses)
        await user.until(lambda: user.one("#passages").count == 3)
        await user.press("tab")
        await user.at("CoverageScreen", "figures")
        await user.press("tab")
        await user.at("CoverageScreen", "passages")
        await user.sees("Passages · 3 of 3 have cases", "Broken goods", "ask for more")
        read = Reader(user, ())
        read.look("coverage, with documents")
        read.check()
        await user.press("down", "enter")
        await user.to_work()
        request = f"Write 20 more `refunds` cases from `{docs}/rules.md#Refunds › Broken goods`"
        assert user.one("#prompt").text == request
        await user.press("enter")  # the built-in planner understands it
        await user.until(lambda: user.focus == "PlanCard")
        await user.answer("ctrl+y")
        await user.until(lambda: len(user.session.plan.categories) == 3)
        added = user.session.plan.categories[-1]
        assert (added.name, added.count) == ("refunds_broken_goods", 20)
        assert added.sources == (f"{docs}/rules.md#Refunds › Broken goods",)


async def test_cases_that_are_asked_for_from_a_passage_are_written_from_it(tmp_path: Path) -> None:
    plan = documented(tmp_path / "docs")
    place = f"{tmp_path}/docs/rules.md#Refunds › Gift cards"
    more = plan.categories[1].model_copy(update={"name": "gift_cards", "count": 4, "sources": (place,)})
    plan = DatasetPlanInput(dataset_name="shop", categories=[*plan.categories, more])
    async with await Session.open(await built(plan)) as session:
        cases = [case async for case in session.cases.all() if case.category == "gift_cards"]
        assert len(cases) == 4
        assert {source["heading"] for case in cases for source in case.tags["sources"]} == {"Refunds › Gift cards"}
        uses = {use.passage.heading: use for use in await session.documents.passages()}
        assert len(uses) == 3 and sum(use.cases for use in uses.values()) == 9
        assert uses["Refunds › Gift cards"].categories == ("refunds", "gift_cards")


async def test_without_documents_there_are_no_passages() -> None:
    await built(PLAN, until=20)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.sees("All ")  # the figures have been measured
        assert not user.one("#passages-pane").display
        await user.press("tab", "tab")
        await user.at("CoverageScreen", "grid")


async def test_a_click_chooses_and_a_click_on_the_chosen_asks() -> None:
    await built(PLAN, until=20)
    async with studio(open_first="shop", size=NARROW) as user:
        await user.to_work()
        await user.press("f3")
        await user.until(lambda: user.place == "CoverageScreen" and grid(user).chosen is not None)
        await user.press("down", "right")
        there = grid(user).cell_region()
        await user.press("home", "left")
        assert at(user) == ("orders", "polite")
        for _ in range(2):
            await user.pilot.click("#grid", offset=(there.x + 2, there.y))
            await user.pilot.pause()
            if user.place == "CoverageScreen":
                assert at(user) == ("refunds", "angry")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "Write 20 more `angry` cases in refunds"


async def test_the_grid_fills_while_cases_come(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"max_workers": 2}) as user:
        await begin(user, PLAN)
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.press("f3")
        await user.at("CoverageScreen", "grid")
        await user.until(lambda: grid(user).chosen is not None)
        await user.sees("0/10", "/30")
        store = user.session._files.store

        async def no_reading(*_: Any) -> Any:
            raise AssertionError("the cases were read again")

        monkeypatch.setattr(store.statistics, "attribute_page", no_reading)
        model.gate.set()
        await user.sees("10 of 10 cells hold a case", "30/30", "12/12")
        await user.state("finished")


async def test_what_happened_while_it_was_covered_is_seen_on_return() -> None:
    await built(PLAN)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.sees("30/30")
        await user.press("f1")
        await user.at("HelpScreen")
        await user.session.cases.withdraw("orders", 4)
        await user.press("escape")
        await user.sees("29/30")


async def test_a_session_without_a_plan_says_what_will_be_here() -> None:
    async with studio() as user:
        await user.press("n")
        await user.at("StudioScreen", "prompt")
        await user.press("f3")
        await user.sees("No plan yet. When there is one", "The figures come with the second case")
        await user.press("enter", "down", "a", "end", "escape")
        await user.at("StudioScreen")


async def test_axes_that_only_some_categories_have_leave_their_cells_out() -> None:
    data = PLAN.model_dump(mode="json")
    del data["total_instances"]
    data["categories"][1]["attributes"] = {"channel": ["chat", "mail"]}
    await built(DatasetPlanInput.model_validate(data), until=10)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.press("right")
        await user.sees("refunds does not vary in tone: polite", "–")
        await user.press("a", "a")
        await user.sees("refunds × chat: ")


# Painted


def some(categories: int, values: int, seed: int = 0) -> Coverage:
    rng = random.Random(seed)
    cells = {
        f"category_{n}": {"tone": {f"value {v}": Cell(rng.randrange(2000), rng.randrange(2000)) for v in range(values)}}
        for n in range(categories)
    }
    return Coverage({name: Cell(4000, 1000) for name in cells}, cells)


@pytest.mark.parametrize("width", [30, 54, 78, 116, 200])
@pytest.mark.parametrize(("categories", "values"), [(1, 1), (3, 12), (40, 5)])
def test_every_number_is_whole_at_every_width(width: int, categories: int, values: int) -> None:
    coverage = some(categories, values)
    made = sheet(coverage, width)
    for row, at in enumerate(made.rows):
        line = made.right(row, None)
        assert length(made.left(row, True)) == made.label and length(line) == made.width - made.label
        text = "".join(span[0] for span in line)
        if at.value is not None:
            for name in made.categories:
                cell = coverage.cells[name]["tone"][at.value]
                assert f"{cell.accepted:,}/{cell.planned:,}" in text or not cell.planned
    assert all(length(made.head(line, 0)) == made.width - made.label for line in range(made.heading))


def test_a_part_of_a_line_is_as_it_is_in_the_whole() -> None:
    made = sheet(some(40, 5), 78)
    whole, part = made.right(2, 7), made.right(2, 7, range(6, 9))
    assert part == whole[24:36] and made.head(0, 7, range(6, 9)) == made.head(0, 7)[6:9]


def test_long_names_have_two_lines_to_be_told_apart_in() -> None:
    names = (
        "products_several_intents",
        "refunds",
        "注文の状況についての質問",
        "x" * 40,
        "a注文の状況についての質問",
        "lost or late parcels",
    )
    made = sheet(Coverage({n: Cell(9, 1) for n in names}, {n: {"tone": {"polite": Cell(9, 1)}} for n in names}), 60)
    made = replace(made, column=13)
    assert made.heading == 3
    lines = [[span[0].strip() for span in made.head(line, 0)] for line in range(3)]
    assert lines[0] == ["products_", "", "注文の状況に", "x" * 12, "a注文の状況", "lost or"]
    assert lines[1] == ["several_int…", "refunds", "ついての質問", "x" * 11 + "…", "についての…", "late parcels"]
    assert lines[2] == ["1/9"] * 6


def test_nothing_is_said_by_colour_alone() -> None:
    cells = {"c": {"tone": {f"v{n}": Cell(16, n) for n in (0, 1, 4, 8, 15, 16, 20)}}}
    made = sheet(Coverage({"c": Cell(112, 64)}, cells), 60)
    blocks = [made.right(row, None)[1][0][0] for row in range(1, 8)]
    assert blocks == [" ", "▁", "▂", "▄", "▇", "█", "█"]
    roles = [made.right(row, None)[2][1].partition("+")[0] for row in range(1, 8)]
    assert roles == ["warn", "warn", "warn", "text", "text", "strong", "strong"]


def test_a_cell_is_thin_when_it_lags_behind_its_category() -> None:
    assert is_thin(Cell(10, 2), 0.5) and not is_thin(Cell(10, 3), 0.5)
    assert not is_thin(Cell(10, 0), 0.0) and not is_thin(Cell(0, 0), 1.0)


def test_a_cell_in_words() -> None:
    row = GridRow("tone", "angry")
    assert cell_words("refunds", row, Cell(12, 3)) == "refunds × angry: 3 of 12 planned"
    assert cell_words("refunds", GridRow("tone", ""), Cell(0, 1)) == "refunds × (not in the plan): 1 case, none planned"
    assert cell_words("a\x1b", row, None) == "a␛ does not vary in tone: angry"


def test_figures_of_all_and_of_the_chosen_category_are_told() -> None:
    whole, own = (
        Figures(cases=9, compared=9, variety=4.0, most_variety=9),
        Figures(cases=5, compared=5, variety=3.0, most_variety=5),
    )
    report = DiversityReport(whole, {"a": own, "b\x1b[2J": own})
    text = "\n".join("".join(span[0] for span in line) for line in figure_lines(report, "b\x1b[2J", 40))
    assert "All 9 cases" in text and "b␛[2J · 5 cases" in text and text.count("As varied as") == 2
    assert all(length(line) <= 40 for line in figure_lines(report, "a", 40))
    assert "Measuring" in str(figure_lines(None, None, 40))


def test_text_can_be_read_on_every_heat() -> None:
    def light(colour: Any) -> float:
        parts = [value / 255 for value in colour.get_truecolor()]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in COLOURS:
        palette = Palette(name)
        for step in range(1, 6):
            for role in ("text", "strong"):
                style = palette.style(f"{role}+heat{step}")
                lights = sorted((light(style.color), light(style.bgcolor)))
                assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5, (name, role, step)


async def test_a_replay_shows_the_cells_of_its_moment(make_plan: Plans) -> None:
    from dsbuilder_tui.domain.clock import SystemClock
    from dsbuilder_tui.settings.stack import load_config
    from dsbuilder_tui.tui.replay_session import ReplaySession

    name = await built(PLAN)
    session = await Session.open(name, load_config())
    replay = ReplaySession(session, SystemClock(), speed=0.0001)
    replay.halted = True
    try:
        async with studio(replay=replay) as user:
            await user.at("StudioScreen")
            await user.press("f3")
            await user.at("CoverageScreen", "grid")
            await user.until(lambda: grid(user).chosen is not None)
            await user.sees("0/30", "0 of 10 planned")
            assert "ask for more" not in user.text
            await user.press("enter")
            assert user.place == "CoverageScreen"
            replay.skip_to_end()
            await user.sees("30/30")
    finally:
        await replay.close()


def test_old_and_new_are_told_apart() -> None:
    words = "8 of the cases came with old.csv, 12 are new."
    text = ["".join(span[0] for span in line) for line in figure_lines(None, None, 60, imported=words)]
    assert text[:2] == [words, ""] and "Measuring" in text[2]


async def test_rows_of_files_are_told_in_a_few_lines_however_many_there_are() -> None:
    for name, count in (("large", 20_000), ("few", 6)):
        rows = "".join(f"thing {n} of {name},{n}\n" for n in range(count))
        Path(f"{name}.csv").write_text(f"name,price\n{rows}")
    plan = DatasetPlanInput(
        dataset_name="shop",
        categories=[
            DatasetCategory(name="prices", count=12, example_inputs="What is it?", rows={"file": "large.csv"}),
            DatasetCategory(name="names", count=12, example_inputs="Who is it?", rows={"file": "few.csv"}),
        ],
    )  # fmt: skip
    await built(plan)
    async with studio(open_first="shop") as user:
        await coverage(user)
        await user.sees("Rows of files", "large.csv: 12 of 20,000 rows", "few.csv: 6 of 6 rows have a case")


@pytest.mark.parametrize("width", [30, 46, 72])
def test_the_lines_of_row_files_are_bounded_and_fit(width: int) -> None:
    axis = RowAxis(file="a/rather/long/path/to/the/products.csv", fields=("name", "price"))
    uses = [RowUse(f"category {n}", axis, 100_000 if n else None, n, 2 * n) for n in range(30)]
    lines = row_lines(uses, "category 20", width)
    words = ["".join(text for text, _ in line) for line in lines]
    assert len(lines) < 70 and all(length(line) <= width for line in lines)
    assert "category 20" in words[1] and any("22 categories more" in row for row in words)
    assert any("not read yet" in row for row in words) and row_lines([], None, width) == []
