"""The main agent in the studio: a conversation from the first word to the dataset, with cards, tool lines and notes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.testing import ScriptedModel, assistant_message, function_call

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.tui.studio.cards import PlanCard, QuestionCard
from dsbuilder_tui.tui.studio.chat import ToolLine
from tests.support.studio import NARROW, User, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
REQUEST = "12 cases for a customer service bot: half order status, the rest refunds"


def scripted(*steps: Any) -> Any:
    """The main agent's dialogue with a model that does this."""
    return functools.partial(Conversation, model=ScriptedModel(list(steps)))


def cards(user: User) -> list[str]:
    return [card.state for card in user.app.screen.query(PlanCard)]


async def quiet(user: User) -> None:
    """Until the agent has nothing more to say."""
    await user.until(lambda: not user.one("#conversation").answering)


async def begun(user: User, text: str = REQUEST) -> None:
    """A new conversation, up to the proposed plan."""
    await user.press("n")
    await user.at("StudioScreen", "prompt")
    await user.sees("What should the dataset test?", "built-in planner", "no plan yet")
    await user.write(text + "\n")
    await user.until(lambda: cards(user) == ["open"], timeout=60)
    await quiet(user)


@covers("Home", "n")
async def test_a_person_says_what_they_need_and_watches_it_take_shape() -> None:
    async with studio() as user:
        await begun(user)
        await user.sees("+ order_status", "+ refunds", "^Y approve", "plan · rev 1 · 12 cases · customer_serv")
        await user.at("StudioScreen", "PlanCard")
        await user.answer("ctrl+y")
        await user.state("finished")
        await quiet(user)
        assert cards(user) == ["approved"] and user.session.id == "customer_service_bot"
        await user.sees("✓ approved", "✓ finished")
        lines = [line.content.tool for line in user.app.screen.query(ToolLine)]
        assert lines == ["propose_plan", "start_generation"]
        said = (await user.said("Finished: 12 of 12 cases")).text
        assert "order_status 6, refunds 6" in said and str(user.session.folder) in said
        assert "customer_service_bot" in user.text.splitlines()[0], "the header follows the session's new name"


async def test_the_card_is_there_again_after_leaving(tmp_path: Path) -> None:
    async with studio() as user:
        await begun(user)
        await user.app.close_session()
    async with studio(open_first="untitled") as user:
        await user.at("StudioScreen", "PlanCard")
        assert cards(user) == ["open"]
        await user.answer("ctrl+y")
        await user.state("finished")
        assert user.session.plan.total_instances == 12
    async with studio(open_first="customer_service_bot") as user:
        await user.at("StudioScreen", "prompt")
        assert cards(user) == ["approved"]
        await user.sees("✓ approved")


async def test_what_is_typed_while_a_card_is_open_is_what_the_person_wants_instead() -> None:
    async with studio() as user:
        await begun(user)
        await user.answer("ctrl+n")
        await user.at("StudioScreen", "prompt")
        await user.write("make refunds 9 and add 3 complaints\n")
        await user.until(lambda: cards(user) == ["older", "open"])
        await user.sees("replaced by a later revision", "18 cases", "+ complaints")
        await quiet(user)
        await user.write("yes\n") if user.focus == "prompt" else await user.answer("ctrl+y")
        await user.state("finished")
        assert await user.session.cases.counts() == {"order_status": 6, "refunds": 9, "complaints": 3}


QUESTIONS = (
    "What does 294 combinations mean?",
    "why three axes?",
    "how much will it cost?",
    "is that in English",
    "what are the expectations for",
    "hm",
)


async def test_a_question_leaves_the_plan_that_waits_and_a_yes_still_counts() -> None:
    async with studio() as user:
        await begun(user)
        for question in QUESTIONS:
            said = len(await user.session.chat.messages())
            await user.write(f"{question}\n")

            async def answered(said: int = said) -> bool:
                return any(m.role == "agent" for m in (await user.session.chat.messages())[said:])

            await user.until_async(answered)
            await quiet(user)
            assert cards(user) == ["open"], question
        assert await user.session.approvals.open() is not None and not user.session.planned
        await user.press("ctrl+y")  # by now it is out of view, and is shown first
        await user.at("StudioScreen", "PlanCard")
        assert cards(user) == ["open"]
        await user.answer("ctrl+y")
        await user.state("finished")
        assert cards(user) == ["approved"]
        assert await user.session.cases.counts() == {"order_status": 6, "refunds": 6}


AGAIN = (
    "show me the plan again",
    "Go back to that plan.",
    "can you show me that plan again?",
    "no, give me the old plan back",
)


async def test_a_plan_that_was_sent_back_can_be_had_again() -> None:
    async with studio() as user:
        await begun(user)
        for number, words in enumerate(AGAIN):
            await user.write("no\n")
            await user.until(lambda number=number: cards(user) == ["declined"] * (number + 1))
            await quiet(user)
            assert await user.session.approvals.open() is None
            await user.write(f"{words}\n")
            await user.until(lambda number=number: cards(user) == [*["declined"] * (number + 1), "open"])
            await quiet(user)
        await user.answer("ctrl+y")
        await user.state("finished")
        assert await user.session.cases.counts() == {"order_status": 6, "refunds": 6}


async def test_a_proposal_is_edited_in_place_and_approved_by_that() -> None:
    async with studio() as user:
        await begun(user)
        await user.answer("right", "enter")
        await user.at("PlanEditor", "plan-text")
        box = user.one("#plan-text")
        box.text = box.text.replace("count: 6", "count: 4", 1)
        await user.press("ctrl+s")
        await user.at("StudioScreen")
        await user.state("finished")
        assert await user.session.cases.counts() == {"order_status": 4, "refunds": 6}
        assert cards(user) == ["approved"]


