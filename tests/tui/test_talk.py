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
from tests.support.studio import NARROW, Desk, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
REQUEST = "12 cases for a customer service bot: half order status, the rest refunds"


def scripted(*steps: Any) -> Any:
    """The main agent's dialogue with a model that does this."""
    return functools.partial(Conversation, model=ScriptedModel(list(steps)))


def cards(desk: Desk) -> list[str]:
    return [card.state for card in desk.app.screen.query(PlanCard)]


async def quiet(desk: Desk) -> None:
    """Until the agent has nothing more to say."""
    await desk.until(lambda: not desk.one("#conversation").answering)


async def begun(desk: Desk, text: str = REQUEST) -> None:
    """A new conversation, up to the proposed plan."""
    await desk.press("n")
    await desk.at("StudioScreen", "prompt")
    await desk.sees("What should the dataset test?", "built-in planner", "no plan yet")
    await desk.write(text + "\n")
    await desk.until(lambda: cards(desk) == ["open"], timeout=60)
    await quiet(desk)


@covers("Home", "n")
async def test_a_person_says_what_they_need_and_watches_it_take_shape() -> None:
    async with studio() as desk:
        await begun(desk)
        await desk.sees("+ order_status", "+ refunds", "^Y approve", "plan · rev 1 · 12 cases · customer_serv")
        await desk.at("StudioScreen", "PlanCard")
        await desk.answer("ctrl+y")
        await desk.state("finished")
        await quiet(desk)
        assert cards(desk) == ["approved"] and desk.session.id == "customer_service_bot"
        await desk.sees("✓ approved", "✓ finished")
        lines = [line.content.tool for line in desk.app.screen.query(ToolLine)]
        assert lines == ["propose_plan", "start_generation"]
        said = (await desk.said("Finished: 12 of 12 cases")).text
        assert "order_status 6, refunds 6" in said and str(desk.session.folder) in said
        assert "customer_service_bot" in desk.text.splitlines()[0], "the header follows the session's new name"


async def test_the_card_is_there_again_after_leaving(tmp_path: Path) -> None:
    async with studio() as desk:
        await begun(desk)
        await desk.app.close_session()
    async with studio(open_first="untitled") as desk:
        await desk.at("StudioScreen", "PlanCard")
        assert cards(desk) == ["open"]
        await desk.answer("ctrl+y")
        await desk.state("finished")
        assert desk.session.plan.total_instances == 12
    async with studio(open_first="customer_service_bot") as desk:
        await desk.at("StudioScreen", "prompt")
        assert cards(desk) == ["approved"]
        await desk.sees("✓ approved")


async def test_what_is_typed_while_a_card_is_open_is_what_the_person_wants_instead() -> None:
    async with studio() as desk:
        await begun(desk)
        await desk.answer("ctrl+n")
        await desk.at("StudioScreen", "prompt")
        await desk.write("make refunds 9 and add 3 complaints\n")
        await desk.until(lambda: cards(desk) == ["older", "open"])
        await desk.sees("replaced by a later revision", "18 cases", "+ complaints")
        await quiet(desk)
        await desk.write("yes\n") if desk.focus == "prompt" else await desk.answer("ctrl+y")
        await desk.state("finished")
        assert await desk.session.cases.counts() == {"order_status": 6, "refunds": 9, "complaints": 3}


QUESTIONS = (
    "What does 294 combinations mean?",
    "why three axes?",
    "how much will it cost?",
    "is that in English",
    "what are the expectations for",
    "hm",
)


async def test_a_question_leaves_the_plan_that_waits_and_a_yes_still_counts() -> None:
    async with studio() as desk:
        await begun(desk)
        for question in QUESTIONS:
            said = len(await desk.session.chat.messages())
            await desk.write(f"{question}\n")

            async def answered(said: int = said) -> bool:
                return any(m.role == "agent" for m in (await desk.session.chat.messages())[said:])

            await desk.until_async(answered)
            await quiet(desk)
            assert cards(desk) == ["open"], question
        assert await desk.session.approvals.open() is not None and not desk.session.planned
        await desk.press("ctrl+y")  # by now it is out of view, and is shown first
        await desk.at("StudioScreen", "PlanCard")
        assert cards(desk) == ["open"]
        await desk.answer("ctrl+y")
        await desk.state("finished")
        assert cards(desk) == ["approved"]
        assert await desk.session.cases.counts() == {"order_status": 6, "refunds": 6}


AGAIN = (
    "show me the plan again",
    "Go back to that plan.",
    "can you show me that plan again?",
    "no, give me the old plan back",
)


async def test_a_plan_that_was_sent_back_can_be_had_again() -> None:
    async with studio() as desk:
        await begun(desk)
        for number, words in enumerate(AGAIN):
            await desk.write("no\n")
            await desk.until(lambda number=number: cards(desk) == ["declined"] * (number + 1))
            await quiet(desk)
            assert await desk.session.approvals.open() is None
            await desk.write(f"{words}\n")
            await desk.until(lambda number=number: cards(desk) == [*["declined"] * (number + 1), "open"])
            await quiet(desk)
        await desk.answer("ctrl+y")
        await desk.state("finished")
        assert await desk.session.cases.counts() == {"order_status": 6, "refunds": 6}


