"""The header above a screen, the keys below it, and the tabs of a narrow terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.binding import Binding

from dsbuilder_tui.tui.paint.chrome import Key, key_bar, tab_bar
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.widgets.painted import Painted

_NAMES = {
    "escape": "esc", "delete": "del", "slash": "/", "space": "space", "full_stop": ".", "question_mark": "?",
    "left": "←", "right": "→", "up": "↑", "down": "↓", "plus": "+", "minus": "-", "pageup": "pgup", "pagedown": "pgdn",
}  # fmt: skip


def key_name(binding: Binding) -> str:
    """How a key is written for a person: ``^P``, ``F2``, ``esc``."""
    if binding.key_display:
        return binding.key_display
    key = binding.key
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return _NAMES.get(key, key)


class TopLine(Painted):
    """One painted line at the top; what it says comes from the screen."""

    ground = "raised"

    def __init__(self, draw: Callable[[int], Line]) -> None:
        super().__init__(classes="top-line")
        self._draw = draw

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return [self._draw(width)]


class KeyBar(Painted):
    """The keys that work right now, read off the bindings of the screen and of what is focused."""

    ground = "raised"

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.repaint())

    def paint(self, width: int, height: int) -> Sequence[Line]:
        keys: list[Key] = []
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled:
                continue
            words = getattr(self.screen, "key_words", lambda b: b.description)(binding)
            if words:
                keys.append(Key(key_name(binding), words, f"screen.press('{binding.key}')"))
        # The keys of what is focused first; those that always work at the end, the way out last.
        keys.sort(key=lambda k: (k.key in ("^Q",), k.key in ("F1",)))
        return [key_bar(keys, width)]


class Tabs(Painted):
    """The tab line of a narrow terminal."""

    def __init__(self, names: Sequence[str], counts: Callable[[], Sequence[str]]) -> None:
        super().__init__(classes="tabs")
        self._names, self._counts = names, counts
        self.chosen = 0

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return [tab_bar(self._names, self.chosen, self._counts(), width)]
