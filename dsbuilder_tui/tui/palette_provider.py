"""The command palette's entries: the slash commands where a session is open, and what always works."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding

from dsbuilder_tui.tui.colours import COLOURS
from dsbuilder_tui.tui.commands import slash_commands
from dsbuilder_tui.tui.widgets.chrome import key_name

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.slash_command import SlashCommand
    from dsbuilder_tui.tui.studio.screen import StudioScreen

# These stand in the palette by themselves, or mean nothing without an argument.
_ELSEWHERE = ("help", "quit", "theme", "settings", "model", "home", "goto", "switch")


def palette_entries(app: StudioApp, studio: StudioScreen | None) -> Iterable[SystemCommand]:
    """Everything that can be done right now, with the key that does the same."""
    if studio is not None and studio.watched.acts:
        for command in slash_commands():
            if command.name not in _ELSEWHERE:
                yield _entry(command.name, command.words, partial(_obey, app, studio, command), command.key)
    if studio is not None and app.replay is None:
        yield _entry("home", "back to the list of sessions", app.action_home)
    yield _entry("go to", "a case, a category, a setting, a session, a screen …", app.action_goto, "ctrl+g")
    yield _entry("back", "to where you were before", partial(app.action_step, -1), "alt+left")
    yield _entry("forward", "to where you were before you went back", partial(app.action_step, 1), "alt+right")
    yield _entry("jump labels", "a letter at everything that can be followed or focused", app.action_labels, "ctrl+l")
    if app.replay is None:
        yield _entry("other session", "open it in place of this one", app.action_sessions, "ctrl+t")
    for name in COLOURS:
        yield _entry(f"theme: {name}", "colours", partial(app.choose_theme, name))
    if app.replay is None:
        yield _entry("settings", "every setting, and where it came from", app.action_settings)
    yield _entry("help", "keys, commands, where things are", app.action_help, "f1")
    yield _entry("quit", "leave; asks while a run is going on", app.action_leave, "ctrl+q")


def _entry(name: str, words: str, act: Callable[[], object], key: str = "") -> SystemCommand:
    return SystemCommand(name, f"{key_name(Binding(key, ''))} · {words}" if key else words, act)


def _obey(app: StudioApp, studio: StudioScreen, command: SlashCommand) -> None:
    while app.screen is not studio:
        app.pop_screen()
    app.attempt(studio.actions.obey(command))
