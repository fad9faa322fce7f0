"""The prompt and the conversation: what is typed, kept, answered, queued, stopped, and shown again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.agent.turn_events import TextDelta, TurnEvent
from dsbuilder_tui.domain.message import MessageRole, message_content
from dsbuilder_tui.tui.studio.chat import ChatLog
from dsbuilder_tui.tui.studio.prompt import Prompt
from tests.support.studio import Answers, User, begin, built, studio

Plans = Callable[..., DatasetPlanInput]


async def talk(user: User) -> Prompt:
    """The prompt, focused."""
    await user.at("StudioScreen")
    await user.until(lambda: user.focus in ("prompt", "PlanCard"))
    user.one("#prompt").focus()
    await user.at("StudioScreen", "prompt")
    return user.one("#prompt", Prompt)  # type: ignore[no-any-return]


async def roles(user: User) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in await user.session.chat.messages() if m.kind == "text"]


async def test_history_goes_back_and_forth(make_plan: Plans) -> None:
    async with studio(responder=Answers("Yes.")) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        for text in ("first", "second"):
            await user.write(text + "\n")
            await user.said(text)
            await user.until(lambda: not user.one("#conversation").answering)
        await user.write("unsent")
        for key, shown in (
            ("up", "second"), ("up", "first"), ("up", "first"), ("down", "second"), ("down", "unsent"), ("down", "unsent"),
        ):  # fmt: skip
            await user.press(key)
            assert box.text == shown, key
        box.fill("")
        await user.press("up")
        await user.until(lambda: box.text == "second")


async def test_a_large_paste_is_a_chip_and_is_kept_whole(make_plan: Plans) -> None:
    whole = "A \x1b[31mlarge\x07 text. " * 625
    assert len(whole) >= 10_000
    answers = Answers("Read.")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("look at ")
        await user.paste(whole)
        assert box.text == f"look at ⟦paste 1: {len(whole):,} characters⟧"
        await user.paste("\r\n".join("twelve lines more" for _ in range(13)))
        assert box.text.endswith("⟦paste 2: 233 characters, 13 lines⟧")
        await user.press("enter")
        message = await user.said("look at")
        assert message.content.data()["pastes"] == {"1": whole, "2": "\n".join("twelve lines more" for _ in range(13))}
        await user.until(lambda: answers.asked)
        assert answers.asked[0].startswith("look at ⟦paste 1") and whole in answers.asked[0]
        await user.sees("⟦paste 1: ", "Read.")
        assert "\x1b" not in user.text and "\x07" not in user.text
        # Taken back from the history, it is whole again.
        await user.press("up")
        await user.until(lambda: box.text.startswith("look at ⟦paste 1"))
        box.fill("")
        # A chip that was deleted takes its text with it.
        await user.paste(whole)
        box.fill("")
        await user.write("nothing\n")
        assert (await user.said("nothing")).content.pastes == {}


async def test_a_small_paste_shows_what_it_holds(make_plan: Plans) -> None:
    async with studio(responder=Answers("I see.")) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.paste("a\x1b[2Jb\x07c\r\nd\u202ee")
        assert box.text == "a␛[2Jb␇c\nd<U+202E>e"
        await user.press("enter")
        await user.sees("a␛[2Jb␇c", "d<U+202E>e")
        assert (await user.said("a␛[2Jb")).text == "a␛[2Jb␇c\nd<U+202E>e"


NONSENSE = (
    "¿¿¿ 🚀🧑‍🚀👩‍👩‍👧‍👦 漢字かな ﷽ ا ب ت",
    "[red]not markup[/red] [@click=app.quit]x[/] $ds-bad {{}} %s \\n",
    "# head\n\n| a |\n|--|\n\n```\nunclosed\n<script>alert(1)</script>",
    "'; DROP TABLE case; --",
    "x" * 790,
)


@pytest.mark.parametrize("text", NONSENSE)
async def test_nonsense_is_kept_as_it_is_and_breaks_nothing(text: str, make_plan: Plans) -> None:
    async with studio(responder=Answers(text)) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.paste(text)
        await user.press("enter")
        await user.until_async(lambda: roles(user))
        await user.until(lambda: not user.one("#conversation").answering)
        assert await roles(user) == [("person", text), ("agent", text)]
        assert user.focus == "prompt" and not user.app._exit
        await user.command("/status")
        await user.said("0 of 4 cases")


async def test_an_empty_prompt_sends_nothing(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("  ")
        await user.press("ctrl+j", "enter")
        await user.press("enter")
        assert await roles(user) == [] and box.text.strip() == ""


async def test_completion_is_walked_taken_and_closed(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("/")
        await user.sees("❯ /plan", "/run")
        await user.press("down", "down")
        await user.sees("❯ /pause")
        await user.press("up")
        await user.sees("❯ /run")
        await user.press("up", "up")
        await user.sees("❯ /quit", "/help")
        await user.press("escape")
        await user.misses("/help")
        assert box.text == "/"
        await user.press("backspace")
        await user.write("/the")
        await user.press("tab")
        assert box.text == "/theme "
        await user.sees("❯ /theme dark", "/theme light", "/theme high-contrast")
        await user.press("down", "tab")
        assert box.text == "/theme light"
        await user.press("enter")
        await user.until(lambda: user.app.palette.name == "light")
        # Enter completes, too, and sends what takes no argument.
        await user.write("/stat\n")
        await user.said("0 of 4 cases")
        await user.write("/cases cat")
        await user.sees("❯ /cases category_1")


async def test_an_unknown_command_names_the_nearest(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.command("/exprot x.csv")
        await user.said("✗ There is no command /exprot. Did you mean /export?")
        await user.command("/zzzzz")
        await user.said("Type / to see them all.")
        await user.sees("Type / to see them")
        assert [m.role for m in await user.session.chat.messages() if m.kind == "text"] == []


# Answers that take their time


async def test_an_answer_streams_and_never_steals_the_focus(make_plan: Plans) -> None:
    answers = Answers("**One**", " two", " three")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("tell me\n")
        await user.sees("One", "answering", "esc stops")
        await user.write("meanwhile")
        assert user.focus == "prompt" and box.text == "meanwhile"
        answers.go.set()
        await user.sees("One two three", "enter send")
        assert user.focus == "prompt" and box.text == "meanwhile"
        assert await roles(user) == [("person", "tell me"), ("agent", "**One** two three")]


async def test_messages_queue_while_an_answer_streams_and_can_be_taken_back(make_plan: Plans) -> None:
    answers = Answers("One", " two")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("first\n")
        await user.sees("answering")
        await user.write("second\n")
        await user.write("third\n")
        await user.sees("queued 1  second", "queued 2  third")
        assert answers.asked == ["first"]
        await user.press("up")
        await user.until(lambda: box.text == "third")
        await user.misses("queued 2")
        await user.write("!")
        box.fill("")
        answers.go.set()
        await user.until(lambda: answers.asked == ["first", "second"])
        await user.misses("queued 1")

        async def all_said() -> bool:
            return len(await roles(user)) == 4

        await user.until_async(all_said)
        assert await roles(user) == [
            ("person", "first"), ("agent", "One two"), ("person", "second"), ("agent", "One two"),
        ]  # fmt: skip


async def test_a_queued_paste_taken_back_keeps_its_text(make_plan: Plans) -> None:
    whole = "word " * 400
    answers = Answers("One", " two")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("first\n")
        await user.sees("answering")
        await user.paste(whole)
        await user.press("enter")
        await user.sees("queued 1")
        await user.press("up")
        await user.until(lambda: "⟦paste" in box.text)
        await user.press("enter")
        answers.go.set()
        assert (await user.said("⟦paste")).content.data()["pastes"] == {"1": whole}


async def test_commands_work_while_an_answer_streams(make_plan: Plans) -> None:
    answers = Answers("One", " two")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.write("first\n")
        await user.sees("answering")
        await user.command("/status")
        await user.said("0 of 4 cases")
        assert answers.asked == ["first"] and user.one("#conversation").answering


async def test_escape_stops_the_answer_and_what_was_said_is_kept(make_plan: Plans) -> None:
    async with studio(responder=Answers("So far", " and never this")) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.write("tell me\n")
        await user.sees("So far")
        await user.press("escape")
        message = await user.said("So far")
        assert (message.role, message.text) == ("agent", "So far *(stopped)*")
        await user.sees("(stopped)", "enter send")
        assert user.focus == "prompt" and not user.one("#conversation").answering


async def test_what_is_new_below_is_counted_and_never_moves_the_scroll(make_plan: Plans) -> None:
    await built(make_plan(4))
    answers = Answers("A", *(f"\n\nline {n}" for n in range(30)))
    async with studio(open_first="support", responder=answers) as user:
        await talk(user)
        log = user.one("#chat", ChatLog)
        await user.session.chat.add(MessageRole.PERSON, "a line\n" * 60)
        await user.until(lambda: log.max_scroll_y > 30 and log.at_end)
        log.focus()
        await user.press("home")
        await user.until(lambda: log.scroll_y == 0 and not log._follows)
        for count in (1, 2):
            await user.command("/checkpoint")
            await user.sees(f"↓ {count} new")
        await user.write("go on\n")
        await user.sees("↓ 4 new")
        answers.go.set()
        await user.until(lambda: not user.one("#conversation").answering)
        assert log.scroll_y == 0
        await user.pilot.click("#below", (user.one("#below").size.width - 4, 0))
        await user.until(lambda: log.at_end and not user.one("#below").display)
        await user.sees("line 29")
        log.focus()
        await user.press("home")
        await user.until(lambda: not log._follows)
        await user.press("end")
        await user.until(lambda: log.at_end and log._follows)


# What is kept


async def test_the_conversation_and_the_draft_are_there_again(make_plan: Plans) -> None:
    async with studio(responder=Answers("The *answer*.")) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.write("a question\n")
        await user.sees("The answer.")
        await user.until(lambda: not user.one("#conversation").answering)
        await user.write("not sent yet")
        await user.app.close_session()
    async with studio(open_first="support") as user:
        box = await talk(user)
        await user.sees("a question", "The answer.", "^Y approve", "not sent yet")
        assert box.text == "not sent yet" and user.focus == "prompt"
        box.fill("")
        await user.press("up")
        await user.until(lambda: box.text == "a question")


async def test_pastes_are_whole_after_reopening(make_plan: Plans) -> None:
    sent, unsent = "sent " * 300, "unsent " * 300
    async with studio(responder=Answers("Yes.")) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.paste(sent)
        await user.press("enter")
        await user.said("⟦paste 1")
        await user.paste(unsent)
        await user.app.close_session()
    async with studio(open_first="support", responder=Answers("Yes.")) as user:
        box = await talk(user)
        await user.until(lambda: box.text == unsent)
        box.fill("")
        await user.paste("another " * 300)
        assert box.text.startswith("⟦paste 2")
        box.fill("")
        await user.press("up", "enter")

        async def again() -> bool:
            found = [m for m in await user.session.chat.messages() if m.role == "person"]
            return len(found) == 2 and found[1].content.data()["pastes"] == {"1": sent}

        await user.until_async(again)


async def test_an_answer_that_is_cut_off_by_leaving_is_kept(make_plan: Plans) -> None:
    async with studio(responder=Answers("Half of", " it")) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.write("a question\n")
        await user.sees("Half of")
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
    async with studio(open_first="support") as user:
        await talk(user)
        await user.sees("a question", "Half of", "(stopped)")


def log_of(user: User) -> list[tuple[str, str]]:
    """What the log shows, from the top: the widget's kind and its text."""
    return [(type(widget).__name__, str(getattr(widget, "text", ""))) for widget in user.one("#chat", ChatLog).children]


