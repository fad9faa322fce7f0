"""The conversation pane: the log, what waits, the prompt. Knows how to talk, not what to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message as TextualMessage
from textual.widgets import Markdown, Static

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.words import counted
from dsbuilder_tui.session import Message
from dsbuilder_tui.tui.paint.card import is_card
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, sides
from dsbuilder_tui.tui.widgets.chat import ChatLog, Entry, PlanCard
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.tui.widgets.prompt import Completions, Prompt

_SHOWN_AT_OPENING = 100


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
    """What the prompt's keys do, or what the answer in progress is doing."""

    def __init__(self) -> None:
        super().__init__(id="hint")
        self._busy = ""

    def say(self, words: str) -> None:
        self._busy = words
        self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        if self._busy:
            return [cut(((f"◌ {self._busy}", "accent"), ("  esc stops", "muted")), width)]
        words = "enter send · ^J new line · ↑ history · / commands" if width >= 48 else "enter send · / commands"
        return [cut(((words, "faint"),), width)]


class Conversation(Vertical):
    """``respond`` gives the answer to a message piece by piece; ``save`` keeps it and shows it."""

    class Said(TextualMessage):
        """The person sent something that is not a command, or a command."""

        def __init__(self, text: str, pastes: dict[int, str]) -> None:
            super().__init__()
            self.text, self.pastes = text, pastes

    def __init__(self, choices: Callable[[str], Sequence[tuple[str, str]]], *, readonly: bool = False) -> None:
        super().__init__(id="conversation")
        self._choices, self._readonly = choices, readonly
        self._queue: list[tuple[str, dict[int, str]]] = []
        self._turn: asyncio.Task[None] | None = None
        self._streaming: Entry | None = None

    def compose(self) -> ComposeResult:
        yield ChatLog()
        yield Below()
        yield Queue()
        if not self._readonly:
            with Vertical(id="prompt-box"):
                yield Completions()
                with Horizontal(id="prompt-row"):
                    yield Static("❯", id="prompt-mark")
                    yield Prompt(self._choices)
            yield Hint()

    def on_mount(self) -> None:
        self.border_title = "Conversation"

    @property
    def log_view(self) -> ChatLog:
        return self.query_one(ChatLog)

    async def open(self, messages: Sequence[Message], card_state: Callable[[Mapping[str, Any]], str]) -> None:
        """Show the conversation as it was when the session was left."""
        shown = messages[-_SHOWN_AT_OPENING:]
        log = self.log_view
        if len(messages) > len(shown):
            await log.mount(
                Static(
                    f"… {counted(len(messages) - len(shown), 'earlier message')} in the session file", classes="event"
                )
            )
        for message in shown:
            await self.show(message, card_state(message.data) if is_card(message.data) else "open")
        if not self._readonly:
            sent = [m for m in messages if m.role == "person"]
            pastes = {int(n): str(text) for m in sent for n, text in (m.data.get("pastes") or {}).items()}
            self.query_one(Prompt).remember([m.text for m in sent], pastes)
        log.unseen = 0
        log.scroll_end(animate=False)

    async def show(self, message: Message, card_state: str = "open") -> None:
        """Show a message that the session keeps (or one that it could not keep)."""
        await self.log_view.add(message.role, message.text, message.kind, message.created_at, message.data, card_state)

    def claims(self, role: str, kind: str, text: str) -> bool:
        """Whether a message is the answer that was just streamed, and so on the screen already."""
        if self._streaming is None or (role, kind) != (self._streaming.role, "text"):
            return False
        self._streaming.text = text
        return True

    def set_cards(self, state: Callable[[Mapping[str, Any]], str]) -> None:
        """Let every plan card say what has become of it."""
        for card in self.query(PlanCard):
            card.set_state(state(card.data))

    @property
    def answering(self) -> bool:
        return self._turn is not None

    def on_prompt_sent(self, event: Prompt.Sent) -> None:
        event.stop()
        if self._turn is not None and not event.text.startswith("/"):
            self._queue.append((event.text, event.pastes))
            self.query_one(Queue).show([text for text, _ in self._queue])
            return
        self.post_message(self.Said(event.text, event.pastes))

    def on_prompt_recall(self, event: Prompt.Recall) -> None:
        event.stop()
        prompt = self.query_one(Prompt)
        if self._queue:
            text, _ = self._queue.pop()
            self.query_one(Queue).show([queued for queued, _ in self._queue])
            prompt.fill(text)
        else:
            prompt.walk_history(1)

    def on_chat_log_unseen(self, event: ChatLog.Unseen) -> None:
        event.stop()
        self.query_one(Below).show(event.count)

    def answer(
        self,
        pieces: AsyncIterator[str],
        save: Callable[[str], Any],
        now: Callable[[], float],
        role: str = "agent",
    ) -> None:
        """Stream an answer into the log; ``save`` gets its whole text, also when it is stopped."""
        self._turn = asyncio.create_task(self._stream(pieces, save, now, role))

    async def _stream(
        self, pieces: AsyncIterator[str], save: Callable[[str], Any], now: Callable[[], float], role: str
    ) -> None:
        heard: list[str] = []
        entry = Entry(role, "", "text", now())
        self._streaming = entry
        hint = self.query_one(Hint)
        hint.say("answering")
        stream = None
        try:
            await self.log_view.put(entry)
            stream = Markdown.get_stream(entry.query_one(Markdown))
            async for piece in pieces:
                heard.append(piece)
                await stream.write(visible(piece))
        except asyncio.CancelledError:
            heard.append(" *(stopped)*")
            if stream is not None:
                with suppress(RuntimeError):
                    await stream.write(" *(stopped)*")
        except DsbuilderError as error:
            heard.append(f"\n\n✗ {error}")
            if stream is not None:
                await stream.write(visible(heard[-1]))
        finally:
            if stream is not None:
                await stream.stop()
            hint.say("")
            await save("".join(heard))
            self._streaming, self._turn = None, None
            if self._queue:
                text, pastes = self._queue.pop(0)
                self.query_one(Queue).show([queued for queued, _ in self._queue])
                self.post_message(self.Said(text, pastes))

    def stop_answer(self) -> bool:
        """Stop the answer in progress; says whether there was one."""
        if self._turn is None:
            return False
        self._turn.cancel()
        return True

    async def finish(self) -> None:
        """Stop, and wait until what was said is kept."""
        self._queue.clear()
        if self._turn is not None:
            self._turn.cancel()
            await asyncio.gather(self._turn, return_exceptions=True)
