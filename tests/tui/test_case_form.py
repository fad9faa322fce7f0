"""A case is edited by field: each kind of value, what is wrong said beside it, nothing lost, JSON within reach."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.cases.case_form import FieldEditor
from dsbuilder_tui.tui.widgets.choice_line import ChoiceLine
from tests.support.studio import NARROW, WIDE, Desk, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
C = "category_1"
CALLS = [{"name": "lookup_order", "arguments": {"order_id": "71918"}}]


def typed_plan() -> DatasetPlanInput:
    """Expectations of every type."""
    return DatasetPlanInput(
        dataset_name="support",
        target={"tools": {"lookup_order": ["order_id: str", "limit: int?"]}},
        write=[
            "expected_facts",
            "expected_tool_calls",
            {"priority": {"values": ["low", "high"], "meaning": "how urgent it is", "optional": True}},
            {"amount": {"type": "number", "meaning": "dollars", "optional": True}},
            {"detail": {"type": "object", "meaning": "whatever else", "optional": True}},
        ],
        categories=[
            {
                "name": C, "count": 2, "description": "Customers ask about an order", "expectations": {"polite": True},
                "example_inputs": ["Where is my order?"],
            }
        ],
    )  # fmt: skip


async def opened(desk: Desk) -> None:
    await desk.to_work()
    await desk.press("f2")
    await desk.at("CasesScreen", "cases")
    await desk.until(lambda: desk.one("#cases").chosen is not None)


def editor(desk: Desk, key: str) -> Any:
    """What a field of the form is typed into."""
    return next(one.editor for one in desk.app.screen.query(FieldEditor) if one.field.key == key)


def problem(desk: Desk, key: str) -> str:
    """What is said beside a field."""
    own = next(one for one in desk.app.screen.query(FieldEditor) if one.field.key == key)
    said = own.query_one("Static.problem")
    return str(said.visual) if said.display else ""


async def begun(desk: Desk, expectations: dict[str, Any]) -> None:
    """The form of the first case, which says this."""
    case = await desk.session.cases.get(C, 1)
    assert case is not None
    await desk.session.cases.edit(C, 1, {"query": "Where is order 71918?"}, expectations)
    await opened(desk)
    await desk.sees("Where is order 71918?")
    await desk.press("e")
    await desk.until(lambda: len(desk.app.screen.query(FieldEditor)) > 1 and desk.app.focused is editor(desk, "query"))


async def saved(desk: Desk) -> dict[str, Any]:
    await desk.press("ctrl+s")
    await desk.at("CasesScreen", "cases")
    case = await desk.session.cases.get(C, 1)
    assert case is not None
    return case.expectations


WHOLE: dict[str, Any] = {
    "expected_facts": ["It is on its way"], "expected_tool_calls": CALLS, "priority": "low", "amount": 3,
    "detail": {"a": [1]}, "polite": True,
}  # fmt: skip


@covers("Cases", "e", "ctrl+s")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_every_field_is_edited_in_its_kind_and_saved(size: tuple[int, int]) -> None:
    await built(typed_plan())
    async with studio(open_first="support", size=size) as desk:
        await begun(desk, WHOLE)
        assert editor(desk, "expected_tool_calls").text == "lookup_order\n  order_id: 71918"
        editor(desk, "query").text = "Where is order 71918 now?"
        editor(desk, "expected_facts").text = "It is on its way\n\n It comes on Monday \n"
        editor(desk, "expected_tool_calls").text = "lookup_order\n  order_id: 71918\n  limit: 2"
        editor(desk, "amount").value = "12.5"
        editor(desk, "detail").text = '{"b": null}'
        for key, steps in (("priority", 1), ("polite", 1)):
            editor(desk, key).focus()
            await desk.press(*["space"] * steps)
        assert await saved(desk) == {
            "expected_facts": ["It is on its way", "It comes on Monday"],
            "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "71918", "limit": 2}}],
            "priority": "high", "amount": 12.5, "detail": {"b": None}, "polite": False,
        }  # fmt: skip
        case = await desk.session.cases.get(C, 1)
        assert case is not None and case.inputs == {"query": "Where is order 71918 now?"} and case.tags["edited"]
        await desk.sees("✎")


async def test_fields_are_left_out_when_they_are_emptied() -> None:
    await built(typed_plan())
    async with studio(open_first="support") as desk:
        await begun(desk, WHOLE)
        for key in ("expected_facts", "expected_tool_calls", "detail"):
            editor(desk, key).text = ""
        editor(desk, "amount").value = " "
        editor(desk, "polite").focus()
        await desk.press("left")  # round to the last: left out
        assert await saved(desk) == {"priority": "low"}
        await desk.sees("left out here: expected_facts", "polite")


@pytest.mark.parametrize(
    ("key", "words", "said"),
    [
        ("query", " ", "must not be empty"),
        ("amount", "many", "is a number, not 'many'"),
        ("detail", "{", "not JSON"),
        ("detail", "[1, 2]", "is a list, not an object"),
        ("expected_tool_calls", "  order_id: 3", "write the name of the tool"),
        ("expected_tool_calls", "lookup_order\norder_id: 3", "stands indented"),
    ],
)
async def test_what_does_not_fit_is_said_beside_its_field_and_nothing_is_lost(key: str, words: str, said: str) -> None:
    await built(typed_plan())
    async with studio(open_first="support") as desk:
        await begun(desk, WHOLE)
        editor(desk, "expected_facts").text = "Kept while it is mended"
        box = editor(desk, key)
        if isinstance(box, TextArea):
            box.text = words
        else:
            box.value = words
        await desk.until(lambda: said in problem(desk, key))
        editor(desk, "expected_facts").focus()
        await desk.press("ctrl+s")
        await desk.until(lambda: desk.app.focused is editor(desk, key))  # where it is to be mended
        case = await desk.session.cases.get(C, 1)
        assert case is not None and case.expectations == WHOLE
        assert editor(desk, "expected_facts").text == "Kept while it is mended"


async def test_the_rules_tell_what_no_longer_fits_and_a_person_may_save_it() -> None:
    await built(typed_plan())
    async with studio(open_first="support") as desk:
        await begun(desk, WHOLE)
        editor(desk, "query").text = "Where is order 55555?"
        await desk.sees("⚠ ids:", "71918")
        await desk.press("ctrl+s")
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: "is saved as you wrote it. Its rules find: ids:" in desk.told)
        case = await desk.session.cases.get(C, 1)
        assert case is not None and case.inputs == {"query": "Where is order 55555?"}


@covers("Cases", "shift+tab")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_tab_goes_from_field_to_field_and_never_out_of_the_form(size: tuple[int, int]) -> None:
    await built(typed_plan())
    async with studio(open_first="support", size=size) as desk:
        await begun(desk, WHOLE)
        keys = ["query", *WHOLE]
        for key in (*keys[1:], keys[0], keys[1]):  # once around
            await desk.press("tab")
            assert desk.app.focused is editor(desk, key)
        await desk.press("shift+tab", "shift+tab")
        assert desk.app.focused is editor(desk, keys[-1])
        await desk.press("shift+tab")
        assert desk.app.focused is editor(desk, keys[-2])
        await desk.press("ctrl+r")
        await desk.at("CasesScreen", "editor")
        await desk.press("tab")
        assert desk.focus == "editor"
        await desk.press("escape")
        await desk.at("CasesScreen", "cases")
        await desk.press("shift+tab")
        await desk.at("CasesScreen", "detail")


@covers("Cases", "ctrl+r")
async def test_the_form_is_turned_to_json_and_back_with_what_is_typed(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await opened(desk)
        await desk.press("e")
        await desk.until(lambda: isinstance(desk.app.focused, TextArea))
        editor(desk, "query").text = "Typed in the form"
        await desk.press("ctrl+r")
        await desk.at("CasesScreen", "editor")
        box = desk.one("#editor", TextArea)
        assert '"query": "Typed in the form"' in box.text
        whole = box.text
        box.text = whole[:-3]
        await desk.sees("not JSON")
        await desk.press("ctrl+r")
        await desk.press("ctrl+s")
        assert desk.focus == "editor" and box.text == whole[:-3]
        box.text = '{"inputs": {"query": "Typed as JSON"}, "expectations": {"polite": false, "more": ["a"]}}'
        await desk.press("ctrl+r")
        await desk.until(lambda: desk.app.focused is editor(desk, "query"))
        assert editor(desk, "query").text == "Typed as JSON" and editor(desk, "more").text == "a"
        await desk.press("ctrl+s")
        await desk.at("CasesScreen", "cases")
        await desk.sees("Typed as JSON", "edited by you", "✎")
        case = await desk.session.cases.get(C, 1)
        assert case is not None and case.expectations == {"polite": False, "more": ["a"]}


async def test_changes_are_not_thrown_away_without_a_question(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await opened(desk)

        async def change(words: str) -> None:
            await desk.press("e")
            await desk.until(lambda: isinstance(desk.app.focused, TextArea))
            if words:
                editor(desk, "query").text = words
            await desk.press("escape")

        await change("")
        await desk.at("CasesScreen", "cases")
        assert desk.one("#detail").display
        await change("Not to be kept")
        await desk.at("QuestionDialog", "answers")
        await desk.press("escape")  # on with it
        await desk.at("CasesScreen")
        assert editor(desk, "query").text == "Not to be kept"
        await desk.press("escape")
        await desk.at("QuestionDialog", "answers")
        await desk.press("down", "enter")
        await desk.at("CasesScreen", "cases")
        await change("To be kept")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.at("CasesScreen", "cases")
        await desk.sees("To be kept")
        assert len(await desk.session.cases.history(C, 1)) == 1


async def test_what_an_editor_leaves_that_does_not_fit_is_mended_in_the_form(
    make_plan: Plans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as desk:
        await opened(desk)
        monkeypatch.setattr(desk.app, "suspend", contextlib.nullcontext)
        script = tmp_path / "editor.py"
        script.write_text("import sys; open(sys.argv[1], 'a').write('and more')")
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
        await desk.press("o")
        await desk.at("CasesScreen", "editor")
        await desk.sees("not JSON")
        assert desk.one("#editor", TextArea).text.endswith("and more")


async def test_values_are_chosen_with_the_mouse() -> None:
    await built(typed_plan())
    async with studio(open_first="support", size=(160, 50)) as desk:
        await begun(desk, WHOLE)
        line = editor(desk, "priority")
        assert isinstance(line, ChoiceLine) and line.chosen == 0
        await desk.pilot.click(line, offset=(10, 0))  # behind "● low   ○ "
        await desk.until(lambda: line.chosen == 1)
        await desk.pilot.click(line, offset=(1, 0))
        await desk.until(lambda: line.chosen == 0)
