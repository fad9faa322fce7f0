"""Letters always go to the prompt: whatever is typed while cards arrive answers none of them, opens nothing, and is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from textual import events
from textual.keys import _character_to_key

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain.approval import PlanApproval, QuestionApproval
from dsbuilder_tui.domain.message import MessageRole, QuestionContent
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.input_events import TypedAhead
from dsbuilder_tui.tui.studio.cards import GRACE, Card
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.studio import NARROW, WIDE, Answers, StandingClock, User, begin, built, studio

Plans = Callable[..., DatasetPlanInput]
LETTER = 0.12  # seconds between two letters of somebody who types

SENTENCES = """
that's almost right
no, that is not a category
show me the case
approve nothing yet, I want to read it first
a
e
r
ae
eee
rrr
yes but make the refunds angrier
y
n
no
all of them should be in Spanish
are these real order numbers?
and add 20 in German
aber bitte auf Deutsch: drei Gruppen
remove order_status and rename refunds to returns
edit the second one: it is too polite
easy there, what does 294 combinations mean?
equal parts, please
every case needs an expectation
reduce refunds to 40
really? 500?
read ./bot first
rate of repeats, how high is it
add ten more, then run
any duplicates?
ask me again when it is finished
e.g. "where is my order #12345?"
é à ü ß ñ
注文の状況について
what did it cost
why so many rejected
pause, please
   leading spaces count
