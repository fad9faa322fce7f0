"""The prompt and the conversation: what is typed, kept, answered, queued, stopped, and shown again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.agent.turn_events import TextDelta, TurnEvent
from dsbuilder_tui.domain.message import MessageRole, message_content
from dsbuilder_tui.tui.studio.chat import ChatLog
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.studio import Answers, Desk, begin, built, studio

Plans = Callable[..., DatasetPlanInput]


async def talk(desk: Desk) -> Prompt:
    """The prompt, focused."""
    await desk.at("StudioScreen")
    await desk.until(lambda: desk.focus in ("prompt", "PlanCard"))
    desk.one("#prompt").focus()
    await desk.at("StudioScreen", "prompt")
    return desk.one("#prompt", Prompt)  # type: ignore[no-any-return]


async def roles(desk: Desk) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in await desk.session.chat.messages() if m.kind == "text"]


async def test_history_goes_back_and_forth(make_plan: Plans) -> None:
    async with studio(responder=Answers("Yes.")) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        for text in ("first", "second"):
            await desk.write(text + "\n")
            await desk.said(text)
            await desk.until(lambda: not desk.one("#conversation").answering)
        await desk.write("unsent")
        for key, shown in (
            ("up", "second"), ("up", "first"), ("up", "first"), ("down", "second"), ("down", "unsent"), ("down", "unsent"),
        ):  # fmt: skip
            await desk.press(key)
            assert box.text == shown, key
        box.fill("")
        await desk.press("up")
        await desk.until(lambda: box.text == "second")


async def test_a_large_paste_is_a_chip_and_is_kept_whole(make_plan: Plans) -> None:
    whole = "A \x1b[31mlarge\x07 text. " * 625
    assert len(whole) >= 10_000
    answers = Answers("Read.")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("look at ")
        await desk.paste(whole)
        assert box.text == f"look at ⟦paste 1: {len(whole):,} characters⟧"
        await desk.paste("\r\n".join("twelve lines more" for _ in range(13)))
        assert box.text.endswith("⟦paste 2: 233 characters, 13 lines⟧")
        await desk.press("enter")
        message = await desk.said("look at")
        assert message.content.data()["pastes"] == {"1": whole, "2": "\n".join("twelve lines more" for _ in range(13))}
        await desk.until(lambda: answers.asked)
        assert answers.asked[0].startswith("look at ⟦paste 1") and whole in answers.asked[0]
        await desk.sees("⟦paste 1: ", "Read.")
        assert "\x1b" not in desk.text and "\x07" not in desk.text
        # Taken back from the history, it is whole again.
        await desk.press("up")
        await desk.until(lambda: box.text.startswith("look at ⟦paste 1"))
        box.fill("")
        # A chip that was deleted takes its text with it.
        await desk.paste(whole)
        box.fill("")
        await desk.write("nothing\n")
        assert (await desk.said("nothing")).content.pastes == {}


async def test_a_small_paste_shows_what_it_holds(make_plan: Plans) -> None:
    async with studio(responder=Answers("I see.")) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.paste("a\x1b[2Jb\x07c\r\nd\u202ee")
        assert box.text == "a␛[2Jb␇c\nd<U+202E>e"
        await desk.press("enter")
        await desk.sees("a␛[2Jb␇c", "d<U+202E>e")
        assert (await desk.said("a␛[2Jb")).text == "a␛[2Jb␇c\nd<U+202E>e"


NONSENSE = (
    "¿¿¿ 🚀🧑‍🚀👩‍👩‍👧‍👦 漢字かな ﷽ ا ب ت",
    "[red]not markup[/red] [@click=app.quit]x[/] $ds-bad {{}} %s \\n",
    "# head\n\n| a |\n|--|\n\n```\nunclosed\n<script>alert(1)</script>",
    "'; DROP TABLE case; --",
    "x" * 790,
)


@pytest.mark.parametrize("text", NONSENSE)
async def test_nonsense_is_kept_as_it_is_and_breaks_nothing(text: str, make_plan: Plans) -> None:
    async with studio(responder=Answers(text)) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.paste(text)
        await desk.press("enter")
        await desk.until_async(lambda: roles(desk))
        await desk.until(lambda: not desk.one("#conversation").answering)
        assert await roles(desk) == [("person", text), ("agent", text)]
        assert desk.focus == "prompt" and not desk.app._exit
        await desk.command("/status")
        await desk.said("0 of 4 cases")


async def test_an_empty_prompt_sends_nothing(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("  ")
        await desk.press("ctrl+j", "enter")
        await desk.press("enter")
        assert await roles(desk) == [] and box.text.strip() == ""


async def test_completion_is_walked_taken_and_closed(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("/")
        await desk.sees("❯ /plan", "/run")
        await desk.press("down", "down")
        await desk.sees("❯ /pause")
        await desk.press("up")
        await desk.sees("❯ /run")
        await desk.press("up", "up")
        await desk.sees("❯ /quit", "/help")
        await desk.press("escape")
        await desk.misses("/help")
        assert box.text == "/"
        await desk.press("backspace")
        await desk.write("/the")
        await desk.press("tab")
        assert box.text == "/theme "
        await desk.sees("❯ /theme dark", "/theme light", "/theme high-contrast")
        await desk.press("down", "tab")
        assert box.text == "/theme light"
        await desk.press("enter")
        await desk.until(lambda: desk.app.palette.name == "light")
        # Enter completes, too, and sends what takes no argument.
        await desk.write("/stat\n")
        await desk.said("0 of 4 cases")
        await desk.write("/cases cat")
        await desk.sees("❯ /cases category_1")


async def test_an_unknown_command_names_the_nearest(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.command("/exprot x.csv")
        await desk.said("✗ There is no command /exprot. Did you mean /export?")
        await desk.command("/zzzzz")
        await desk.said("Type / to see them all.")
        await desk.sees("Type / to see them")
        assert [m.role for m in await desk.session.chat.messages() if m.kind == "text"] == []


# Answers that take their time


async def test_an_answer_streams_and_never_steals_the_focus(make_plan: Plans) -> None:
    answers = Answers("**One**", " two", " three")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("tell me\n")
        await desk.sees("One", "answering", "esc stops")
        await desk.write("meanwhile")
        assert desk.focus == "prompt" and box.text == "meanwhile"
        answers.go.set()
        await desk.sees("One two three", "enter send")
        assert desk.focus == "prompt" and box.text == "meanwhile"
        assert await roles(desk) == [("person", "tell me"), ("agent", "**One** two three")]


async def test_messages_queue_while_an_answer_streams_and_can_be_taken_back(make_plan: Plans) -> None:
    answers = Answers("One", " two")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("first\n")
        await desk.sees("answering")
        await desk.write("second\n")
        await desk.write("third\n")
        await desk.sees("queued 1  second", "queued 2  third")
        assert answers.asked == ["first"]
        await desk.press("up")
        await desk.until(lambda: box.text == "third")
        await desk.misses("queued 2")
        await desk.write("!")
        box.fill("")
        answers.go.set()
        await desk.until(lambda: answers.asked == ["first", "second"])
        await desk.misses("queued 1")

        async def all_said() -> bool:
            return len(await roles(desk)) == 4

        await desk.until_async(all_said)
        assert await roles(desk) == [
            ("person", "first"), ("agent", "One two"), ("person", "second"), ("agent", "One two"),
        ]  # fmt: skip


async def test_a_queued_paste_taken_back_keeps_its_text(make_plan: Plans) -> None:
    whole = "word " * 400
    answers = Answers("One", " two")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        box = await talk(desk)
        await desk.write("first\n")
        await desk.sees("answering")
        await desk.paste(whole)
        await desk.press("enter")
        await desk.sees("queued 1")
        await desk.press("up")
        await desk.until(lambda: "⟦paste" in box.text)
        await desk.press("enter")
        answers.go.set()
        assert (await desk.said("⟦paste")).content.data()["pastes"] == {"1": whole}


async def test_commands_work_while_an_answer_streams(make_plan: Plans) -> None:
    answers = Answers("One", " two")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.write("first\n")
        await desk.sees("answering")
        await desk.command("/status")
        await desk.said("0 of 4 cases")
        assert answers.asked == ["first"] and desk.one("#conversation").answering


async def test_escape_stops_the_answer_and_what_was_said_is_kept(make_plan: Plans) -> None:
    async with studio(responder=Answers("So far", " and never this")) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.write("tell me\n")
        await desk.sees("So far")
        await desk.press("escape")
        message = await desk.said("So far")
        assert (message.role, message.text) == ("agent", "So far *(stopped)*")
        await desk.sees("(stopped)", "enter send")
        assert desk.focus == "prompt" and not desk.one("#conversation").answering


async def test_what_is_new_below_is_counted_and_never_moves_the_scroll(make_plan: Plans) -> None:
    await built(make_plan(4))
    answers = Answers("A", *(f"\n\nline {n}" for n in range(30)))
    async with studio(open_first="support", responder=answers) as desk:
        await talk(desk)
        log = desk.one("#chat", ChatLog)
        await desk.session.chat.add(MessageRole.PERSON, "a line\n" * 60)
        await desk.until(lambda: log.max_scroll_y > 30 and log.at_end)
        log.focus()
        await desk.press("home")
        await desk.until(lambda: log.scroll_y == 0 and not log._follows)
        for count in (1, 2):
            await desk.command("/checkpoint")
            await desk.sees(f"↓ {count} new")
        await desk.write("go on\n")
        await desk.sees("↓ 4 new")
        answers.go.set()
        await desk.until(lambda: not desk.one("#conversation").answering)
        assert log.scroll_y == 0
        await desk.pilot.click("#below", (desk.one("#below").size.width - 4, 0))
        await desk.until(lambda: log.at_end and not desk.one("#below").display)
        await desk.sees("line 29")
        log.focus()
        await desk.press("home")
        await desk.until(lambda: not log._follows)
        await desk.press("end")
        await desk.until(lambda: log.at_end and log._follows)


# What is kept


async def test_the_conversation_and_the_draft_are_there_again(make_plan: Plans) -> None:
    async with studio(responder=Answers("The *answer*.")) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.write("a question\n")
        await desk.sees("The answer.")
        await desk.until(lambda: not desk.one("#conversation").answering)
        await desk.write("not sent yet")
        await desk.app.close_session()
    async with studio(open_first="support") as desk:
        box = await talk(desk)
        await desk.sees("a question", "The answer.", "^Y approve", "not sent yet")
        assert box.text == "not sent yet" and desk.focus == "prompt"
        box.fill("")
        await desk.press("up")
        await desk.until(lambda: box.text == "a question")


async def test_pastes_are_whole_after_reopening(make_plan: Plans) -> None:
    sent, unsent = "sent " * 300, "unsent " * 300
    async with studio(responder=Answers("Yes.")) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.paste(sent)
        await desk.press("enter")
        await desk.said("⟦paste 1")
        await desk.paste(unsent)
        await desk.app.close_session()
    async with studio(open_first="support", responder=Answers("Yes.")) as desk:
        box = await talk(desk)
        await desk.until(lambda: box.text == unsent)
        box.fill("")
        await desk.paste("another " * 300)
        assert box.text.startswith("⟦paste 2")
        box.fill("")
        await desk.press("up", "enter")

        async def again() -> bool:
            found = [m for m in await desk.session.chat.messages() if m.role == "person"]
            return len(found) == 2 and found[1].content.data()["pastes"] == {"1": sent}

        await desk.until_async(again)


async def test_an_answer_that_is_cut_off_by_leaving_is_kept(make_plan: Plans) -> None:
    async with studio(responder=Answers("Half of", " it")) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.write("a question\n")
        await desk.sees("Half of")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
    async with studio(open_first="support") as desk:
        await talk(desk)
        await desk.sees("a question", "Half of", "(stopped)")


def log_of(desk: Desk) -> list[tuple[str, str]]:
    """What the log shows, from the top: the widget's kind and its text."""
    return [(type(widget).__name__, str(getattr(widget, "text", ""))) for widget in desk.one("#chat", ChatLog).children]


