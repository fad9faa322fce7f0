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
from tests.support.studio import NARROW, WIDE, User, built, covers, studio

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


async def opened(user: User) -> None:
    await user.to_work()
    await user.press("f2")
    await user.at("CasesScreen", "cases")
    await user.until(lambda: user.one("#cases").chosen is not None)


def editor(user: User, key: str) -> Any:
    """What a field of the form is typed into."""
    return next(one.editor for one in user.app.screen.query(FieldEditor) if one.field.key == key)


def problem(user: User, key: str) -> str:
    """What is said beside a field."""
    own = next(one for one in user.app.screen.query(FieldEditor) if one.field.key == key)
    said = own.query_one("Static.problem")
    return str(said.visual) if said.display else ""


async def begun(user: User, expectations: dict[str, Any]) -> None:
    """The form of the first case, which says this."""
    case = await user.session.cases.get(C, 1)
    assert case is not None
    await user.session.cases.edit(C, 1, {"query": "Where is order 71918?"}, expectations)
    await opened(user)
    await user.sees("Where is order 71918?")
    await user.press("e")
    await user.until(lambda: len(user.app.screen.query(FieldEditor)) > 1 and user.app.focused is editor(user, "query"))


async def saved(user: User) -> dict[str, Any]:
    await user.press("ctrl+s")
    await user.at("CasesScreen", "cases")
    case = await user.session.cases.get(C, 1)
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
    async with studio(open_first="support", size=size) as user:
        await begun(user, WHOLE)
        assert editor(user, "expected_tool_calls").text == "lookup_order\n  order_id: 71918"
        editor(user, "query").text = "Where is order 71918 now?"
        editor(user, "expected_facts").text = "It is on its way\n\n It comes on Monday \n"
        editor(user, "expected_tool_calls").text = "lookup_order\n  order_id: 71918\n  limit: 2"
        editor(user, "amount").value = "12.5"
        editor(user, "detail").text = '{"b": null}'
        for key, steps in (("priority", 1), ("polite", 1)):
            editor(user, key).focus()
            await user.press(*["space"] * steps)
        assert await saved(user) == {
            "expected_facts": ["It is on its way", "It comes on Monday"],
            "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "71918", "limit": 2}}],
            "priority": "high", "amount": 12.5, "detail": {"b": None}, "polite": False,
        }  # fmt: skip
        case = await user.session.cases.get(C, 1)
        assert case is not None and case.inputs == {"query": "Where is order 71918 now?"} and case.tags["edited"]
        await user.sees("✎")


async def test_fields_are_left_out_when_they_are_emptied() -> None:
    await built(typed_plan())
    async with studio(open_first="support") as user:
        await begun(user, WHOLE)
        for key in ("expected_facts", "expected_tool_calls", "detail"):
            editor(user, key).text = ""
        editor(user, "amount").value = " "
        editor(user, "polite").focus()
        await user.press("left")  # round to the last: left out
        assert await saved(user) == {"priority": "low"}
        await user.sees("left out here: expected_facts", "polite")


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
    async with studio(open_first="support") as user:
        await begun(user, WHOLE)
        editor(user, "expected_facts").text = "Kept while it is mended"
        box = editor(user, key)
        if isinstance(box, TextArea):
            box.text = words
        else:
            box.value = words
        await user.until(lambda: said in problem(user, key))
        editor(user, "expected_facts").focus()
        await user.press("ctrl+s")
        await user.until(lambda: user.app.focused is editor(user, key))  # where it is to be mended
        case = await user.session.cases.get(C, 1)
        assert case is not None and case.expectations == WHOLE
        assert editor(user, "expected_facts").text == "Kept while it is mended"


async def test_the_rules_tell_what_no_longer_fits_and_a_person_may_save_it() -> None:
    await built(typed_plan())
    async with studio(open_first="support") as user:
        await begun(user, WHOLE)
        editor(user, "query").text = "Where is order 55555?"
        await user.sees("⚠ ids:", "71918")
        await user.press("ctrl+s")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: "is saved as you wrote it. Its rules find: ids:" in user.told)
        case = await user.session.cases.get(C, 1)
        assert case is not None and case.inputs == {"query": "Where is order 55555?"}


