"""The conversation's entries, and the log that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.widget import Widget
from textual.widgets import Markdown, Static

from dsbuilder_tui.domain.message import (
    ErrorContent,
    Message,
    MessageKind,
    MessageRole,
    NoticeContent,
    PlanContent,
    QuestionContent,
    ThoughtsContent,
    ToolContent,
)
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import Line, plain
from dsbuilder_tui.tui.places.links import linked, links_in
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import PlanCard, QuestionCard
from dsbuilder_tui.tui.studio.folded_paint import thoughts_lines, tool_lines
from dsbuilder_tui.tui.widgets.linked_text import LinkedText, SafeMarkdown
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.wording import clock_time

# Live Markdown is dear (17 ms a message); older messages become plain text.
_MOST_MARKDOWN = 20
_MOST_ENTRIES = 400

WHO: dict[str, tuple[str, str]] = {
    MessageRole.PERSON: ("You", "bold $ds-info"),
    MessageRole.AGENT: ("Agent", "bold $ds-accent"),
    MessageRole.DSBUILDER: ("dsbuilder", "bold $ds-accent"),
}


def _class(word: str) -> str:
    """A word out of the session file as a style class; one that cannot be one has none."""
    return word if word.isidentifier() and word.isascii() else "other"


class Entry(Vertical):
    """One message: who and when, and what was said."""

    def __init__(self, role: str, text: str, kind: MessageKind, ts: float, *, growing: bool = False) -> None:
        """``growing``: its text is still being written."""
        super().__init__(classes=f"entry {_class(role)} kind-{kind}")
        self._growing = growing
        self.role, self.text, self.kind, self.ts = role, text, kind, ts

    def compose(self) -> ComposeResult:
        name, style = WHO.get(self.role, (plain(self.role), "bold"))
        yield Static(
            Content.assemble((name, style), (f"  {clock_time(self.ts, seconds=False)}", "$ds-faint")), classes="who"
        )
        yield self.body()

    def body(self) -> Widget:
        if self.role == MessageRole.PERSON or self.kind is MessageKind.OTHER:
            return LinkedText(Content(visible(self.text)), classes="said")
        return SafeMarkdown(self.text, growing=self._growing)

    async def flatten(self) -> None:
        """Give up live Markdown for plain text; looks a little plainer and costs next to nothing."""
        for markdown in self.query(Markdown):
            await markdown.remove()
            await self.mount(LinkedText(Content(visible(self.text)), classes="said"))


class EventLine(LinkedText):
    """A one-line event in the conversation: a run began, a pause was saved."""

    def __init__(self, text: str, kind: MessageKind) -> None:
        shown = visible(text)
        mark, rest = shown[:1], shown[1:]
        styles = {"✓": "$ds-good", "✗": "$ds-bad bold", "!": "$ds-warn", "‖": "$ds-warn", "↺": "$ds-info"}
        content = (
            Content.assemble((mark, styles[mark]), (rest, "$ds-text" if kind is MessageKind.ERROR else "$ds-muted"))
            if mark in styles
            else Content(shown)
        )
        super().__init__(content, classes=f"event kind-{kind}")


class FoldedLine(Painted):
    """One line with more behind it, which a click or ^O opens."""

    def __init__(self) -> None:
        super().__init__(classes="tool-line")
        self.opened = False
        self.styles.height = 1

    def set_open(self, opened: bool) -> None:
        self.opened = opened
        self.styles.height = len(self.paint(max(20, self.size.width), 1))
        self.repaint()

    def action_unfold(self) -> None:
        self.set_open(not self.opened)


class ThoughtsLine(FoldedLine):
    """That the agent's model thought, and behind it what."""

    def __init__(self, content: ThoughtsContent) -> None:
        super().__init__()
        self.content = content

    def paint(self, width: int, height: int) -> Sequence[Line]:
        lines = thoughts_lines(self.content, width, opened=self.opened)
        return [linked(line, partial(links_in, self)) for line in lines]


class ToolLine(FoldedLine):
    """What a tool of the agent did, and behind it what it was given and what it answered."""

    def __init__(self, text: str, content: ToolContent, *, busy: bool = False) -> None:
        super().__init__()
        self.text, self.content, self.busy = text, content, busy

    def finish(self, text: str, content: ToolContent) -> None:
        """The tool has answered, or was stopped."""
        self.text, self.content, self.busy = text, content, False
        self.repaint()

    def set_open(self, opened: bool) -> None:
        super().set_open(opened and not self.busy)

    def paint(self, width: int, height: int) -> Sequence[Line]:
        lines = tool_lines(self.text, self.content, width, busy=self.busy, opened=self.opened)
        return [linked(line, partial(links_in, self)) for line in lines]


class ChatLog(VerticalScroll, can_focus=True):
    """The conversation so far. Follows its end until the person scrolls up; then counts what is new below."""

    FOCUS_ON_CLICK = False  # who clicks or drags here wants to read or to copy, and then to type

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end", "follow", "newest", show=False),
    ]

    class Unseen(TextualMessage):
        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self) -> None:
        super().__init__(id="chat")
        self.unseen = 0
        self._follows = True

    @property
    def at_end(self) -> bool:
        return self.max_scroll_y - self.scroll_offset.y <= 1

    def shows(self, widget: Widget) -> bool:
        """Whether the end of an entry is in view."""
        return self.scroll_offset.y < widget.virtual_region.bottom <= self.scroll_offset.y + self.size.height

    async def add(self, message: Message, card_state: CardState) -> Widget:
        """Show one more message; ``card_state`` says what has become of its card, if it has one."""
        widget: Widget
        match message.content:
            case PlanContent() as plan:
                for card in self.query(PlanCard):
                    if card.state is CardState.OPEN and card_state is CardState.OPEN:
                        card.set_state(CardState.OLDER)
                widget = PlanCard(plan, card_state)
            case QuestionContent() as question:
                widget = QuestionCard(message.text, question, card_state)
            case ToolContent() as tool:
                widget = ToolLine(message.text, tool)
            case ThoughtsContent() as thoughts:
                widget = ThoughtsLine(thoughts)
            case NoticeContent() | ErrorContent() if message.role == MessageRole.DSBUILDER:
                widget = EventLine(message.text, message.kind)
            case _:
                widget = Entry(message.role, message.text, message.kind, message.created_at)
        await self.put(widget)
        return widget

    async def put(self, widget: Widget) -> None:
        following = self._follows
        await self.mount(widget)
        if not following:
            self.unseen += 1
            self.post_message(self.Unseen(self.unseen))
        await self._thin_out()

    async def _thin_out(self) -> None:
        lively = [entry for entry in self.query(Entry) if entry.query(Markdown)]
        for entry in lively[:-_MOST_MARKDOWN]:
            await entry.flatten()
        if len(self.children) > _MOST_ENTRIES:
            await self.remove_children(list(self.children)[: len(self.children) - _MOST_ENTRIES])

    def action_follow(self) -> None:
        self._follows = True
        self.scroll_end(animate=False)
        self.seen()

    def seen(self) -> None:
        if self.unseen:
            self.unseen = 0
            self.post_message(self.Unseen(0))

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if new < old and not self.at_end:
            self._follows = False
        elif self.at_end:
            self._follows = True
            self.seen()

    def watch_virtual_size(self, virtual_size: Size) -> None:
        if self._follows:
            self.call_after_refresh(self.scroll_end, animate=False)
