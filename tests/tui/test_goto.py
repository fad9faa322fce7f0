"""Go to: `:` and a few letters lead anywhere, another session included; Esc leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place, screen_place
from tests.support.hostile import ALL
from tests.support.studio import NARROW, Answers, Desk, Scripted, begin, built, covers, studio
from tests.tui.test_links import SHOP, place, shop

Plans = Callable[..., DatasetPlanInput]


def titles(desk: Desk) -> list[str]:
    return [found.title for found in desk.app.screen._found]  # type: ignore[attr-defined]


@covers("Everywhere", "ctrl+g", "colon")
@covers("Go to", "enter", "escape")
async def test_a_few_letters_lead_to_every_kind_of_place() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as desk:
        await shop(desk)
        lunch = await desk.session.checkpoints.save("before lunch")
        desk.one("#prompt").focus()
        for typed, screen, where in (
            (":orders-2\n", "CasesScreen", case_place("orders", 2)),
            (":refunds 11\n", "CasesScreen", case_place("refunds", 11)),
            (":orders\n", "CasesScreen", None),
            (":max_worker\n", "SettingsScreen", Place(kind=PlaceKind.SETTING, name="max_workers")),
            (":b1\n", "WorkersScreen", Place(kind=PlaceKind.BATCH, name="1")),
            (":before lunch\n", "CheckpointsScreen", Place(kind=PlaceKind.CHECKPOINT, name=str(lunch.id))),
            (":angry refunds\n", "CoverageScreen", Place(kind=PlaceKind.CELL, name="refunds", axis="tone", value="angry")),
            (":guide history\n", "GuideScreen", Place(kind=PlaceKind.PAGE, name="history")),
            (":rejected\n", "RejectedScreen", screen_place("rejected")),
            (":map\n", "MapScreen", screen_place("map")),
        ):  # fmt: skip
            await desk.at("StudioScreen", "prompt")
            await desk.write(typed)  # as fast as can be: nothing of it may get lost, or into the prompt
            await desk.at(screen)
            await desk.until(lambda where=where: where is None or place(desk) == where)
            await desk.press("escape")
            await desk.at("StudioScreen")
            desk.one("#prompt").focus()
            assert desk.one("#prompt").text == ""
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.press("colon")
        await desk.at("GotoScreen", "goto-line")
        text = (await desk.session.cases.get("orders", 5)).inputs["query"]  # type: ignore[union-attr]
        await desk.write(text)
        await desk.sees("orders-00005")
        await desk.press("enter")
        await desk.until(lambda: desk.place == "CasesScreen" and place(desk) == case_place("orders", 5))
        await desk.press("ctrl+g")
        await desk.at("GotoScreen", "goto-line")
        await desk.sees("visited")
        await desk.press("escape")
        await desk.at("CasesScreen", "cases")


@covers("Go to", "up", "down", "tab", "pageup", "pagedown")
async def test_it_is_looked_at_before_it_is_gone_to_and_left_without_a_trace() -> None:
    await built(SHOP)
    async with studio(size=NARROW, open_first="shop") as desk:
        await shop(desk)
        desk.one("#prompt").focus()
        await desk.write(":")
        await desk.at("GotoScreen", "goto-line")
        await desk.write("#2")
        await desk.until(lambda: titles(desk) == ["refunds-00002", "orders-00002"])
        rows = desk.one("#found")
        for key, row in (("down", 1), ("up", 0), ("tab", 1), ("pageup", 0), ("pagedown", 1)):
            await desk.press(key)
            assert rows.cursor == row, key
        case = await desk.session.cases.get("orders", 2)
        assert case is not None
        await desk.sees(case.inputs["query"][:20])
        assert rows.region.height >= 4 and desk.one("#preview").region.height >= 3
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
        assert desk.one("#prompt").text == ""
        await desk.write("a: b")  # no place in the midst of a text
        await desk.until(lambda: desk.one("#prompt").text == "a: b")
        desk.one("#prompt").fill("")
        await desk.pilot.pause()
        await desk.write(":) zzqqxx")  # no place at all: a text, that is not lost
        await desk.at("GotoScreen")
        await desk.sees("Nothing here is called that.")
        await desk.press("enter", "escape")
        await desk.at("StudioScreen", "prompt")
        await desk.until(lambda: desk.one("#prompt").text == ":) zzqqxx")
        desk.one("#prompt").fill("")
        await desk.press("ctrl+g")
        await desk.at("GotoScreen", "goto-line")
        await desk.paste(ALL)
        await desk.until(lambda: desk.app.screen._settled.is_set())  # type: ignore[attr-defined]
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")


@covers("Everywhere", "ctrl+t")
async def test_another_session_is_opened_without_going_home_and_asks_where_something_runs(make_plan: Plans) -> None:
    for name in ("first", "second"):
        await built(make_plan(4, name=name))
    async with studio(responder=Answers("One", " two"), flags={"drain_timeout": 0}) as desk:
        await desk.press("ctrl+t")
        await desk.at("GotoScreen", "goto-line")
        await desk.until(lambda: set(titles(desk)) == {"first", "second"})
        await desk.write("first\n")
        await desk.until(lambda: desk.app.live is not None and desk.session.id == "first")
        await desk.at("StudioScreen")
        await desk.until(lambda: desk.app.screen.opened.is_set())  # type: ignore[attr-defined]
        await desk.press("ctrl+t")
        await desk.at("GotoScreen", "goto-line")
        await desk.until(lambda: titles(desk) == ["second"])
        await desk.press("enter")
        await desk.until(lambda: desk.app.live is not None and desk.session.id == "second")
        await desk.until(lambda: desk.place == "StudioScreen" and desk.app.screen.opened.is_set())  # type: ignore[attr-defined]
        await desk.press("alt+left")
        await desk.until(lambda: desk.app.live is not None and desk.session.id == "first")
        await desk.until(lambda: desk.place == "StudioScreen" and desk.app.screen.opened.is_set())  # type: ignore[attr-defined]
        desk.one("#prompt").focus()
        await desk.write("Hello\n")  # an answer is under way
        await desk.until(lambda: desk.one("#conversation").answering)
        await desk.command("/switch second")
        await desk.at("QuestionDialog", "answers")
        await desk.sees("Stop and open second?")
        await desk.press("escape")
        await desk.at("StudioScreen")
        assert desk.one("#conversation").answering and desk.session.id == "first"
        desk.app.screen.conversation.stop_answer()  # type: ignore[attr-defined]
        await desk.until(lambda: not desk.one("#conversation").answering)
    async with studio(model=Scripted(hold=1), flags={"drain_timeout": 0}) as desk:
        await begin(desk, make_plan(20, name="third"))
        await desk.command("/run")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.command("/switch second")
        await desk.at("QuestionDialog", "answers")
        await desk.sees("Pause and open second?")
        await desk.press("escape")
        await desk.at("StudioScreen")
        assert desk.live.running
        await desk.command("/switch second")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.until(lambda: desk.app.live is not None and desk.session.id == "second")
        await desk.until(lambda: desk.place == "StudioScreen" and desk.app.screen.opened.is_set())  # type: ignore[attr-defined]


@covers("Everywhere", "f1", "ctrl+q")
async def test_help_and_the_way_out_are_everywhere() -> None:
    async with studio() as desk:
        await desk.press("f1")
        await desk.at("HelpScreen")
        await desk.sees("Everywhere", "go to", "jump labels")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
