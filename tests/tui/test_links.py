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
from tests.support.studio import User, built, covers, studio
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


def place(user: User) -> Place:
    return user.app.screen.place  # type: ignore[attr-defined, no-any-return]


async def shop(user: User, *said: str) -> None:
    """The session, with these words of the agent."""
    await user.at("StudioScreen")
    await user.until(lambda: user.app.screen.opened.is_set())  # type: ignore[attr-defined]
    for text in said:
        await user.session.chat.add(MessageRole.AGENT, text)


async def test_what_the_conversation_names_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("first,row\x1b]52;c;ZXZpbA==\x07\n", encoding="utf-8")
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(
            user, "Look at #9, refunds-00003, #2, `max_workers`. And angry × refunds, b1 and cp1. F5, /checkpoints."
        )
        await user.session.chat.add(
            MessageRole.PERSON, "refunds-00099? #77? b99, cp99 [x](screen.quit) rows.csv nothing.csv"
        )
        await user.session.chat.add(MessageRole.DSBUILDER, "✓ orders-00004 is pinned", NoticeContent())
        tool = ToolContent(tool="show_case", arguments="{}", answer="orders-00005")
        await user.session.chat.add(MessageRole.AGENT, "orders-00005: “It”", tool)
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
        await user.until(lambda: expected.items() <= links(user).items())
        assert set(links(user)) - set(expected) <= panels
        for text, screen in (
            ("#9", "CasesScreen"), ("max_workers", "SettingsScreen"), ("angry × refunds", "CoverageScreen"),
            ("b1", "WorkersScreen"), ("cp1", "CheckpointsScreen"), ("F5", "RejectedScreen"), ("orders-00004", "CasesScreen"),
            ("orders-00005", "CasesScreen"), ("refunds", "CasesScreen"),
        ):  # fmt: skip
            await follow(user, text)
            await user.at(screen)
            wanted = expected.get(text)
            await user.until(lambda wanted=wanted: wanted is None or place(user) == wanted)
            await user.press("escape")
            await user.at("StudioScreen")
        await follow(user, "#2")  # of two categories: which one?
        await user.at("GotoScreen", "goto-line")
        await user.sees("refunds-00002", "orders-00002")
        await user.press("escape")
        await user.at("StudioScreen")


@covers("File", "y", "escape")
async def test_a_file_is_shown_as_text_in_the_app_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("first,row\x1b]52;c;ZXZpbA==\x07\n", encoding="utf-8")
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user, "It is in rows.csv.")
        await follow(user, "rows.csv")
        await user.at("FilePreview", "file")
        await user.sees("first,row␛]52;c;ZXZpbA==")
        await user.press("y")
        assert user.app.clipboard == str(tmp_path / "rows.csv")
        await user.press("escape")
        await user.at("StudioScreen")


async def test_what_was_turned_away_leads_to_what_it_repeats() -> None:
    await built(REPEATS, max_attempts=2)
    async with studio(open_first="repeats") as user:
        await shop(user)
        turned = next(one for one in await user.session.rejections.newest() if one.nearest_case_id)
        await user.press("f5")
        await user.at("RejectedScreen", "rejections")
        rows = user.one("#rejections")
        await user.until(lambda: rows.chosen is not None)
        while rows.chosen.nearest_case_id is None:
            await user.press("down")
        near = rows.chosen.nearest_case_id
        assert near is not None and turned.nearest_case_id is not None
        await follow(user, near)
        await user.at("CasesScreen", "cases")
        await user.until(lambda: place(user) == Place(kind=PlaceKind.CASE, name=near))
        await user.press("alt+left")
        await user.at("RejectedScreen")
        await user.until(lambda: rows.chosen is not None and rows.chosen.nearest_case_id == near)


@covers("Everywhere", "alt+left", "alt+right", "alt+b", "alt+f")
async def test_back_and_forward_restore_what_was_chosen_and_skip_what_is_gone() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user, "refunds-00009 or orders-00002.")
        await follow(user, "refunds-00009")
        await user.until(lambda: place(user) == REFUND)
        await user.press("down", "down")
        chosen = case_place("refunds", 11)
        await user.until(lambda: place(user) == chosen)
        await user.press("escape")
        await user.at("StudioScreen")
        await follow(user, "orders-00002")
        await user.until(lambda: place(user) == case_place("orders", 2))
        for keys, where in (
            ("alt+left", screen_place("studio")), ("alt+b", chosen), ("alt+left", screen_place("studio")),
            ("alt+right", chosen), ("alt+f", screen_place("studio")), ("alt+right", case_place("orders", 2)),
        ):  # fmt: skip
            await user.press(keys)
            await user.until(lambda where=where: place(user) == where)
        await user.press("alt+right")
        await user.until(lambda: "Nothing was visited after this." in user.told)
        await user.session.cases.withdraw("refunds", 11)
        await user.press("alt+left", "alt+left")  # the case is gone: on to where the person was before it
        await user.until(lambda: place(user) == screen_place("studio"))
        await user.press("alt+left")
        await user.until(lambda: "Nothing was visited before this." in user.told)


async def test_a_link_that_has_gone_says_so_and_an_unsaved_form_is_not_left() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user, "refunds-00009 or orders-00002.")
        await follow(user, "orders-00002")
        await user.until(lambda: place(user) == case_place("orders", 2))
        await user.press("e")
        await user.until(lambda: user.app.screen.form.display)  # type: ignore[attr-defined]
        await user.until(lambda: user.app.focused is not None and user.app.focused.id != "cases")
        await user.write("Changed ")
        await user.until(lambda: user.app.screen.holds)  # type: ignore[attr-defined]
        user.app.navigator.visit(REFUND)
        await user.until(lambda: "The changes to orders-00002 are not saved yet" in user.told)
        assert user.app.screen.holds  # type: ignore[attr-defined]
        await user.press("escape")
        await user.at("QuestionDialog", "answers")
        await user.press("down", "enter")  # throw them away
        await user.at("CasesScreen", "cases")
        await user.session.cases.withdraw("refunds", 9)
        user.app.navigator.visit(REFUND)
        await user.until(lambda: f"{case_id('refunds', 9).capitalize()} is not there" in user.told)


