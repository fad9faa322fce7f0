"""The header above a screen, the keys below it, and the tabs of a narrow terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.binding import Binding

from dsbuilder_tui.tui.paint.chrome import Key, key_bar, tab_bar
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.widgets.painted import Painted

_NAMES = {
    "escape": "esc", "delete": "del", "slash": "/", "space": "space", "full_stop": ".", "question_mark": "?",
    "equals_sign": "=", "left": "←", "right": "→", "up": "↑", "down": "↓", "plus": "+", "minus": "-",
    "pageup": "pgup", "pagedown": "pgdn", "colon": ":",
}  # fmt: skip


_BEHIND = 1_000  # the place of a key that every screen has, among those of one
_LAST = {"escape": 2, "f1": 3, "ctrl+q": 4}
# What destroys, undoes, decides, or leads anywhere is there at any width.
_ALWAYS = ("trash", "restore", "withdraw", "toggle_run", "answer_card", "take_over", "undo", "goto")


def key_name(binding: Binding) -> str:
    """How a key is written for a person: ``^P``, ``F2``, ``esc``."""
    if binding.key_display:
        return binding.key_display
    key = binding.key
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    if key.startswith("alt+"):
        rest = key.removeprefix("alt+")
        return f"alt-{_NAMES.get(rest, rest)}"
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return _NAMES.get(key, key)


class TopLine(Painted):
    """One painted line at the top; what it says comes from the screen."""

    follows = True
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
        screen = self.screen
        places = {b.key.partition(",")[0]: i for i, b in enumerate(type(screen).BINDINGS) if isinstance(b, Binding)}
        describe, refuses = getattr(screen, "key_words", None), getattr(screen, "refuses", None)
        ranked: list[tuple[tuple[int, int], Key]] = []
        seen: set[tuple[str, str]] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled:
                continue
            if refuses is not None and refuses(active.node, binding.action.partition("(")[0]):
                continue
            words = describe(binding) if describe is not None else binding.description
            if words and (binding.action, words) not in seen:  # one that several keys do is shown once
                seen.add((binding.action, words))
                # What is focused first, then the screen in its own order; the ways out last.
                group = _LAST.get(binding.key, 1 if active.node in (screen, self.app) else 0)
                kept = binding.key in _LAST or binding.action.partition("(")[0] in _ALWAYS
                key = Key(key_name(binding), words, f"screen.press('{binding.key}')", kept)
                ranked.append(((group, places.get(binding.key, 0 if group == 0 else _BEHIND)), key))
        ranked.sort(key=lambda pair: pair[0])
        return [key_bar([key for _, key in ranked], width)]


class Tabs(Painted):
    """The tab line of a narrow terminal."""

    follows = True

    def __init__(self, names: Sequence[str], counts: Callable[[], Sequence[str]]) -> None:
        super().__init__(classes="tabs")
        self._names, self._counts = names, counts
        self.chosen = 0

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return [tab_bar(self._names, self.chosen, self._counts(), width)]