async def test_a_change_in_the_middle_of_a_run_goes_on_by_itself() -> None:
    async with studio(flags={"offline_pace": 8, "drain_timeout": 0}) as user:
        await begun(user, REQUEST.replace("12", "60"))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 2)
        await quiet(user)
        await user.write("add 4 complaints\n")
        await user.until(lambda: cards(user) == ["approved", "open"])
        assert user.live.running, "the run goes on while the person thinks"
        await quiet(user)
        await user.write("yes\n") if user.focus == "prompt" else await user.answer("ctrl+y")
        await user.until(lambda: user.session.plans.revision == 2 and user.live.running)
        user.live.set_pace(0)
        await user.state("finished")
        assert (await user.session.cases.counts())["complaints"] == 4
        assert (await user.session.summary()).instances_created == 64


async def test_a_question_is_answered_with_yes_or_no(make_plan: Plans) -> None:
    start = function_call("start_generation", {}, call_id="s1")
    again = function_call("start_generation", {}, call_id="s2")
    talk = scripted([start], [assistant_message("Then not.")], [again], [assistant_message("It runs.")])
    async with studio(responder=talk, flags={"confirm_cases": 3}) as user:
        await user.app.create_session(make_plan(4))
        await user.at("StudioScreen")
        for key, state, words in (("ctrl+n", "declined", "Then not."), ("ctrl+y", "approved", "It runs.")):
            await user.command("go on")
            await user.until(lambda: bool([q for q in user.app.screen.query(QuestionCard) if q.state == "open"]), 60)
            await user.sees("the agent asks", "Write 4 cases with the built-in writer?")
            await quiet(user)
            user.app.screen.query(QuestionCard).last().focus()
            await user.answer(key)
            await user.said(words)
            await quiet(user)
            assert user.app.screen.query(QuestionCard).last().state == state
        await user.state("finished")


@covers("Studio", "ctrl+o")
async def test_tool_lines_open_and_close(make_plan: Plans) -> None:
    show = function_call("show_cases", {"count": 2, "category": "category_1"}, call_id="c1")
    await built(make_plan(4))
    talk = scripted([show, function_call("no_such_tool", {"x": 1}, call_id="c2")], [assistant_message("Two cases.")])
    async with studio(open_first="support", responder=talk) as user:
        await user.at("StudioScreen", "prompt")
        await user.write("show me two\n")
        await user.said("Two cases.")
        await quiet(user)
        await user.sees("2 cases, the newest first.", "not found")
        first, second = user.app.screen.query(ToolLine)
        await user.press("ctrl+o")
        await user.until(lambda: first.opened and second.opened and first.size.height > 4)
        behind = "".join(text for line in first.paint(50, 24) for text, *_ in line)
        assert '"count": 2' in behind and "answered" in behind and "category_1-00004" in behind
        await user.press("ctrl+o")
        await user.until(lambda: first.size.height == second.size.height == 1)
        second.scroll_visible(animate=False)
        await user.pilot.pause()
        await user.pilot.click(second, offset=(4, 0))
        await user.until(lambda: second.opened and not first.opened)


async def test_an_agent_that_was_never_spoken_to_says_nothing(make_plan: Plans) -> None:
    async with studio() as user:
        await user.app.create_session(make_plan(4))
        await user.at("StudioScreen", "PlanCard")
        await user.answer("ctrl+y")
        await user.state("finished")
        await quiet(user)
        assert [m.role for m in await user.session.chat.messages() if m.role == "agent"] == []


async def test_what_needs_a_person_is_said_while_it_runs(make_plan: Plans) -> None:
    from tests.support.studio import Scripted

    talk = scripted([assistant_message("Good.")], *[[assistant_message(f"Note {n}.")] for n in range(1, 9)])
    model = Scripted(echo="always the same")
    async with studio(responder=talk, model=model, flags={"max_attempts": 2}) as user:
        await user.app.create_session(make_plan(6))
        await user.at("StudioScreen")
        await user.command("hello")
        await user.said("Good.")
        await quiet(user)
        await user.command("/run")
        await user.state("finished")

        async def told_of_the_end() -> bool:
            return any(
                '"note": "finished"' in str(item.get("content")) for _, item in await user.session.agent_memory.items()
            )

        await user.until_async(told_of_the_end)  # how many notes come before it hangs on when the slots are exhausted
        await quiet(user)
        notes = [
            item["content"]
            for _, item in await user.session.agent_memory.items()
            if str(item.get("content")).startswith("[d")
        ]
        kinds = [note.split('"note": "')[1].split('"')[0] for note in notes]
        # Each time twice as many slots are exhausted, and not for each of them.
        assert kinds[-1] == "finished" and 1 <= kinds.count("exhausted") <= 3 and len(kinds) <= 4


async def test_another_session_is_opened_when_the_person_says_so(make_plan: Plans) -> None:
    await built(make_plan(4, name="other"))
    await built(make_plan(3))
    load = function_call("load_from_checkpoint", {"path": "other"}, call_id="l1")
    talk = scripted([load], [assistant_message("Here it comes.")])
    async with studio(open_first="support", responder=talk) as user:
        await user.at("StudioScreen", "prompt")
        await user.write("load other\n")
        await user.until(lambda: user.app.live is not None and user.session.id == "other", 60)
        await user.at("StudioScreen", "prompt")
        await user.sees("4/4")


async def test_a_narrow_terminal_has_the_talk_too() -> None:
    async with studio(size=NARROW) as user:
        await begun(user)
        await user.answer("ctrl+y")
        await user.state("finished")
        await quiet(user)
        assert cards(user) == ["approved"]