@covers("Everywhere", "ctrl+l")
@covers("Jump labels", "escape")
async def test_a_letter_follows_a_link_and_gives_the_keys_to_a_panel() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user, "Look at refunds-00009.")
        await user.until(lambda: "refunds-00009" in links(user))
        user.one("#prompt").focus()
        await user.write("half a thought")
        x, y = place_of_text(user, "refunds-00009")
        await user.press("ctrl+l")
        await user.at("JumpLabels")
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        await user.press("ctrl+l")
        await user.at("JumpLabels")
        labels = user.app.screen
        assert isinstance(labels, JumpLabels)
        name = next(name for name, target in labels.targets.items() if target.at == (x, y))
        await user.write(name)
        await user.at("CasesScreen")
        await user.until(lambda: place(user) == REFUND)
        await user.press("ctrl+l")  # rows of a list
        await user.at("JumpLabels")
        labels, rows = user.app.screen, user.app.screen_stack[-2].query_one("#cases")
        assert isinstance(labels, JumpLabels)
        first = next(
            name
            for name, target in labels.targets.items()
            if target.at == rows.content_region.offset  # type: ignore[attr-defined]
        )
        await user.write(first)
        await user.at("CasesScreen", "cases")
        await user.until(lambda: place(user) == case_place("refunds", 1))
        await user.press("escape")
        await user.at("StudioScreen")
        panel = user.one("#panel-plan").region.offset
        await user.press("ctrl+l")
        await user.at("JumpLabels")
        labels = user.app.screen
        assert isinstance(labels, JumpLabels)
        await user.write(next(name for name, target in labels.targets.items() if target.at == panel))
        await user.at("StudioScreen", "panel-plan")
        assert user.one("#prompt").text == "half a thought"


async def test_hostile_text_makes_no_link_and_a_link_runs_nothing() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as user:
        opened: list[str] = []
        user.app.open_url = lambda url, **_: opened.append(url)  # type: ignore[method-assign]
        forged = "[refunds-00009](screen_5b22717569742c) [F2](javascript:x) <http://evil.example/refunds-00003>"
        for role in (MessageRole.AGENT, MessageRole.PERSON):
            await user.session.chat.add(role, f"{ALL} @click=app.exit {forged} {LETTER}")
            await user.session.chat.add(role, "orders-00001.")
        await shop(user)
        await user.until(lambda: "orders-00001" in links(user))
        found = links(user)
        assert all(
            place in (screen_place("cases"), case_place("orders", 1)) or place.kind is PlaceKind.CATEGORY
            for place in found.values()
        )
        await follow(user, "orders-00001")
        await user.at("CasesScreen")
        assert opened == [] and user.app.is_running


async def test_the_palette_tells_the_keys_and_the_guide_has_links() -> None:
    lines = guide_lines("See [the app](app.md) and [more](http://evil.example).", 80)
    linked = [span for line in lines for span in line if len(span) == 3]
    assert [span[0] for span in linked] == ["the", "app"]
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user)
        entries = {entry.title: entry.help for entry in user.app.get_system_commands(user.app.screen)}
        for name, key in (
            ("cases", "F2"), ("map", "F7"), ("run", "^P"), ("go to", "^G"), ("back", "alt-←"), ("other session", "^T"),
            ("jump labels", "^L"), ("help", "F1"), ("quit", "^Q"),
        ):  # fmt: skip
            assert entries[name].startswith(f"{key} · "), entries[name]
        user.app.navigator.visit(Place(kind=PlaceKind.PAGE, name="start"))
        await user.at("GuideScreen")
        await user.until(lambda: place(user) == Place(kind=PlaceKind.PAGE, name="start"))
        assert not user.app.screen.query(Input)


async def test_toasts_and_answers_lead_where_they_say_and_another_window_is_watched() -> None:
    """A toast's case is followed by a click; “/cases WORDS” opens the list with these words; a session that is open
    elsewhere is watched from the switcher."""
    await built(SHOP)
    await built(SHOP.model_copy(update={"dataset_name": "other"}))
    async with studio(open_first="shop") as user:
        await shop(user, "“/cases angry” shows more.")
        user.app.say("refunds-00003 is kept [b]as[/b] it was, see F5.")
        await user.sees("refunds-00003 is kept [b]as[/b] it was")
        toast = user.one("Toast")
        named = "refunds-00003"
        await user.until(lambda: named in user.text)
        line, row = next((line, y) for y, line in enumerate(user.text.split("\n")) if f"{named} is kept" in line)
        assert toast.region.contains(line.index(named) + 3, row)
        await user.pilot.click(offset=(line.index(named) + 3, row))
        await user.at("CasesScreen")
        await user.until(lambda: place(user) == case_place("refunds", 3))
        await user.press("escape")
        await user.at("StudioScreen")
        await follow(user, "/cases angry")
        await user.at("CasesScreen")
        await user.until(lambda: user.one("#search", Input).value == "angry" and user.one("#search").display)
        angry = [c async for c in user.session.cases.all() if "angry" in str(c.record())]
        await user.until(lambda: user.one("#cases").count == len(angry))
        await user.press("escape", "escape")
        await user.at("StudioScreen")
        async with await Session.open("other", load_config()):
            await user.command("/switch other")
            await user.sees("watching")
            assert user.app.live is None and "error" not in user.told.lower()
