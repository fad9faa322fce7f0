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
from tests.support.studio import NARROW, Answers, Scripted, Stretched, User, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
PANELS = ["panel-plan", "panel-workers", "panel-coverage", "panel-checkpoints", "panel-cases", "panel-rejected"]
TABS = ["panel-plan", "panel-cases", "panel-workers", "panel-checkpoints", "panel-rejected"]


def prompt(user: User) -> Prompt:
    return user.one("#prompt", Prompt)  # type: ignore[no-any-return]


async def to_prompt(user: User) -> Prompt:
    prompt(user).focus()
    await user.at("StudioScreen", "prompt")
    return prompt(user)


@covers("Studio", "f2", "f4", "f5", "f6", "ctrl+k")
async def test_studio_opens_what_its_keys_say(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        for key, place, words in (
            ("f2", "CasesScreen", "4 cases"),
            ("f4", "CheckpointsScreen", "History"),
            ("f5", "RejectedScreen", "Nothing was turned away."),
            ("f6", "WorkersScreen", "0 calls in flight"),
        ):
            await user.press(key)
            await user.at(place)
            await user.sees(words)
            await user.press("escape")
            await user.at("StudioScreen", "prompt")
        await user.press("ctrl+k")
        await user.until(lambda: isinstance(user.app.screen, CommandPalette))
        await user.write("checkpoint")
        await user.sees("write a checkpoint now")
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


async def test_the_palette_does_what_the_slash_command_does(make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.press("ctrl+k")
        await user.until(lambda: isinstance(user.app.screen, CommandPalette))
        await user.write("status")
        await user.sees("where the session stands")
        await user.press("enter")
        await user.at("StudioScreen")
        await user.said("4 of 4 cases (100.0 %), finished")


@covers("Studio", "ctrl+p")
async def test_studio_starts_pauses_and_drops(make_plan: Plans) -> None:
    model = Scripted(hold=1)
    async with studio(model=model, flags={"drain_timeout": 600}) as user:
        await begin(user, make_plan(40))
        await user.sees("^P start")
        await user.press("ctrl+p")
        await user.state("running")
        await user.sees("^P pause", "● running")
        assert user.focus == "prompt"
        await user.until(lambda: user.live.view.accepted > 0)
        await user.press("ctrl+p")
        await user.sees("^P drop in flight", "draining")
        await user.press("ctrl+p")
        await user.state("paused")
        await user.sees("‖ paused", "^P resume")
        assert "cut off" in (await user.said("Paused at")).text
        model.gate.set()
        await user.press("ctrl+p")
        await user.state("finished")
        await user.misses("^P")


@covers("Studio", "escape")
@covers("Studio", "tab", "shift+tab")
async def test_studio_moves_between_its_panels(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await to_prompt(user)
        for panel in PANELS:
            await user.press("tab")
            await user.at("StudioScreen", panel)
        for panel in PANELS[-2::-1]:
            await user.press("shift+tab")
            await user.at("StudioScreen", panel)
        await user.press("shift+tab")
        await user.at("StudioScreen", "prompt")
        await user.press("tab", "tab")
        await user.at("StudioScreen", "panel-workers")
        user.one("#chat").focus()
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


async def test_narrow_studio_moves_between_its_tabs(make_plan: Plans) -> None:
    async with studio(size=NARROW) as user:
        await begin(user, make_plan(4))
        await to_prompt(user)
        for panel in TABS:
            await user.press("tab")
            await user.at("StudioScreen", panel)
            assert user.one(f"#{panel}").size.height > 15
        await user.press("tab")
        await user.at("StudioScreen", "prompt")
        await user.press("shift+tab")
        await user.at("StudioScreen", TABS[-1])
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


@covers("Studio", "ctrl+q")
async def test_studio_leaves_and_says_how_to_come_back(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
        assert user.app.return_value == 0
        assert user.app.farewell == ["support: 0 of 4 cases are saved.", "To go on:  dsbuilder resume support"]


# A replay


@asynccontextmanager
async def replayed(plan: DatasetPlanInput, speed: float) -> AsyncIterator[tuple[User, ReplaySession]]:
    await built(plan, clock=Stretched())
    session = await Session.open(None, load_config())
    player = ReplaySession(session, SystemClock(), speed)
    try:
        async with studio(replay=player) as user:
            await user.at("StudioScreen", "panel-plan")
            yield user, player
    finally:
        await player.close()


@covers("Studio", "space", "plus", "equals_sign", "minus", "end")
async def test_replay_stops_hastens_and_ends(make_plan: Plans) -> None:
    async with replayed(make_plan(40), 0.1) as (user, player):
        await user.press("space")
        await user.sees("replay · stopped")
        assert player.halted
        await user.press("space")
        await user.sees("replay ×0.1")
        for key, speed in (("plus", 0.2), ("equals_sign", 0.4), ("minus", 0.2)):
            await user.press(key)
            await user.sees(f"replay ×{speed:g} ")
            assert player.speed == pytest.approx(speed)
        assert not player.ended
        await user.press("end")
        await user.sees("replay · end", "40/40 · 100 %", "✓ finished")
        assert player.view.state is RunState.FINISHED and not user.app.screen.query("#prompt")


async def test_a_replayed_conversation_is_not_answered_anew(make_plan: Plans) -> None:
    name = await built(make_plan(40), until=10)
    session = await Session.open(name, load_config())
    await session.chat.add(MessageRole.PERSON, "go on")
    await session.run()
    said = [message.seq for message in await session.chat.messages()]
    player = ReplaySession(session, SystemClock())
    try:
        async with studio(replay=player) as user:
            player.skip_to_end()
            await user.sees("replay · end", "✓ finished", "go on")
            await user.pilot.pause()
            assert [message.seq for message in await session.chat.messages()] == said
    finally:
        await player.close()


async def test_replay_shows_all_screens_and_changes_nothing(make_plan: Plans) -> None:
    async with replayed(make_plan(40), 1.0) as (user, player):
        await user.press("end")
        await user.sees("replay · end")
        for key, place in (("f2", "CasesScreen"), ("f4", "CheckpointsScreen"), ("f5", "RejectedScreen")):
            await user.press(key)
            await user.at(place)
            await user.press("d", "e", "p", "k", "escape")
            await user.until(lambda: user.place == "StudioScreen")
        await user.press("ctrl+p")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: user.one("#cases").count == 40)
        assert (await player.session.summary()).instances_created == 40 and not player.session._context.run


# The prompt


@covers("Prompt", "enter", "shift+enter", "alt+enter", "ctrl+j")
async def test_prompt_sends_several_lines(make_plan: Plans) -> None:
    async with studio(responder=Answers("Fine.")) as user:
        await begin(user, make_plan(4))
        box = await to_prompt(user)
        for number, key in enumerate(("shift+enter", "alt+enter", "ctrl+j"), 1):
            await user.write(f"line {number}")
            await user.press(key)
        await user.write("the end")
        assert box.text == "line 1\nline 2\nline 3\nthe end" and box.size.height >= 4
        await user.press("enter")
        message = await user.said("the end")
        assert (message.role, message.text) == ("person", "line 1\nline 2\nline 3\nthe end")
        assert box.text == ""
        await user.sees("line 2", "the end", "Fine.")


@covers("Prompt", "tab", "escape")
async def test_prompt_completes_and_closes_the_list(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        box = await to_prompt(user)
        await user.write("/ex")
        await user.sees("❯ /export", "write the dataset")
        await user.press("tab")
        assert box.text == "/export "
        await user.sees("support.csv")
        await user.press("escape")
        await user.misses("support.csv")
        assert box.text == "/export " and user.focus == "prompt"


@covers("Prompt", "ctrl+z", "ctrl+shift+z", "alt+z")
async def test_prompt_undoes_and_redoes(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        box = await to_prompt(user)
        await user.paste("first ")
        await user.paste("second")
        assert box.text == "first second"
        await user.press("ctrl+z")
        assert box.text == "first "
        await user.press("ctrl+shift+z")
        assert box.text == "first second"
        await user.press("ctrl+z", "alt+z")
        assert box.text == "first second"


# The plan card


@covers("Card", "enter", "left", "right")
@covers("Studio", "ctrl+y", "ctrl+n")
async def test_card_is_asked_about_edited_and_approved(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await user.answer("ctrl+n")
        await user.at("StudioScreen", "prompt")
        assert prompt(user).text == "Change the plan: "
        card = user.one("PlanCard")
        card.focus()
        await user.answer("right", "right", "right", "left", "enter")
        await user.at("PlanEditor", "plan-text")
        await user.sees("dataset_name: support")
        await user.press("escape")
        await user.at("StudioScreen")
        card.focus()
        await user.answer("tab")
        await user.until(lambda: card.chosen == 2 and user.focus == "PlanCard")
        await user.press("shift+tab", "shift+tab")
        await user.until(lambda: card.chosen == 0 and user.focus == "PlanCard")
        prompt(user).text = ""
        await user.press("ctrl+y")
        await user.state("finished")
        await user.sees("✓ approved")
        assert user.focus == "prompt" and not card.can_focus


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
    async with studio(size=(200, 50), open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        for panel in [panel for panel in PANELS if panel != "panel-cases"]:
            widget = user.one(f"#{panel}")
            small = widget.size
            widget.focus()
            await user.press("enter")
            await user.until(lambda widget=widget, small=small: widget.size.width > small.width)
            assert [p.id for p in user.app.screen.query(".panel") if p.display] == [panel]
            assert not user.one("#conversation").display and user.focus == panel
            if panel in opens:
                await user.press("enter")
                await user.at(opens[panel])
                await user.press("escape")
                await user.at("StudioScreen", panel)
            await user.press("escape")
            await user.until(lambda widget=widget, small=small: widget.size == small)
            await user.press("escape")
            await user.at("StudioScreen", "prompt")


async def test_a_double_click_maximises_a_panel(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await user.pilot.click("#panel-coverage", (10, 3), times=2)
        await user.until(lambda: user.one("#panel-coverage").maximised)
        await user.sees("enter open")