@covers("Cases", "shift+tab")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_tab_goes_from_field_to_field_and_never_out_of_the_form(size: tuple[int, int]) -> None:
    await built(typed_plan())
    async with studio(open_first="support", size=size) as user:
        await begun(user, WHOLE)
        keys = ["query", *WHOLE]
        for key in (*keys[1:], keys[0], keys[1]):  # once around
            await user.press("tab")
            assert user.app.focused is editor(user, key)
        await user.press("shift+tab", "shift+tab")
        assert user.app.focused is editor(user, keys[-1])
        await user.press("shift+tab")
        assert user.app.focused is editor(user, keys[-2])
        await user.press("ctrl+r")
        await user.at("CasesScreen", "editor")
        await user.press("tab")
        assert user.focus == "editor"
        await user.press("escape")
        await user.at("CasesScreen", "cases")
        await user.press("shift+tab")
        await user.at("CasesScreen", "detail")


@covers("Cases", "ctrl+r")
async def test_the_form_is_turned_to_json_and_back_with_what_is_typed(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await opened(user)
        await user.press("e")
        await user.until(lambda: isinstance(user.app.focused, TextArea))
        editor(user, "query").text = "Typed in the form"
        await user.press("ctrl+r")
        await user.at("CasesScreen", "editor")
        box = user.one("#editor", TextArea)
        assert '"query": "Typed in the form"' in box.text
        whole = box.text
        box.text = whole[:-3]
        await user.sees("not JSON")
        await user.press("ctrl+r")
        await user.press("ctrl+s")
        assert user.focus == "editor" and box.text == whole[:-3]
        box.text = '{"inputs": {"query": "Typed as JSON"}, "expectations": {"polite": false, "more": ["a"]}}'
        await user.press("ctrl+r")
        await user.until(lambda: user.app.focused is editor(user, "query"))
        assert editor(user, "query").text == "Typed as JSON" and editor(user, "more").text == "a"
        await user.press("ctrl+s")
        await user.at("CasesScreen", "cases")
        await user.sees("Typed as JSON", "edited by you", "✎")
        case = await user.session.cases.get(C, 1)
        assert case is not None and case.expectations == {"polite": False, "more": ["a"]}


async def test_changes_are_not_thrown_away_without_a_question(make_plan: Plans) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await opened(user)

        async def change(words: str) -> None:
            await user.press("e")
            await user.until(lambda: isinstance(user.app.focused, TextArea))
            if words:
                editor(user, "query").text = words
            await user.press("escape")

        await change("")
        await user.at("CasesScreen", "cases")
        assert user.one("#detail").display
        await change("Not to be kept")
        await user.at("QuestionDialog", "answers")
        await user.press("escape")  # on with it
        await user.at("CasesScreen")
        assert editor(user, "query").text == "Not to be kept"
        await user.press("escape")
        await user.at("QuestionDialog", "answers")
        await user.press("down", "enter")
        await user.at("CasesScreen", "cases")
        await change("To be kept")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.at("CasesScreen", "cases")
        await user.sees("To be kept")
        assert len(await user.session.cases.history(C, 1)) == 1


async def test_what_an_editor_leaves_that_does_not_fit_is_mended_in_the_form(
    make_plan: Plans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await built(make_plan(3))
    async with studio(open_first="support") as user:
        await opened(user)
        monkeypatch.setattr(user.app, "suspend", contextlib.nullcontext)
        script = tmp_path / "editor.py"
        script.write_text("import sys; open(sys.argv[1], 'a').write('and more')")
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
        await user.press("o")
        await user.at("CasesScreen", "editor")
        await user.sees("not JSON")
        assert user.one("#editor", TextArea).text.endswith("and more")


async def test_values_are_chosen_with_the_mouse() -> None:
    await built(typed_plan())
    async with studio(open_first="support", size=(160, 50)) as user:
        await begun(user, WHOLE)
        line = editor(user, "priority")
        assert isinstance(line, ChoiceLine) and line.chosen == 0
        await user.pilot.click(line, offset=(10, 0))  # behind "● low   ○ "
        await user.until(lambda: line.chosen == 1)
        await user.pilot.click(line, offset=(1, 0))
        await user.until(lambda: line.chosen == 0)
