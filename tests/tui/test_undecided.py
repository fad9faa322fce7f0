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
from tests.support.studio import NARROW, WIDE, User, studio, wait_for


async def begun(name: str = "new", *, said: str = "For a parcel service") -> str:
    """A session on disk in which somebody has said something, or nobody."""
    async with await Session.begin(name, load_config()) as session:
        if said:
            await session.chat.add(MessageRole.PERSON, said)
        return session.id


async def folders() -> list[str]:
    return sorted(listing.id for listing in await list_sessions(load_config().checkpoint_root, SystemClock()))


async def panel(user: User, name: str, *words: str) -> None:
    """What a panel says on a narrow terminal, where each has a tab of its own."""
    await user.app.run_action(f"screen.tab({1 + TABS.index(name)})")
    await user.sees(*words)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_every_screen_copes(size: tuple[int, int]) -> None:
    await begun()
    async with studio(size=size) as user:
        await user.sees("no plan yet")
        await user.press("x")
        await user.at("Ask", "line")
        await user.press("enter")
        await user.until(lambda: "There is no plan yet." in user.told)
        await user.at("HomeScreen")
        await user.press("enter")
        await user.at("StudioScreen", "prompt")
        await user.sees("no plan yet")
        assert "not started" not in user.text
        user.app.clear_notifications()  # at the top, over the plan
        if size == NARROW:
            await panel(user, "plan", "No plan yet. Say what the dataset is for")
            await panel(user, "cases", "They come here when there is a plan")
            await panel(user, "workers", "They begin when there is a plan")
            await panel(user, "checkpoints", "The first one comes after")
            await panel(user, "rejected", "Nothing was turned away yet.")
        else:  # what comes has the room of what is not there yet
            await user.sees("No plan yet. Say what the dataset is for", "Nothing is written before your yes.")
            assert [shown.id for shown in user.app.screen.query(".panel") if shown.display] == ["panel-plan"]
        for key, place in (
            ("f2", "CasesScreen"), ("f4", "CheckpointsScreen"), ("f5", "RejectedScreen"), ("f6", "WorkersScreen"),
        ):  # fmt: skip
            await user.press(key)
            await user.at(place)
            await user.pilot.pause()
            await user.press("escape")
            await user.at("StudioScreen")


async def test_commands_say_that_there_is_none_yet() -> None:
    await begun()
    async with studio() as user:
        await user.app.open_session("new")
        await user.at("StudioScreen", "prompt")
        for text in ("/plan", "/run", "/export"):
            before = len(await user.session.chat.messages())
            await user.command(text)

            async def answered(before: int = before) -> bool:
                messages = (await user.session.chat.messages())[before:]
                return any("✗ There is no plan yet. Say what the dataset is for" in m.text for m in messages)

            await user.until_async(answered)
        await user.press("ctrl+p")
        assert not user.live.running and user.live.view.state is RunState.IDLE
        await user.command("/status")
        await user.said("has no plan yet")
        await user.command("/retry")
        await user.said("No slot is exhausted")
        await user.command("/checkpoint")
        await user.said("at 0 cases")
        await user.press("f4")
        await user.at("CheckpointsScreen")
        await user.sees("0 of 0 cases")


async def test_the_editor_offers_an_example_that_can_be_saved() -> None:
    await begun("parcels")
    async with studio() as user:
        await user.app.open_session("parcels")
        await user.at("StudioScreen", "prompt")
        await user.command("/plan edit")
        await user.at("PlanEditor", "plan-text")
        text = user.one("#plan-text", TextArea).text
        assert text.startswith("dataset_name: parcels\ncategories:\n- name: ")
        await user.sees("40 cases, 2 categories")
        user.one("#plan-text", TextArea).text = text.replace("count: 20", "count: 3")
        await user.sees("6 cases, 2 categories")
        await user.press("ctrl+s")
        await user.at("StudioScreen", "PlanCard")
        await user.sees("plan · rev 1 · 6 cases", "approve", "Plan · rev 1", "not started")
        assert user.session.plans.revision == 1
        await user.answer("ctrl+y")
        await user.state("finished")
        assert (await user.session.summary()).instances_created == 6
    assert "6 of 6 cases are saved" in user.app.farewell[0]


async def test_leaving_keeps_what_was_said_and_nothing_else() -> None:
    await begun(said="")
    async with studio() as user:
        await user.app.open_session("new")
        await user.at("StudioScreen", "prompt")
        await user.app.close_session()
        assert user.app.farewell == [] and await folders() == []
        await begun(said="")
        await user.app.open_session("new")
        await user.at("StudioScreen", "prompt")
        await user.write("for a par")
    assert user.app.farewell == ["new: the conversation is saved; there is no plan yet."]
    assert await folders() == ["new"]
    async with studio(open_first="new") as user:
        await user.at("StudioScreen", "prompt")
        await user.sees("for a par")


async def test_a_replay_of_a_conversation() -> None:
    await begun()
    session = await Session.open("new", load_config())
    player = ReplaySession(session, SystemClock())
    try:
        async with studio(replay=player) as user:
            await wait_for(user.pilot, lambda: player.ended)
            await user.sees("For a parcel service", "No plan yet.")
    finally:
        await player.close()
    assert await folders() == ["new"]
