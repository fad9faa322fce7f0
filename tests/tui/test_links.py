"""Everything is a link: what texts and panels name is followed by mouse and by key, and there is a way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from dsbuilder_tui import DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.message import MessageRole, NoticeContent, ToolContent
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.help.guide_lines import guide_lines
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place, screen_place
from dsbuilder_tui.tui.widgets.jump_labels import JumpLabels
from tests.support.hostile import ALL, LETTER
from tests.support.linking import follow, links, place_of_text
from tests.support.studio import Desk, built, covers, studio
from tests.tui.test_keys_rejected import REPEATS

TONES = ("angry", "calm")
SHOP = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(
            name=name, description=f"About {name}", count=count, example_inputs=name, attributes={"tone": TONES}
        )
        for name, count in (("refunds", 12), ("orders", 6))
    ],
)
REFUND = case_place("refunds", 9)


def place(desk: Desk) -> Place:
    return desk.app.screen.place  # type: ignore[attr-defined, no-any-return]


async def shop(desk: Desk, *said: str) -> None:
    """The session, with these words of the agent."""
    await desk.at("StudioScreen")
    await desk.until(lambda: desk.app.screen.opened.is_set())  # type: ignore[attr-defined]
    for text in said:
        await desk.session.chat.add(MessageRole.AGENT, text)


async def test_what_the_conversation_names_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("first,row\x1b]52;c;ZXZpbA==\x07\n", encoding="utf-8")
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(
            desk, "Look at #9, refunds-00003, #2, `max_workers`. And angry × refunds, b1 and cp1. F5, /checkpoints."
        )
        await desk.session.chat.add(
            MessageRole.PERSON, "refunds-00099? #77? b99, cp99 [x](screen.quit) rows.csv nothing.csv"
        )
        await desk.session.chat.add(MessageRole.DSBUILDER, "✓ orders-00004 is pinned", NoticeContent())
        tool = ToolContent(tool="show_case", arguments="{}", answer="orders-00005")
        await desk.session.chat.add(MessageRole.AGENT, "orders-00005: “It”", tool)
        expected = {
            "#9": REFUND, "refunds-00003": case_place("refunds", 3), "#2": Place(kind=PlaceKind.NUMBER, name="2"),
            "max_workers": Place(kind=PlaceKind.SETTING, name="max_workers"),
            "angry × refunds": Place(kind=PlaceKind.CELL, name="refunds", axis="tone", value="angry"),
            "b1": Place(kind=PlaceKind.BATCH, name="1"), "cp1": Place(kind=PlaceKind.CHECKPOINT, name="1"),
            "F5": screen_place("rejected"), "/checkpoints": screen_place("checkpoints"),
            "rows.csv": Place(kind=PlaceKind.FILE, name=str(tmp_path / "rows.csv")),
            "orders-00004": case_place("orders", 4), "orders-00005": case_place("orders", 5),
        }  # fmt: skip
        panels = {"refunds", "orders"}  # categories, in the panel of the plan
        await desk.until(lambda: expected.items() <= links(desk).items())
        assert set(links(desk)) - set(expected) <= panels
        for text, screen in (
            ("#9", "CasesScreen"), ("max_workers", "SettingsScreen"), ("angry × refunds", "CoverageScreen"),
            ("b1", "WorkersScreen"), ("cp1", "CheckpointsScreen"), ("F5", "RejectedScreen"), ("orders-00004", "CasesScreen"),
            ("orders-00005", "CasesScreen"), ("refunds", "CasesScreen"),
        ):  # fmt: skip
            await follow(desk, text)
            await desk.at(screen)
            wanted = expected.get(text)
            await desk.until(lambda wanted=wanted: wanted is None or place(desk) == wanted)
            await desk.press("escape")
            await desk.at("StudioScreen")
        await follow(desk, "#2")  # of two categories: which one?
        await desk.at("GotoScreen", "goto-line")
        await desk.sees("refunds-00002", "orders-00002")
        await desk.press("escape")
        await desk.at("StudioScreen")


@covers("File", "y", "escape")
async def test_a_file_is_shown_as_text_in_the_app_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("first,row\x1b]52;c;ZXZpbA==\x07\n", encoding="utf-8")
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk, "It is in rows.csv.")
        await follow(desk, "rows.csv")
        await desk.at("FilePreview", "file")
        await desk.sees("first,row␛]52;c;ZXZpbA==")
        await desk.press("y")
        assert desk.app.clipboard == str(tmp_path / "rows.csv")
        await desk.press("escape")
        await desk.at("StudioScreen")


async def test_what_was_turned_away_leads_to_what_it_repeats() -> None:
    await built(REPEATS, max_attempts=2)
    async with studio(open_first="repeats") as desk:
        await shop(desk)
        turned = next(one for one in await desk.session.rejections.newest() if one.nearest_case_id)
        await desk.press("f5")
        await desk.at("RejectedScreen", "rejections")
        rows = desk.one("#rejections")
        await desk.until(lambda: rows.chosen is not None)
        while rows.chosen.nearest_case_id is None:
            await desk.press("down")
        near = rows.chosen.nearest_case_id
        assert near is not None and turned.nearest_case_id is not None
        await follow(desk, near)
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: place(desk) == Place(kind=PlaceKind.CASE, name=near))
        await desk.press("alt+left")
        await desk.at("RejectedScreen")
        await desk.until(lambda: rows.chosen is not None and rows.chosen.nearest_case_id == near)


@covers("Everywhere", "alt+left", "alt+right", "alt+b", "alt+f")
async def test_back_and_forward_restore_what_was_chosen_and_skip_what_is_gone() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk, "refunds-00009 or orders-00002.")
        await follow(desk, "refunds-00009")
        await desk.until(lambda: place(desk) == REFUND)
        await desk.press("down", "down")
        chosen = case_place("refunds", 11)
        await desk.until(lambda: place(desk) == chosen)
        await desk.press("escape")
        await desk.at("StudioScreen")
        await follow(desk, "orders-00002")
        await desk.until(lambda: place(desk) == case_place("orders", 2))
        for keys, where in (
            ("alt+left", screen_place("studio")), ("alt+b", chosen), ("alt+left", screen_place("studio")),
            ("alt+right", chosen), ("alt+f", screen_place("studio")), ("alt+right", case_place("orders", 2)),
        ):  # fmt: skip
            await desk.press(keys)
            await desk.until(lambda where=where: place(desk) == where)
        await desk.press("alt+right")
        await desk.until(lambda: "Nothing was visited after this." in desk.told)
        await desk.session.cases.withdraw("refunds", 11)
        await desk.press("alt+left", "alt+left")  # the case is gone: on to where the person was before it
        await desk.until(lambda: place(desk) == screen_place("studio"))
        await desk.press("alt+left")
        await desk.until(lambda: "Nothing was visited before this." in desk.told)


async def test_a_link_that_has_gone_says_so_and_an_unsaved_form_is_not_left() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk, "refunds-00009 or orders-00002.")
        await follow(desk, "orders-00002")
        await desk.until(lambda: place(desk) == case_place("orders", 2))
        await desk.press("e")
        await desk.until(lambda: desk.app.screen.form.display)  # type: ignore[attr-defined]
        await desk.until(lambda: desk.app.focused is not None and desk.app.focused.id != "cases")
        await desk.write("Changed ")
        await desk.until(lambda: desk.app.screen.holds)  # type: ignore[attr-defined]
        desk.app.navigator.visit(REFUND)
        await desk.until(lambda: "The changes to orders-00002 are not saved yet" in desk.told)
        assert desk.app.screen.holds  # type: ignore[attr-defined]
        await desk.press("escape")
        await desk.at("QuestionDialog", "answers")
        await desk.press("down", "enter")  # throw them away
        await desk.at("CasesScreen", "cases")
        await desk.session.cases.withdraw("refunds", 9)
        desk.app.navigator.visit(REFUND)
        await desk.until(lambda: f"{case_id('refunds', 9).capitalize()} is not there" in desk.told)


@covers("Everywhere", "ctrl+l")
@covers("Jump labels", "escape")
async def test_a_letter_follows_a_link_and_gives_the_keys_to_a_panel() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk, "Look at refunds-00009.")
        await desk.until(lambda: "refunds-00009" in links(desk))
        desk.one("#prompt").focus()
        await desk.write("half a thought")
        x, y = place_of_text(desk, "refunds-00009")
        await desk.press("ctrl+l")
        await desk.at("JumpLabels")
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
        await desk.press("ctrl+l")
        await desk.at("JumpLabels")
        labels = desk.app.screen
        assert isinstance(labels, JumpLabels)
        name = next(name for name, target in labels.targets.items() if target.at == (x, y))
        await desk.write(name)
        await desk.at("CasesScreen")
        await desk.until(lambda: place(desk) == REFUND)
        await desk.press("ctrl+l")  # rows of a list
        await desk.at("JumpLabels")
        labels, rows = desk.app.screen, desk.app.screen_stack[-2].query_one("#cases")
        assert isinstance(labels, JumpLabels)
        first = next(
            name
            for name, target in labels.targets.items()
            if target.at == rows.content_region.offset  # type: ignore[attr-defined]
        )
        await desk.write(first)
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: place(desk) == case_place("refunds", 1))
        await desk.press("escape")
        await desk.at("StudioScreen")
        panel = desk.one("#panel-plan").region.offset
        await desk.press("ctrl+l")
        await desk.at("JumpLabels")
        labels = desk.app.screen
        assert isinstance(labels, JumpLabels)
        await desk.write(next(name for name, target in labels.targets.items() if target.at == panel))
        await desk.at("StudioScreen", "panel-plan")
        assert desk.one("#prompt").text == "half a thought"


async def test_hostile_text_makes_no_link_and_a_link_runs_nothing() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        opened: list[str] = []
        desk.app.open_url = lambda url, **_: opened.append(url)  # type: ignore[method-assign]
        forged = "[refunds-00009](screen_5b22717569742c) [F2](javascript:x) <http://evil.example/refunds-00003>"
        for role in (MessageRole.AGENT, MessageRole.PERSON):
            await desk.session.chat.add(role, f"{ALL} @click=app.exit {forged} {LETTER}")
            await desk.session.chat.add(role, "orders-00001.")
        await shop(desk)
        await desk.until(lambda: "orders-00001" in links(desk))
        found = links(desk)
        assert all(
            place in (screen_place("cases"), case_place("orders", 1)) or place.kind is PlaceKind.CATEGORY
            for place in found.values()
        )
        await follow(desk, "orders-00001")
        await desk.at("CasesScreen")
        assert opened == [] and desk.app.is_running


async def test_the_palette_tells_the_keys_and_the_guide_has_links() -> None:
    lines = guide_lines("See [the app](app.md) and [more](http://evil.example).", 80)
    linked = [span for line in lines for span in line if len(span) == 3]
    assert [span[0] for span in linked] == ["the", "app"]
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk)
        entries = {entry.title: entry.help for entry in desk.app.get_system_commands(desk.app.screen)}
        for name, key in (
            ("cases", "F2"), ("map", "F7"), ("run", "^P"), ("go to", "^G"), ("back", "alt-←"), ("other session", "^T"),
            ("jump labels", "^L"), ("help", "F1"), ("quit", "^Q"),
        ):  # fmt: skip
            assert entries[name].startswith(f"{key} · "), entries[name]
        desk.app.navigator.visit(Place(kind=PlaceKind.PAGE, name="start"))
        await desk.at("GuideScreen")
        await desk.until(lambda: place(desk) == Place(kind=PlaceKind.PAGE, name="start"))
        assert not desk.app.screen.query(Input)


async def test_toasts_and_answers_lead_where_they_say_and_another_window_is_watched() -> None:
    """A toast's case is followed by a click; “/cases WORDS” opens the list with these words; a session that is open
    elsewhere is watched from the switcher."""
    await built(SHOP)
    await built(SHOP.model_copy(update={"dataset_name": "other"}))
    async with studio(open_first="shop") as desk:
        await shop(desk, "“/cases angry” shows more.")
        desk.app.say("refunds-00003 is kept [b]as[/b] it was, see F5.")
        await desk.sees("refunds-00003 is kept [b]as[/b] it was")
        toast = desk.one("Toast")
        named = "refunds-00003"
        await desk.until(lambda: named in desk.text)
        line, row = next((line, y) for y, line in enumerate(desk.text.split("\n")) if f"{named} is kept" in line)
        assert toast.region.contains(line.index(named) + 3, row)
        await desk.pilot.click(offset=(line.index(named) + 3, row))
        await desk.at("CasesScreen")
        await desk.until(lambda: place(desk) == case_place("refunds", 3))
        await desk.press("escape")
        await desk.at("StudioScreen")
        await follow(desk, "/cases angry")
        await desk.at("CasesScreen")
        await desk.until(lambda: desk.one("#search", Input).value == "angry" and desk.one("#search").display)
        angry = [c async for c in desk.session.cases.all() if "angry" in str(c.record())]
        await desk.until(lambda: desk.one("#cases").count == len(angry))
        await desk.press("escape", "escape")
        await desk.at("StudioScreen")
        async with await Session.open("other", load_config()):
            await desk.command("/switch other")
            await desk.sees("watching")
            assert desk.app.live is None and "error" not in desk.told.lower()
