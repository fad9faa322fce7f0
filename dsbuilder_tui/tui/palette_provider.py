"""The command palette's entries: the slash commands where a session is open, and what always works."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from dsbuilder_tui.tui.colours import COLOURS
from dsbuilder_tui.tui.commands import slash_commands

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.slash_command import SlashCommand
    from dsbuilder_tui.tui.studio.screen import StudioScreen

# These stand in the palette by themselves, or mean nothing without an argument.
_ELSEWHERE = ("help", "quit", "theme", "settings", "model", "home")


def palette_entries(app: StudioApp, studio: StudioScreen | None) -> Iterable[SystemCommand]:
    """Everything that can be done right now."""
    if studio is not None and studio.watched.acts:
        for command in slash_commands():
            if command.name not in _ELSEWHERE:
                yield SystemCommand(command.name, command.words, partial(_obey, app, studio, command))
    if studio is not None and app.replay is None:
        yield SystemCommand("home", "back to the list of sessions", app.action_home)
    for name in COLOURS:
        yield SystemCommand(f"theme: {name}", "colours", partial(app.choose_theme, name))
    if app.replay is None:
        yield SystemCommand("settings", "every setting, and where it came from", app.action_settings)
    yield SystemCommand("help", "keys, commands, where things are", app.action_help)
    yield SystemCommand("quit", "leave; asks while a run is going on", app.action_leave)


def _obey(app: StudioApp, studio: StudioScreen, command: SlashCommand) -> None:
    while app.screen is not studio:
        app.pop_screen()
    app.attempt(studio.actions.obey(command))
