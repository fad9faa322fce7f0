"""Go to: `:` and a few letters lead anywhere, another session included; Esc leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place, screen_place
from tests.support.hostile import ALL
from tests.support.studio import NARROW, Answers, Scripted, User, begin, built, covers, studio
from tests.tui.test_links import SHOP, place, shop

Plans = Callable[..., DatasetPlanInput]


def titles(user: User) -> list[str]:
    return [found.title for found in user.app.screen._found]  # type: ignore[attr-defined]


@covers("Everywhere", "ctrl+g", "colon")
@covers("Go to", "enter", "escape")
async def test_a_few_letters_lead_to_every_kind_of_place() -> None:
    await built(SHOP)
    async with studio(open_first="shop") as user:
        await shop(user)
        lunch = await user.session.checkpoints.save("before lunch")
        user.one("#prompt").focus()
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
            await user.at("StudioScreen", "prompt")
            await user.write(typed)  # as fast as can be: nothing of it may get lost, or into the prompt
            await user.at(screen)
            await user.until(lambda where=where: where is None or place(user) == where)
            await user.press("escape")
            await user.at("StudioScreen")
            user.one("#prompt").focus()
            assert user.one("#prompt").text == ""
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.press("colon")
        await user.at("GotoScreen", "goto-line")
        text = (await user.session.cases.get("orders", 5)).inputs["query"]  # type: ignore[union-attr]
        await user.write(text)
        await user.sees("orders-00005")
        await user.press("enter")
        await user.until(lambda: user.place == "CasesScreen" and place(user) == case_place("orders", 5))
        await user.press("ctrl+g")
        await user.at("GotoScreen", "goto-line")
        await user.sees("visited")
        await user.press("escape")
        await user.at("CasesScreen", "cases")


@covers("Go to", "up", "down", "tab", "pageup", "pagedown")
async def test_it_is_looked_at_before_it_is_gone_to_and_left_without_a_trace() -> None:
    await built(SHOP)
    async with studio(size=NARROW, open_first="shop") as user:
        await shop(user)
        user.one("#prompt").focus()
        await user.write(":")
        await user.at("GotoScreen", "goto-line")
        await user.write("#2")
        await user.until(lambda: titles(user) == ["refunds-00002", "orders-00002"])
        rows = user.one("#found")
        for key, row in (("down", 1), ("up", 0), ("tab", 1), ("pageup", 0), ("pagedown", 1)):
            await user.press(key)
            assert rows.cursor == row, key
        case = await user.session.cases.get("orders", 2)
        assert case is not None
        await user.sees(case.inputs["query"][:20])
        assert rows.region.height >= 4 and user.one("#preview").region.height >= 3
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == ""
        await user.write("a: b")  # no place in the midst of a text
        await user.until(lambda: user.one("#prompt").text == "a: b")
        user.one("#prompt").fill("")
        await user.pilot.pause()
        await user.write(":) zzqqxx")  # no place at all: a text, that is not lost
        await user.at("GotoScreen")
        await user.sees("Nothing here is called that.")
        await user.press("enter", "escape")
        await user.at("StudioScreen", "prompt")
        await user.until(lambda: user.one("#prompt").text == ":) zzqqxx")
        user.one("#prompt").fill("")
        await user.press("ctrl+g")
        await user.at("GotoScreen", "goto-line")
        await user.paste(ALL)
        await user.until(lambda: user.app.screen._settled.is_set())  # type: ignore[attr-defined]
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


@covers("Everywhere", "ctrl+t")
async def test_another_session_is_opened_without_going_home_and_asks_where_something_runs(make_plan: Plans) -> None:
    for name in ("first", "second"):
        await built(make_plan(4, name=name))
    async with studio(responder=Answers("One", " two"), flags={"drain_timeout": 0}) as user:
        await user.press("ctrl+t")
        await user.at("GotoScreen", "goto-line")
        await user.until(lambda: set(titles(user)) == {"first", "second"})
        await user.write("first\n")
        await user.until(lambda: user.app.live is not None and user.session.id == "first")
        await user.at("StudioScreen")
        await user.until(lambda: user.app.screen.opened.is_set())  # type: ignore[attr-defined]
        await user.press("ctrl+t")
        await user.at("GotoScreen", "goto-line")
        await user.until(lambda: titles(user) == ["second"])
        await user.press("enter")
        await user.until(lambda: user.app.live is not None and user.session.id == "second")
        await user.until(lambda: user.place == "StudioScreen" and user.app.screen.opened.is_set())  # type: ignore[attr-defined]
        await user.press("alt+left")
        await user.until(lambda: user.app.live is not None and user.session.id == "first")
        await user.until(lambda: user.place == "StudioScreen" and user.app.screen.opened.is_set())  # type: ignore[attr-defined]
        user.one("#prompt").focus()
        await user.write("Hello\n")  # an answer is under way
        await user.until(lambda: user.one("#conversation").answering)
        await user.command("/switch second")
        await user.at("QuestionDialog", "answers")
        await user.sees("Stop and open second?")
        await user.press("escape")
        await user.at("StudioScreen")
        assert user.one("#conversation").answering and user.session.id == "first"
        user.app.screen.conversation.stop_answer()  # type: ignore[attr-defined]
        await user.until(lambda: not user.one("#conversation").answering)
    async with studio(model=Scripted(hold=1), flags={"drain_timeout": 0}) as user:
        await begin(user, make_plan(20, name="third"))
        await user.command("/run")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.command("/switch second")
        await user.at("QuestionDialog", "answers")
        await user.sees("Pause and open second?")
        await user.press("escape")
        await user.at("StudioScreen")
        assert user.live.running
        await user.command("/switch second")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.until(lambda: user.app.live is not None and user.session.id == "second")
        await user.until(lambda: user.place == "StudioScreen" and user.app.screen.opened.is_set())  # type: ignore[attr-defined]


@covers("Everywhere", "f1", "ctrl+q")
async def test_help_and_the_way_out_are_everywhere() -> None:
    async with studio() as user:
        await user.press("f1")
        await user.at("HelpScreen")
        await user.sees("Everywhere", "go to", "jump labels")
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