1234567890
-5 + 3 = -2
; : . , / \\ | < > ( ) [ ] { }
@ # $ % ^ & * ~ `
'single' and "double" quotes
MAKE IT ANGRIER
q
j k h l g m p d s x u o f t c v b
swap a for b
go back to the first plan
thanks, that looks good to me already
Yes. Enter. Approve. Escape. Tab.
the end
""".strip("\n").split("\n")  # fmt: skip


class Deaf(Answers):
    """Nobody who answers: what is sent is kept."""

    async def say(self, text: str, pastes: Any = None) -> AsyncGenerator[Any, None]:
        self.asked.append(text)
        return
        yield


async def quickly(user: User, text: str) -> None:
    """Type a text letter by letter at the speed of a person, in no time."""
    for character in text:
        event = events.Key("enter" if character == "\n" else _character_to_key(character), character)
        event.set_sender(user.app)
        user.app.clock.skip(LETTER)  # type: ignore
        user.app._driver.send_message(event)  # type: ignore[union-attr]
        for _ in range(3):
            await asyncio.sleep(0)


async def arrive(user: User, number: int) -> None:
    """A card comes: in turn a plan of the person's, a plan that the agent proposes, and a question of the agent's."""
    session, call = user.session, f"c{number}"
    if number % 3 == 0:
        await session.chat.add(MessageRole.DSBUILDER, "plan", plan_content(session.plan, session.plans.revision))
    elif number % 3 == 1:
        card = plan_content(session.plan, session.plans.revision + 1, call_id=call)
        await session.approvals.ask(call, "propose_plan", PlanApproval(card=card, plan=session.plan), "")
        await session.chat.add(MessageRole.AGENT, "a plan", card)
    else:
        words = "Write 500 cases to /srv/evals/support.jsonl?"
        await session.approvals.ask(call, "export_dataset", QuestionApproval(text=words), "")
        await session.chat.add(MessageRole.AGENT, words, QuestionContent(call=call, tool="export_dataset"))
    last = user.app.screen.query(Card)
    before = len(last)
    await user.until(lambda: len(user.app.screen.query(Card)) >= before)
    await user.pilot.pause()


def acted(user: User, answers: list[Any]) -> list[Any]:
    """Everything that a key may have set off."""
    view = user.live.view
    opened = [type(screen).__name__ for screen in user.app.screen_stack]
    return [
        *answers,
        *(["run"] if user.live.running or view.state is not RunState.IDLE else []),
        *opened[opened.index("StudioScreen") + 1 :],
    ]


@pytest.mark.parametrize("size", [WIDE, pytest.param(NARROW, marks=pytest.mark.slow)])
async def test_no_sentence_answers_a_card_wherever_that_arrives(size: tuple[int, int], make_plan: Plans) -> None:
    talk = Deaf()
    answers: list[Any] = []
    async with studio(size=size, responder=talk) as user:
        await begin(user, make_plan(4))
        screen: Any = user.app.screen
        given = screen.on_card_answered

        async def noted(event: Card.Answered) -> None:
            answers.append(event.answer)
            await given(event)

        screen.on_card_answered = noted
        prompt = user.one("#prompt", Prompt)
        for number, sentence in enumerate(SENTENCES):
            place = number % (len(sentence) + 1)
            await quickly(user, sentence[:place])
            await user.until(lambda wanted=sentence[:place]: prompt.text == wanted)
            await arrive(user, number)
            if place == 0:
                user.app.clock.skip((0.2, 0.6, 5.0)[number % 3])  # type: ignore
            await quickly(user, sentence[place:])
            await user.until(lambda wanted=sentence: prompt.text == wanted)
            assert user.focus == "prompt" and acted(user, answers) == []
            await quickly(user, "\n")
            await user.until(lambda: prompt.text == "")
        assert talk.asked == [sentence.strip() for sentence in SENTENCES if sentence[0] != "/"]
        assert acted(user, answers) == []


async def test_what_is_pressed_before_a_card_can_be_read_is_no_answer(make_plan: Plans) -> None:
    answers: list[Any] = []
    clock = StandingClock()
    async with studio(responder=Deaf(), clock=clock) as user:
        await begin(user, make_plan(4))
        await user.until(lambda: user.one("PlanCard").ready(float("inf")))
        await user.pilot.pause()
        for key in ("enter", "ctrl+y", "ctrl+n", "right", "enter", "tab"):
            await user.press(key)
        await user.pilot.click("PlanCard", (5, user.one("PlanCard").size.height - 2))
        await user.pilot.pause()
        assert acted(user, answers) == [] and user.one("PlanCard").state == "open"
        clock.skip(2 * GRACE)
        clock.stands_at = None
        await user.press("ctrl+y")
        await user.state("finished")


async def test_enter_with_nothing_to_send_goes_to_the_card_and_the_next_one_answers(make_plan: Plans) -> None:
    async with studio(responder=Deaf()) as user:
        await begin(user, make_plan(4))
        await user.answer("escape")
        await user.at("StudioScreen", "prompt")
        await user.press("enter", "enter", "enter")  # a key that is held down
        await user.pilot.pause()
        assert user.live.view.state is RunState.IDLE and not user.live.running
        await user.press("enter")
        await user.at("StudioScreen", "PlanCard")
        await user.answer("enter")
        await user.state("finished")


async def test_a_paste_goes_to_the_prompt_too(make_plan: Plans) -> None:
    async with studio(responder=Deaf()) as user:
        await begin(user, make_plan(4))
        await user.answer()
        assert user.focus == "PlanCard"
        await user.paste("approve")
        await user.until(lambda: user.one("#prompt", Prompt).text == "approve")
        await user.press("tab", "tab")
        assert user.focus.startswith("panel-")
        await user.write("d")
        await user.until(lambda: user.one("#prompt", Prompt).text == "approved")
        assert user.focus == "prompt" and user.live.view.state is RunState.IDLE


async def test_after_a_click_or_a_drag_in_the_conversation_typing_goes_to_the_prompt(make_plan: Plans) -> None:
    async with studio(responder=Deaf()) as user:
        await begin(user, make_plan(4))
        await user.session.chat.add(MessageRole.AGENT, "Some words that can be selected, and copied.")
        await user.sees("can be selected")
        prompt = user.one("#prompt", Prompt)
        typed = ""
        for letter, from_panel in (("a", False), ("e", False), ("r", True)):
            if from_panel:
                user.one("#panel-plan").focus()
                await user.at("StudioScreen", "panel-plan")
            await user.pilot.mouse_down("#chat", (4, 4))
            await user.pilot.hover("#chat", (20, 5))
            await user.pilot.mouse_up("#chat", (20, 5))
            await user.pilot.click("#chat", (4, 4))
            await user.write(letter)
            typed += letter
            await user.until(lambda typed=typed: prompt.text == typed and user.focus == "prompt")


async def test_one_editor_is_open_at_most(make_plan: Plans) -> None:
    async with studio(responder=Deaf()) as user:
        await begin(user, make_plan(4))
        await user.answer("right", "enter", "enter", "enter")
        await user.at("PlanEditor", "plan-text")
        for _ in range(3):
            user.app.shown("studio").actions.edit_plan()  # type: ignore
        assert [type(screen).__name__ for screen in user.app.screen_stack].count("PlanEditor") == 1
        await user.press("escape")
        await user.at("StudioScreen")


async def test_a_chord_shows_a_card_that_is_out_of_view_before_it_answers(make_plan: Plans) -> None:
    async with studio(size=NARROW, responder=Deaf()) as user:
        await begin(user, make_plan(4))
        await user.answer()
        await user.app.run_action("screen.tab(1)")
        await user.until(lambda: not user.one("#conversation").display)
        await user.press("ctrl+y")
        await user.until(lambda: user.one("#conversation").display and user.focus == "PlanCard")
        assert user.live.view.state is RunState.IDLE
        await user.answer("ctrl+y")
        await user.state("finished")


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("f2", "CasesScreen"), ("f3", "CoverageScreen"), ("f4", "CheckpointsScreen"), ("f5", "RejectedScreen"),
        ("f6", "WorkersScreen"), ("f7", "MapScreen"),
    ],
)  # fmt: skip
async def test_keys_pressed_while_a_session_opens_count(key: str, place: str, make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio() as user:
        await user.at("HomeScreen", "session-list")
        await user.until(lambda: user.one("#session-list").count == 1)
        await user.press("enter")
        await user.until(lambda: user.app._typed_ahead is not None or user.place == "StudioScreen")
        for pressed, character in (("a", "a"), (key, None)):
            event = events.Key(pressed, character)
            event.set_sender(user.app)
            user.app._driver.send_message(event)  # type: ignore[union-attr]
        await user.at(place)
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "a"


async def test_what_is_sent_while_a_session_opens_is_sent(make_plan: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter sends what was typed before it; what was typed behind it stays in the prompt; none of it acts on the list."""
    typed, opening = asyncio.Event(), StudioApp._opening

    async def opens_late(app: StudioApp, work: Any, ahead: TypedAhead) -> None:
        await typed.wait()
        await opening(app, work, ahead)

    monkeypatch.setattr(StudioApp, "_opening", opens_late)
    await built(make_plan(6))
    async with studio() as user:
        await user.at("HomeScreen", "session-list")
        await user.until(lambda: user.one("#session-list").count == 1)
        await user.press("enter")
        await user.until(lambda: user.app._typed_ahead is not None)
        await user.press("h", "i", "enter", "o", "k")
        typed.set()
        await user.at("StudioScreen", "prompt")
        await user.sees("what shall I do with it")
        assert user.one("#prompt").text == "ok"
