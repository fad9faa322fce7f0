"""The manual in the app: behind the keys, page by page."""

from __future__ import annotations

import re

import pytest

from dsbuilder_tui.manual import page, topics
from dsbuilder_tui.tui.help.guide_lines import guide_lines
from dsbuilder_tui.tui.help.screen import help_keys
from dsbuilder_tui.tui.paint.line import length
from dsbuilder_tui.tui.places.links import visit_action
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from tests.support.studio import studio


@pytest.mark.parametrize("width", [40, 60, 200])
@pytest.mark.parametrize("name", [topic.name for topic in topics()])
def test_a_page_fits_and_loses_no_word(name: str, width: int) -> None:
    lines = guide_lines(page(name), width)
    assert max(length(line) for line in lines) <= width
    shown = "".join(part[0] for line in lines for part in line)
    written = re.sub(r"\]\([^)]*\)", "", re.sub(r"^(```.*|#+|- )", "", page(name), flags=re.MULTILINE))
    for lost in (r"[\s·`*\[\]#]", "-"):
        shown, written = re.sub(lost, "", shown), re.sub(lost, "", written)
    assert shown == written


def test_headings_lists_and_code_are_told_apart() -> None:
    text = (
        "# Title\n\nSome `code` and **bold**, a [link](x.md).\n\n- one\n  goes on\n- two\n\n```console\n$ ls  -l\n```\n"
    )
    assert guide_lines(text, 20) == [
        (("Title", "strong"),),
        (),
        (("Some", "text"), (" ", "text"), ("code", "accent"), (" ", "text"), ("and", "text"), (" ", "text"), ("bold", "strong"),
         (",", "text")),
        (("", "text"), ("a", "text"), (" ", "text"), ("link", "info+link", visit_action(Place(kind=PlaceKind.PAGE, name="x"))), (".", "text")),
        (),
        (("· ", "muted"), ("one", "text"), (" ", "text"), ("goes", "text"), (" ", "text"), ("on", "text")),
        (("· ", "muted"), ("two", "text")),
        (),
        (("  ", "text"), ("$ ls  -l", "muted")),
    ]  # fmt: skip


async def test_from_the_keys_to_a_page_and_back() -> None:
    async with studio(size=(120, 36)) as user:
        await user.press("f1")
        await user.at("HelpScreen")
        await user.press("g")
        await user.at("GuideScreen", "topics")
        await user.sees("From nothing to a dataset in five minutes", "limits")
        for _ in topics():
            await user.press("down")
        await user.sees("The built-in writer", "It reads your examples into templates")
        await user.press("home", "down", "down", "down", "enter")
        assert user.focus == "page"
        await user.sees("It proposes, you decide.")
        await user.press("end")
        await user.sees("does not raise max_dataset_size by itself")
        await user.press("tab")
        assert user.focus == "topics"
        await user.press("escape")
        await user.at("HelpScreen")


@pytest.mark.parametrize("width", [40, 60, 78, 118, 198])
async def test_help_cuts_nothing(width: int) -> None:
    async with studio(size=(width + 2, 40)) as user:
        await user.press("f1")
        await user.at("HelpScreen", "help")
        lines = user.app.screen._lines(width)  # type: ignore[attr-defined]
        words = {word for line in lines for span in line for word in span[0].split()}
        for _, rows in help_keys():
            for _, _, told in rows:
                assert set(told.split()) <= words, told