async def test_a_message_of_somebody_else_in_the_middle_of_an_answer_is_drawn_once_and_leaves_the_answer_whole(
    make_plan: Plans,
) -> None:
    answers = Answers("One", " two", " three")
    async with studio(responder=answers) as user:
        await begin(user, make_plan(4))
        await talk(user)
        before = len(log_of(user))
        await user.write("count\n")
        await user.sees("One")
        await user.live.tell("✓ Something else happened")
        await user.sees("Something else happened")
        answers.go.set()
        await user.until(lambda: not user.one("#conversation").answering)
        assert log_of(user)[before:] == [("Entry", "count"), ("Entry", "One two three"), ("EventLine", "")]
        assert user.text.count("One two three") == 1 and user.text.count("Something else happened") == 1


async def test_what_was_kept_is_what_stands_there_in_the_end(make_plan: Plans) -> None:
    class Corrected(Answers):
        """Keeps other words than it streamed."""

        async def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]:
            yield TextDelta("The key is sk-1")
            await self._user.session.chat.add(MessageRole.AGENT, "The key is [hidden]")

    async with studio(responder=Corrected()) as user:
        await begin(user, make_plan(4))
        await talk(user)
        await user.write("tell me\n")
        await user.sees("The key is [hidden]")
        await user.misses("sk-1")


@pytest.mark.parametrize("role", MessageRole)
async def test_a_message_of_a_later_version_is_plain_text_now_and_after_reopening(
    role: MessageRole, make_plan: Plans
) -> None:
    plan, tool = {"rows": [{"name": "a"}], "call": "c1"}, {"call": ["c2"], "ok": True}
    async with studio() as user:
        await begin(user, make_plan(4))
        await talk(user)
        for kind, data in (("picture", {"of": "x"}), ("plan", plan), ("tool", tool)):
            await user.session.chat.add(role, f"a **{kind}** of [b]it[/b]", message_content(kind, data))
            await user.sees(f"a **{kind}** of [b]it[/b]")
    async with studio(open_first="support") as user:
        await talk(user)
        await user.sees(*[f"a **{kind}** of [b]it[/b]" for kind in ("picture", "plan", "tool")])
