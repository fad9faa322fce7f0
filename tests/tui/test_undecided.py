"""The studio over a session that has no plan yet."""

from __future__ import annotations

import pytest
from textual.widgets import TextArea

from dsbuilder_tui import Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.store.catalog import list_sessions
from dsbuilder_tui.tui.layout import TABS
from dsbuilder_tui.tui.replay_session import ReplaySession
from tests.support.studio import NARROW, WIDE, Desk, studio, wait_for


async def begun(name: str = "new", *, said: str = "For a parcel service") -> str:
    """A session on disk in which somebody has said something, or nobody."""
    async with await Session.begin(name, load_config()) as session:
        if said:
            await session.chat.add(MessageRole.PERSON, said)
        return session.id


async def folders() -> list[str]:
    return sorted(listing.id for listing in await list_sessions(load_config().checkpoint_root, SystemClock()))


async def panel(desk: Desk, name: str, *words: str) -> None:
    """What a panel says on a narrow terminal, where each has a tab of its own."""
    await desk.app.run_action(f"screen.tab({1 + TABS.index(name)})")
    await desk.sees(*words)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_every_screen_copes(size: tuple[int, int]) -> None:
    await begun()
    async with studio(size=size) as desk:
        await desk.sees("no plan yet")
        await desk.press("x")
        await desk.at("Ask", "line")
        await desk.press("enter")
        await desk.until(lambda: "There is no plan yet." in desk.told)
        await desk.at("HomeScreen")
        await desk.press("enter")
        await desk.at("StudioScreen", "prompt")
        await desk.sees("no plan yet")
        assert "not started" not in desk.text
        desk.app.clear_notifications()  # at the top, over the plan
        if size == NARROW:
            await panel(desk, "plan", "No plan yet. Say what the dataset is for")
            await panel(desk, "cases", "They come here when there is a plan")
            await panel(desk, "workers", "They begin when there is a plan")
            await panel(desk, "checkpoints", "The first one comes after")
            await panel(desk, "rejected", "Nothing was turned away yet.")
        else:  # what comes has the room of what is not there yet
            await desk.sees("No plan yet. Say what the dataset is for", "Nothing is written before your yes.")
            assert [shown.id for shown in desk.app.screen.query(".panel") if shown.display] == ["panel-plan"]
        for key, place in (
            ("f2", "CasesScreen"), ("f4", "CheckpointsScreen"), ("f5", "RejectedScreen"), ("f6", "WorkersScreen"),
        ):  # fmt: skip
            await desk.press(key)
            await desk.at(place)
            await desk.pilot.pause()
            await desk.press("escape")
            await desk.at("StudioScreen")


async def test_commands_say_that_there_is_none_yet() -> None:
    await begun()
    async with studio() as desk:
        await desk.app.open_session("new")
        await desk.at("StudioScreen", "prompt")
        for text in ("/plan", "/run", "/export"):
            before = len(await desk.session.chat.messages())
            await desk.command(text)

            async def answered(before: int = before) -> bool:
                messages = (await desk.session.chat.messages())[before:]
                return any("✗ There is no plan yet. Say what the dataset is for" in m.text for m in messages)

            await desk.until_async(answered)
        await desk.press("ctrl+p")
        assert not desk.live.running and desk.live.view.state is RunState.IDLE
        await desk.command("/status")
        await desk.said("has no plan yet")
        await desk.command("/retry")
        await desk.said("No slot is exhausted")
        await desk.command("/checkpoint")
        await desk.said("at 0 cases")
        await desk.press("f4")
        await desk.at("CheckpointsScreen")
        await desk.sees("0 of 0 cases")


async def test_the_editor_offers_an_example_that_can_be_saved() -> None:
    await begun("parcels")
    async with studio() as desk:
        await desk.app.open_session("parcels")
        await desk.at("StudioScreen", "prompt")
        await desk.command("/plan edit")
        await desk.at("PlanEditor", "plan-text")
        text = desk.one("#plan-text", TextArea).text
        assert text.startswith("dataset_name: parcels\ncategories:\n- name: ")
        await desk.sees("40 cases, 2 categories")
        desk.one("#plan-text", TextArea).text = text.replace("count: 20", "count: 3")
        await desk.sees("6 cases, 2 categories")
        await desk.press("ctrl+s")
        await desk.at("StudioScreen", "PlanCard")
        await desk.sees("plan · rev 1 · 6 cases", "approve", "Plan · rev 1", "not started")
        assert desk.session.plans.revision == 1
        await desk.answer("ctrl+y")
        await desk.state("finished")
        assert (await desk.session.summary()).instances_created == 6
    assert "6 of 6 cases are saved" in desk.app.farewell[0]


async def test_leaving_keeps_what_was_said_and_nothing_else() -> None:
    await begun(said="")
    async with studio() as desk:
        await desk.app.open_session("new")
        await desk.at("StudioScreen", "prompt")
        await desk.app.close_session()
        assert desk.app.farewell == [] and await folders() == []
        await begun(said="")
        await desk.app.open_session("new")
        await desk.at("StudioScreen", "prompt")
        await desk.write("for a par")
    assert desk.app.farewell == ["new: the conversation is saved; there is no plan yet."]
    assert await folders() == ["new"]
    async with studio(open_first="new") as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.sees("for a par")


async def test_a_replay_of_a_conversation() -> None:
    await begun()
    session = await Session.open("new", load_config())
    player = ReplaySession(session, SystemClock())
    try:
        async with studio(replay=player) as desk:
            await wait_for(desk.pilot, lambda: player.ended)
            await desk.sees("For a parcel service", "No plan yet.")
    finally:
        await player.close()
    assert await folders() == ["new"]
