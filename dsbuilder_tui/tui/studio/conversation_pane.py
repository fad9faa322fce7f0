"""The conversation pane: the log, what waits, the prompt. Knows how to talk, not what to say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message as TextualMessage
from textual.timer import Timer
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from dsbuilder_tui.agent.turn_events import Activity, TextDelta, ToolStarted, TurnEvent, TurnProgress, WordsWithdrawn
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.events import MessageAdded
from dsbuilder_tui.domain.message import (
    ErrorContent,
    Message,
    MessageKind,
    MessageRole,
    TextContent,
    ToolContent,
)
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, sides
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import Card, CardContent
from dsbuilder_tui.tui.studio.chat import ChatLog, Entry, ToolLine
from dsbuilder_tui.tui.studio.completion import Completion
from dsbuilder_tui.tui.studio.prompt import Completions, Prompt
from dsbuilder_tui.tui.widgets.linked_text import SafeMarkdown
from dsbuilder_tui.tui.widgets.painted import Painted

_SHOWN_AT_OPENING = 100
_SPINNER = "◌◍●◍"
_SPIN = 0.25  # seconds


class Below(Painted):
    """``↓ 3 new``: there is more below what is in view."""

    def __init__(self) -> None:
        super().__init__(id="below")
        self._count = 0
        self.display = False

    def show(self, count: int) -> None:
        self._count = count
        self.display = count > 0
        if count:
            self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return [sides((), [(f"↓ {self._count} new ", "info+bold", "follow")], width)]

    def action_follow(self) -> None:
        self.screen.query_one(ChatLog).action_follow()


class Queue(Painted):
    """Messages typed while an answer is being written; ↑ in an empty prompt takes the last one back."""

    def __init__(self) -> None:
        super().__init__(id="queue")
        self._texts: Sequence[str] = ()
        self.display = False

    def show(self, texts: Sequence[str]) -> None:
        self._texts = list(texts)
        self.display = bool(texts)
        self.styles.height = min(3, len(texts))
        if texts:
            self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        lines: list[Line] = []
        for number, text in enumerate(self._texts[:height], 1):
            more = f" (and {len(self._texts) - height} more)" if number == height and len(self._texts) > height else ""
            head: Span = (f"queued {number}  ", "warn")
            lines.append(cut((head, (clip(text, width - 20) + more, "muted")), width))
        return lines


class Hint(Painted):
    """What the prompt's keys do, or what the agent is doing."""

    def __init__(self) -> None:
        super().__init__(id="hint")
        self._busy = ""
        self._beat = 0
        self._timer: Timer | None = None

    def say(self, words: str) -> None:
        """What is being done; empty when it is over. The spinner turns in between."""
        self._busy = words
        if words and self._timer is None and self.is_attached:
            self._timer = self.set_interval(_SPIN, self._turn)
        elif not words and self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.repaint()

    def _turn(self) -> None:
        self._beat += 1
        self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        if self._busy:
            mark = _SPINNER[self._beat % len(_SPINNER)] if self.app.animation_level != "none" else _SPINNER[0]
            return [
                cut(((f"{mark} ", "accent"), (clip(self._busy, width - 14), "accent"), ("  esc stops", "muted")), width)
            ]
        words = "enter send · ^J new line · ↑ history · / commands" if width >= 48 else "enter send · / commands"
        return [cut(((words, "faint"),), width)]


class Standing(Painted):
    """What stands in the prompt's place where nothing can be said."""

    follows = True

    def __init__(self, draw: Callable[[], Sequence[Line]]) -> None:
        super().__init__(id="standing")
        self._draw = draw

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return [cut(line, width) for line in self._draw()]


@dataclass(frozen=True, slots=True)
class _TurnOver:
    """All that a turn had to show has been posted."""

    stopped: bool


