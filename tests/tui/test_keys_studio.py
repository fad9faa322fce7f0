"""The keys of the studio, its prompt, its plan card, its panels, and of a replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.command import CommandPalette

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.replay_session import ReplaySession
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.studio import NARROW, Answers, Desk, Scripted, Stretched, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
PANELS = ["panel-plan", "panel-workers", "panel-coverage", "panel-checkpoints", "panel-cases", "panel-rejected"]
TABS = ["panel-plan", "panel-cases", "panel-workers", "panel-checkpoints", "panel-rejected"]


def prompt(desk: Desk) -> Prompt:
    return desk.one("#prompt", Prompt)  # type: ignore[no-any-return]


async def to_prompt(desk: Desk) -> Prompt:
    prompt(desk).focus()
    await desk.at("StudioScreen", "prompt")
    return prompt(desk)


@covers("Studio", "f2", "f4", "f5", "f6", "ctrl+k")
async def test_studio_opens_what_its_keys_say(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        for key, place, words in (
            ("f2", "CasesScreen", "4 cases"),
            ("f4", "CheckpointsScreen", "History"),
            ("f5", "RejectedScreen", "Nothing was turned away."),
            ("f6", "WorkersScreen", "0 calls in flight"),
        ):
            await desk.press(key)
            await desk.at(place)
            await desk.sees(words)
            await desk.press("escape")
            await desk.at("StudioScreen", "prompt")
        await desk.press("ctrl+k")
        await desk.until(lambda: isinstance(desk.app.screen, CommandPalette))
        await desk.write("checkpoint")
        await desk.sees("write a checkpoint now")
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")


async def test_the_palette_does_what_the_slash_command_does(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.press("ctrl+k")
        await desk.until(lambda: isinstance(desk.app.screen, CommandPalette))
        await desk.write("status")
        await desk.sees("where the session stands")
        await desk.press("enter")
        await desk.at("StudioScreen")
        await desk.said("4 of 4 cases (100.0 %), finished")


@covers("Studio", "ctrl+p")
async def test_studio_starts_pauses_and_drops(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 600}) as desk:
        await begin(desk, make_plan(40))
        await desk.sees("^P start")
        await desk.press("ctrl+p")
        await desk.state("running")
        await desk.sees("^P pause", "● running")
        assert desk.focus == "prompt"
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.press("ctrl+p")
        await desk.sees("^P drop in flight", "draining")
        await desk.press("ctrl+p")
        await desk.state("paused")
        await desk.sees("‖ paused", "^P resume")
        assert "cut off" in (await desk.said("Paused at")).text
        model.gate.set()
        await desk.press("ctrl+p")
        await desk.state("finished")
        await desk.misses("^P")


@covers("Studio", "escape")
@covers("Studio", "tab", "shift+tab")
async def test_studio_moves_between_its_panels(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await to_prompt(desk)
        for panel in PANELS:
            await desk.press("tab")
            await desk.at("StudioScreen", panel)
        for panel in PANELS[-2::-1]:
            await desk.press("shift+tab")
            await desk.at("StudioScreen", panel)
        await desk.press("shift+tab")
        await desk.at("StudioScreen", "prompt")
        await desk.press("tab", "tab")
        await desk.at("StudioScreen", "panel-workers")
        desk.one("#chat").focus()
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")


async def test_narrow_studio_moves_between_its_tabs(make_plan: Plans) -> None:
    async with studio(size=NARROW) as desk:
        await begin(desk, make_plan(4))
        await to_prompt(desk)
        for panel in TABS:
            await desk.press("tab")
            await desk.at("StudioScreen", panel)
            assert desk.one(f"#{panel}").size.height > 15
        await desk.press("tab")
        await desk.at("StudioScreen", "prompt")
        await desk.press("shift+tab")
        await desk.at("StudioScreen", TABS[-1])
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")


@covers("Studio", "ctrl+q")
async def test_studio_leaves_and_says_how_to_come_back(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
        assert desk.app.return_value == 0
        assert desk.app.farewell == ["support: 0 of 4 cases are saved.", "To go on:  dsbuilder resume support"]


# A replay


@asynccontextmanager
async def replayed(plan: DatasetPlanInput, speed: float) -> AsyncIterator[tuple[Desk, ReplaySession]]:
    await built(plan, clock=Stretched())
    session = await Session.open(None, load_config())
    player = ReplaySession(session, SystemClock(), speed)
    try:
        async with studio(replay=player) as desk:
            await desk.at("StudioScreen", "panel-plan")
            yield desk, player
    finally:
        await player.close()


@covers("Studio", "space", "plus", "equals_sign", "minus", "end")
async def test_replay_stops_hastens_and_ends(make_plan: Plans) -> None:
    async with replayed(make_plan(40), 0.1) as (desk, player):
        await desk.press("space")
        await desk.sees("replay · stopped")
        assert player.halted
        await desk.press("space")
        await desk.sees("replay ×0.1")
        for key, speed in (("plus", 0.2), ("equals_sign", 0.4), ("minus", 0.2)):
            await desk.press(key)
            await desk.sees(f"replay ×{speed:g} ")
            assert player.speed == pytest.approx(speed)
        assert not player.ended
        await desk.press("end")
        await desk.sees("replay · end", "40/40 · 100 %", "✓ finished")
        assert player.view.state is RunState.FINISHED and not desk.app.screen.query("#prompt")


async def test_a_replayed_conversation_is_not_answered_anew(make_plan: Plans) -> None:
    name = await built(make_plan(40), until=10)
    session = await Session.open(name, load_config())
    await session.chat.add(MessageRole.PERSON, "go on")
    await session.run()
    said = [message.seq for message in await session.chat.messages()]
    player = ReplaySession(session, SystemClock())
    try:
        async with studio(replay=player) as desk:
            player.skip_to_end()
            await desk.sees("replay · end", "✓ finished", "go on")
            await desk.pilot.pause()
            assert [message.seq for message in await session.chat.messages()] == said
    finally:
        await player.close()


async def test_replay_shows_all_screens_and_changes_nothing(make_plan: Plans) -> None:
    async with replayed(make_plan(40), 1.0) as (desk, player):
        await desk.press("end")
        await desk.sees("replay · end")
        for key, place in (("f2", "CasesScreen"), ("f4", "CheckpointsScreen"), ("f5", "RejectedScreen")):
            await desk.press(key)
            await desk.at(place)
            await desk.press("d", "e", "p", "k", "escape")
            await desk.until(lambda: desk.place == "StudioScreen")
        await desk.press("ctrl+p")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: desk.one("#cases").count == 40)
        assert (await player.session.summary()).instances_created == 40 and not player.session._context.run


# The prompt


@covers("Prompt", "enter", "shift+enter", "alt+enter", "ctrl+j")
async def test_prompt_sends_several_lines(make_plan: Plans) -> None:
    async with studio(responder=Answers("Fine.")) as desk:
        await begin(desk, make_plan(4))
        box = await to_prompt(desk)
        for number, key in enumerate(("shift+enter", "alt+enter", "ctrl+j"), 1):
            await desk.write(f"line {number}")
            await desk.press(key)
        await desk.write("the end")
        assert box.text == "line 1\nline 2\nline 3\nthe end" and box.size.height >= 4
        await desk.press("enter")
        message = await desk.said("the end")
        assert (message.role, message.text) == ("person", "line 1\nline 2\nline 3\nthe end")
        assert box.text == ""
        await desk.sees("line 2", "the end", "Fine.")


@covers("Prompt", "tab", "escape")
async def test_prompt_completes_and_closes_the_list(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        box = await to_prompt(desk)
        await desk.write("/ex")
        await desk.sees("❯ /export", "write the dataset")
        await desk.press("tab")
        assert box.text == "/export "
        await desk.sees("support.csv")
        await desk.press("escape")
        await desk.misses("support.csv")
        assert box.text == "/export " and desk.focus == "prompt"


@covers("Prompt", "ctrl+z", "ctrl+shift+z", "alt+z")
async def test_prompt_undoes_and_redoes(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        box = await to_prompt(desk)
        await desk.paste("first ")
        await desk.paste("second")
        assert box.text == "first second"
        await desk.press("ctrl+z")
        assert box.text == "first "
        await desk.press("ctrl+shift+z")
        assert box.text == "first second"
        await desk.press("ctrl+z", "alt+z")
        assert box.text == "first second"


# The plan card


@covers("Card", "enter", "left", "right")
@covers("Studio", "ctrl+y", "ctrl+n")
async def test_card_is_asked_about_edited_and_approved(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await desk.answer("ctrl+n")
        await desk.at("StudioScreen", "prompt")
        assert prompt(desk).text == "Change the plan: "
        card = desk.one("PlanCard")
        card.focus()
        await desk.answer("right", "right", "right", "left", "enter")
        await desk.at("PlanEditor", "plan-text")
        await desk.sees("dataset_name: support")
        await desk.press("escape")
        await desk.at("StudioScreen")
        card.focus()
        await desk.answer("tab")
        await desk.until(lambda: card.chosen == 2 and desk.focus == "PlanCard")
        await desk.press("shift+tab", "shift+tab")
        await desk.until(lambda: card.chosen == 0 and desk.focus == "PlanCard")
        prompt(desk).text = ""
        await desk.press("ctrl+y")
        await desk.state("finished")
        await desk.sees("✓ approved")
        assert desk.focus == "prompt" and not card.can_focus


# The panels


@covers("Panels", "enter", "escape")
async def test_panels_grow_open_and_shrink(make_plan: Plans) -> None:
    await built(make_plan(4))
    opens = {
        "panel-workers": "WorkersScreen",
        "panel-coverage": "CoverageScreen",
        "panel-checkpoints": "CheckpointsScreen",
        "panel-rejected": "RejectedScreen",
    }
    async with studio(size=(200, 50), open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        for panel in [panel for panel in PANELS if panel != "panel-cases"]:
            widget = desk.one(f"#{panel}")
            small = widget.size
            widget.focus()
            await desk.press("enter")
            await desk.until(lambda widget=widget, small=small: widget.size.width > small.width)
            assert [p.id for p in desk.app.screen.query(".panel") if p.display] == [panel]
            assert not desk.one("#conversation").display and desk.focus == panel
            if panel in opens:
                await desk.press("enter")
                await desk.at(opens[panel])
                await desk.press("escape")
                await desk.at("StudioScreen", panel)
            await desk.press("escape")
            await desk.until(lambda widget=widget, small=small: widget.size == small)
            await desk.press("escape")
            await desk.at("StudioScreen", "prompt")


async def test_a_double_click_maximises_a_panel(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await desk.pilot.click("#panel-coverage", (10, 3), times=2)
        await desk.until(lambda: desk.one("#panel-coverage").maximised)
        await desk.sees("enter open")