async def test_a_proposal_is_edited_in_place_and_approved_by_that() -> None:
    async with studio() as desk:
        await begun(desk)
        await desk.answer("right", "enter")
        await desk.at("PlanEditor", "plan-text")
        box = desk.one("#plan-text")
        box.text = box.text.replace("count: 6", "count: 4", 1)
        await desk.press("ctrl+s")
        await desk.at("StudioScreen")
        await desk.state("finished")
        assert await desk.session.cases.counts() == {"order_status": 4, "refunds": 6}
        assert cards(desk) == ["approved"]


async def test_a_change_in_the_middle_of_a_run_goes_on_by_itself() -> None:
    async with studio(flags={"offline_pace": 8, "drain_timeout": 0}) as desk:
        await begun(desk, REQUEST.replace("12", "60"))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 2)
        await quiet(desk)
        await desk.write("add 4 complaints\n")
        await desk.until(lambda: cards(desk) == ["approved", "open"])
        assert desk.live.running, "the run goes on while the person thinks"
        await quiet(desk)
        await desk.write("yes\n") if desk.focus == "prompt" else await desk.answer("ctrl+y")
        await desk.until(lambda: desk.session.plans.revision == 2 and desk.live.running)
        desk.live.set_pace(0)
        await desk.state("finished")
        assert (await desk.session.cases.counts())["complaints"] == 4
        assert (await desk.session.summary()).instances_created == 64


async def test_a_question_is_answered_with_yes_or_no(make_plan: Plans) -> None:
    start = function_call("start_generation", {}, call_id="s1")
    again = function_call("start_generation", {}, call_id="s2")
    talk = scripted([start], [assistant_message("Then not.")], [again], [assistant_message("It runs.")])
    async with studio(responder=talk, flags={"confirm_cases": 3}) as desk:
        await desk.app.create_session(make_plan(4))
        await desk.at("StudioScreen")
        for key, state, words in (("ctrl+n", "declined", "Then not."), ("ctrl+y", "approved", "It runs.")):
            await desk.command("go on")
            await desk.until(lambda: bool([q for q in desk.app.screen.query(QuestionCard) if q.state == "open"]), 60)
            await desk.sees("the agent asks", "Write 4 cases with the built-in writer?")
            await quiet(desk)
            desk.app.screen.query(QuestionCard).last().focus()
            await desk.answer(key)
            await desk.said(words)
            await quiet(desk)
            assert desk.app.screen.query(QuestionCard).last().state == state
        await desk.state("finished")


@covers("Studio", "ctrl+o")
async def test_tool_lines_open_and_close(make_plan: Plans) -> None:
    show = function_call("show_cases", {"count": 2, "category": "category_1"}, call_id="c1")
    await built(make_plan(4))
    talk = scripted([show, function_call("no_such_tool", {"x": 1}, call_id="c2")], [assistant_message("Two cases.")])
    async with studio(open_first="support", responder=talk) as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.write("show me two\n")
        await desk.said("Two cases.")
        await quiet(desk)
        await desk.sees("2 cases, the newest first.", "not found")
        first, second = desk.app.screen.query(ToolLine)
        await desk.press("ctrl+o")
        await desk.until(lambda: first.opened and second.opened and first.size.height > 4)
        behind = "".join(text for line in first.paint(50, 24) for text, *_ in line)
        assert '"count": 2' in behind and "answered" in behind and "category_1-00004" in behind
        await desk.press("ctrl+o")
        await desk.until(lambda: first.size.height == second.size.height == 1)
        second.scroll_visible(animate=False)
        await desk.pilot.pause()
        await desk.pilot.click(second, offset=(4, 0))
        await desk.until(lambda: second.opened and not first.opened)


async def test_an_agent_that_was_never_spoken_to_says_nothing(make_plan: Plans) -> None:
    async with studio() as desk:
        await desk.app.create_session(make_plan(4))
        await desk.at("StudioScreen", "PlanCard")
        await desk.answer("ctrl+y")
        await desk.state("finished")
        await quiet(desk)
        assert [m.role for m in await desk.session.chat.messages() if m.role == "agent"] == []


async def test_what_needs_a_person_is_said_while_it_runs(make_plan: Plans) -> None:
    from tests.support.studio import Scripted

    talk = scripted([assistant_message("Good.")], *[[assistant_message(f"Note {n}.")] for n in range(1, 9)])
    model = Scripted(echo="always the same")
    async with studio(responder=talk, model=model, flags={"max_attempts": 2}) as desk:
        await desk.app.create_session(make_plan(6))
        await desk.at("StudioScreen")
        await desk.command("hello")
        await desk.said("Good.")
        await quiet(desk)
        await desk.command("/run")
        await desk.state("finished")

        async def told_of_the_end() -> bool:
            return any(
                '"note": "finished"' in str(item.get("content")) for _, item in await desk.session.agent_memory.items()
            )

        await desk.until_async(told_of_the_end)  # how many notes come before it hangs on when the slots are exhausted
        await quiet(desk)
        notes = [
            item["content"]
            for _, item in await desk.session.agent_memory.items()
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
    async with studio(open_first="support", responder=talk) as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.write("load other\n")
        await desk.until(lambda: desk.app.live is not None and desk.session.id == "other", 60)
        await desk.at("StudioScreen", "prompt")
        await desk.sees("4/4")


async def test_a_narrow_terminal_has_the_talk_too() -> None:
    async with studio(size=NARROW) as desk:
        await begun(desk)
        await desk.answer("ctrl+y")
        await desk.state("finished")
        await quiet(desk)
        assert cards(desk) == ["approved"]