class ConversationPane(Vertical):
    """Shows what the session keeps of the talk, and a turn of the agent as it comes."""

    class Said(TextualMessage):
        """The person sent something that is not a command, or a command."""

        def __init__(self, text: str, pastes: dict[int, str]) -> None:
            super().__init__()
            self.text, self.pastes = text, pastes

    class TurnEnded(TextualMessage):
        """The agent is done, and nothing waits to be said to it."""

    class CardShown(TextualMessage):
        """A card was shown that waits for the person's answer."""

    def __init__(
        self,
        choices: Callable[[str], Sequence[Completion]],
        *,
        readonly: bool = False,
        below: Callable[[], Sequence[Line]] = tuple,
    ) -> None:
        super().__init__(id="conversation")
        self._choices, self._readonly, self._below = choices, readonly, below
        self._queue: list[tuple[str, dict[int, str]]] = []
        self._turn: asyncio.Task[None] | None = None
        self._channel: asyncio.Queue[MessageAdded | TurnProgress | _TurnOver] = asyncio.Queue()
        self._card_state: Callable[[CardContent], CardState] = lambda content: CardState.OPEN
        self._now: Callable[[], float] = time.time
        self._finished = False
        self._draft: Entry | None = None  # the message that is being written
        self._stream: MarkdownStream | None = None
        self._tools: dict[str, ToolLine] = {}  # that have not answered yet, by call
        # What is drawn on is held, not looked for: what is still said while the screen is taken down is drawn on nothing.
        self.log_view, self._hint, self._queue_view = ChatLog(), Hint(), Queue()

    def compose(self) -> ComposeResult:
        yield self.log_view
        yield Below()
        yield self._queue_view
        if not self._readonly:
            with Vertical(id="prompt-box"):
                yield Completions()
                with Horizontal(id="prompt-row"):
                    yield Static("❯", id="prompt-mark")
                    yield Prompt(self._choices)
            yield self._hint
        elif lines := self._below():
            standing = Standing(self._below)
            standing.styles.height = len(lines) + 1  # with the rule above
            yield standing

    def on_mount(self) -> None:
        self.border_title = "Conversation"

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Who clicked or dragged in the conversation types next."""
        if not self._readonly and not isinstance(self.screen.focused, Card):
            self.query_one(Prompt).focus()

    def renew_standing(self) -> None:
        """What stands in the prompt's place has changed."""
        for standing in self.query(Standing):
            standing.repaint()

    async def open(self, messages: Sequence[Message], card_state: Callable[[CardContent], CardState]) -> None:
        """Show the conversation as it was when the session was left. ``card_state`` says what became of a card's plan."""
        self._card_state = card_state
        shown = messages[-_SHOWN_AT_OPENING:]
        log = self.log_view
        if len(messages) > len(shown):
            await log.mount(
                Static(
                    f"… {counted(len(messages) - len(shown), 'earlier message')} in the session file", classes="event"
                )
            )
        for message in shown:
            await self._show(message)
        if not self._readonly:
            sent = [m for m in messages if m.role == MessageRole.PERSON]
            texts = [m.content for m in sent if isinstance(m.content, TextContent)]
            pastes = {number: paste for content in texts for number, paste in content.pastes.items()}
            self.query_one(Prompt).remember([m.text for m in sent], pastes)
        log.unseen = 0
        log.scroll_end(animate=False)

    async def _show(self, message: Message) -> CardState:
        """Show a message, and return the state of its card if it has one."""
        content = message.content
        state = self._card_state(content) if isinstance(content, CardContent) else CardState.OPEN
        await self.log_view.add(message, state)
        return state

    # The one channel: everything that is drawn after the opening comes through here, in its order.

    def post(self, event: MessageAdded | TurnProgress | _TurnOver) -> None:
        """Have something drawn after all that was posted before: a message, or what is under way until it becomes one."""
        self._channel.put_nowait(event)

    async def draw(self) -> None:
        """Draw what is posted, for as long as the conversation is shown."""
        while not self._finished:
            match await self._channel.get():
                case MessageAdded() as event:
                    await self._draw_message(event.message)
                case TextDelta(text):
                    await self._draw_words(text)
                case WordsWithdrawn():
                    await self._withdraw()
                case Activity(words):
                    self._hint.say(words)
                case ToolStarted() as event:
                    self._tools[event.call_id] = line = ToolLine(event.words, ToolContent(tool=event.tool), busy=True)
                    await self.log_view.put(line)
                case _TurnOver(stopped):
                    await self._end_turn(stopped)

    async def _draw_message(self, message: Message) -> None:
        """A message takes the place of what was drawn of it while it was under way."""
        content = message.content
        if isinstance(content, ToolContent) and (line := self._tools.pop(content.call, None)) is not None:
            line.finish(message.text, content)
        elif self._draft is not None and (message.role, message.kind) == (self._draft.role, MessageKind.TEXT):
            await self._end_draft(message.text)
        else:
            state = await self._show(message)
            if isinstance(content, CardContent) and content.call and state is CardState.OPEN:
                self.post_message(self.CardShown())

    async def _draw_words(self, text: str) -> None:
        if self._draft is None or self._stream is None:
            entry = Entry(MessageRole.AGENT, "", MessageKind.TEXT, self._now(), growing=True)
            self._hint.say("answering")
            await self.log_view.put(entry)
            if not (bodies := entry.query(Markdown)):
                return  # the screen was closed meanwhile
            self._draft, self._stream = entry, Markdown.get_stream(bodies.first())
        self._draft.text += text
        await self._stream.write(visible(text))

    async def _withdraw(self) -> None:
        """What was drawn as words was a thought."""
        draft, self._draft = self._draft, None
        stream, self._stream = self._stream, None
        if draft is not None and stream is not None:
            await stream.stop()
            await draft.remove()

    async def _end_draft(self, whole: str) -> None:
        """The message that is being written is at its end, and reads ``whole``."""
        draft, self._draft = self._draft, None
        stream, self._stream = self._stream, None
        if draft is None or stream is None:
            return
        if whole.startswith(draft.text):
            if rest := whole[len(draft.text) :]:
                await stream.write(visible(rest))
            await stream.stop()
        else:
            await stream.stop()
            await draft.query_one(Markdown).update(visible(whole))
        draft.text = whole
        for body in draft.query(SafeMarkdown):
            await body.grown()

    def set_cards(self, state: Callable[[CardContent], CardState]) -> None:
        """Let every plan card say what has become of it."""
        for card in self.query(Card):
            card.set_state(state(card.content))

    @property
    def answering(self) -> bool:
        return self._turn is not None

    def on_prompt_sent(self, event: Prompt.Sent) -> None:
        event.stop()
        if self._turn is not None and not event.text.startswith("/"):
            self._queue.append((event.text, event.pastes))
            self._queue_view.show([text for text, _ in self._queue])
            return
        self.post_message(self.Said(event.text, event.pastes))

    def on_prompt_recall(self, event: Prompt.Recall) -> None:
        event.stop()
        prompt = self.query_one(Prompt)
        if self._queue:
            text, _ = self._queue.pop()
            self._queue_view.show([queued for queued, _ in self._queue])
            prompt.fill(text)
        else:
            prompt.walk_history(1)

    def on_chat_log_unseen(self, event: ChatLog.Unseen) -> None:
        event.stop()
        self.query_one(Below).show(event.count)

    def take_turn(self, events: AsyncGenerator[TurnEvent, None], now: Callable[[], float]) -> None:
        """Show a turn of the agent as it comes."""
        self._now = now
        self._turn = asyncio.create_task(self._follow_turn(events))

    async def _follow_turn(self, events: AsyncGenerator[TurnEvent, None]) -> None:
        self._hint.say("thinking")
        stopped = False
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, TurnProgress):
                        self.post(event)
        except asyncio.CancelledError:
            stopped = True
        except DsbuilderError as error:
            now = self._now()
            trouble = Message(0, MessageRole.DSBUILDER, f"✗ {error}", ErrorContent(), now)
            self.post(MessageAdded(ts=now, message=trouble))
        finally:
            self.post(_TurnOver(stopped))

    async def _end_turn(self, stopped: bool) -> None:
        if self._draft is not None:  # it could not be kept
            await self._end_draft(self._draft.text + (" *(stopped)*" if stopped else ""))
        for line in self._tools.values():
            line.finish("stopped", line.content.model_copy(update={"ok": False}))
        self._tools.clear()
        self._hint.say("")
        self._turn = None
        if self._queue:
            text, pastes = self._queue.pop(0)
            self._queue_view.show([queued for queued, _ in self._queue])
            self.post_message(self.Said(text, pastes))
        else:
            self.post_message(self.TurnEnded())

    def stop_answer(self) -> bool:
        """Stop the answer in progress; says whether there was one."""
        if self._turn is None:
            return False
        self._turn.cancel()
        return True

    async def finish(self) -> None:
        """Stop, and wait until what was said is kept."""
        self._queue.clear()
        self._finished = True
        if self._turn is not None:
            self._turn.cancel()
            await asyncio.gather(self._turn, return_exceptions=True)
