"""Letters at everything on a screen that can be followed, focused or chosen: typing one does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.errors import NoWidget
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.rows import RowList

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
_MOST = len(LETTERS) ** 2


@dataclass(frozen=True, slots=True)
class JumpTarget:
    """Where a label is shown, and what typing it does."""

    at: Offset
    activate: Callable[[], Awaitable[object]]


def show_labels(screen: Screen[object]) -> None:
    """Show the labels of a screen, if there is anything to jump to."""

    def jump(target: JumpTarget | None) -> None:
        if target is not None:
            screen.call_later(target.activate)

    if targets := jump_targets(screen):
        screen.app.push_screen(JumpLabels(targets), jump)


def jump_targets(screen: Screen[object]) -> list[JumpTarget]:
    """What can be jumped to, from the top left to the bottom right: links and whatever else a click works on, the rows of
    the list that has the keys, and what can take the keys."""
    found: dict[Offset, JumpTarget] = {}
    for target in (*_actions(screen), *_rows(screen), *_focusable(screen)):
        found.setdefault(target.at, target)
    return sorted(found.values(), key=lambda target: (target.at.y, target.at.x))[:_MOST]


def _actions(screen: Screen[object]) -> list[JumpTarget]:
    """Everything that is drawn with an action behind it, each action of a widget once; the keys at the bottom have keys."""
    found: dict[tuple[Widget, str], JumpTarget] = {}
    for y in range(screen.size.height):
        x = 0
        while x < screen.size.width:
            try:
                widget, region = screen.get_widget_at(x, y)
            except NoWidget:
                x += 1
                continue
            if isinstance(widget, KeyBar) or widget is screen:
                x = max(x + 1, region.right)
                continue
            end = min(region.right, screen.size.width)
            for at in range(x, end):
                if at > x and screen.get_widget_at(at, y)[0] is not widget:
                    end = at
                    break
                action = screen.get_style_at(at, y).meta.get("@click")
                if isinstance(action, str) and (widget, action) not in found:
                    run = partial(screen.app.run_action, action, default_namespace=widget)
                    found[widget, action] = JumpTarget(Offset(at, y), run)
            x = end
    return list(found.values())


def _rows(screen: Screen[object]) -> list[JumpTarget]:
    rows = screen.focused
    if not isinstance(rows, RowList):
        return []
    left, top = rows.content_region.offset
    return [JumpTarget(Offset(left, top + y), partial(_choose, rows, index)) for index, y in rows.rows_in_view()]


async def _choose(rows: RowList, index: int) -> None:
    rows.move_to(index)


def _focusable(screen: Screen[object]) -> list[JumpTarget]:
    seen = screen.size.region
    return [
        JumpTarget(widget.region.offset, partial(_focus, widget))
        for widget in screen.focus_chain
        if widget is not screen.focused and widget.region and seen.contains(*widget.region.offset)
    ]


async def _focus(widget: Widget) -> None:
    widget.focus()


class JumpLabels(ModalScreen[JumpTarget | None]):
    """The labels over a screen. Whatever is typed is for them; Esc takes them away."""

    DEFAULT_CSS = """
    JumpLabels { background: $ds-ground 30%; align: left top; }
    JumpLabels .jump-label {
        position: absolute; width: auto; height: 1; background: $ds-accent; color: $ds-ground; text-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", key_display="esc")]

    def __init__(self, targets: Sequence[JumpTarget]) -> None:
        super().__init__()
        size = 1 if len(targets) <= len(LETTERS) else 2
        names = ("".join(letters) for letters in product(LETTERS, repeat=size))
        self.targets = dict(zip(names, targets, strict=False))
        self._typed = ""

    def compose(self) -> ComposeResult:
        for name, target in self.targets.items():
            label = Static(name, classes="jump-label", id=f"jump-{name}")
            label.styles.offset = target.at
            yield label

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character and event.character.casefold() in LETTERS:
            self._typed += event.character.casefold()
        if (target := self.targets.get(self._typed)) is not None:
            self.dismiss(target)
            return
        if not any(name.startswith(self._typed) for name in self.targets):
            self._typed = ""
        for name in self.targets:
            self.query_one(f"#jump-{name}").display = name.startswith(self._typed)