async def test_a_message_of_somebody_else_in_the_middle_of_an_answer_is_drawn_once_and_leaves_the_answer_whole(
    make_plan: Plans,
) -> None:
    answers = Answers("One", " two", " three")
    async with studio(responder=answers) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        before = len(log_of(desk))
        await desk.write("count\n")
        await desk.sees("One")
        await desk.live.tell("✓ Something else happened")
        await desk.sees("Something else happened")
        answers.go.set()
        await desk.until(lambda: not desk.one("#conversation").answering)
        assert log_of(desk)[before:] == [("Entry", "count"), ("Entry", "One two three"), ("EventLine", "")]
        assert desk.text.count("One two three") == 1 and desk.text.count("Something else happened") == 1


async def test_what_was_kept_is_what_stands_there_in_the_end(make_plan: Plans) -> None:
    class Corrected(Answers):
        """Keeps other words than it streamed."""

        async def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]:
            yield TextDelta("The key is sk-1")
            await self._desk.session.chat.add(MessageRole.AGENT, "The key is [hidden]")

    async with studio(responder=Corrected()) as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        await desk.write("tell me\n")
        await desk.sees("The key is [hidden]")
        await desk.misses("sk-1")


@pytest.mark.parametrize("role", MessageRole)
async def test_a_message_of_a_later_version_is_plain_text_now_and_after_reopening(
    role: MessageRole, make_plan: Plans
) -> None:
    plan, tool = {"rows": [{"name": "a"}], "call": "c1"}, {"call": ["c2"], "ok": True}
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await talk(desk)
        for kind, data in (("picture", {"of": "x"}), ("plan", plan), ("tool", tool)):
            await desk.session.chat.add(role, f"a **{kind}** of [b]it[/b]", message_content(kind, data))
            await desk.sees(f"a **{kind}** of [b]it[/b]")
    async with studio(open_first="support") as desk:
        await talk(desk)
        await desk.sees(*[f"a **{kind}** of [b]it[/b]" for kind in ("picture", "plan", "tool")])
