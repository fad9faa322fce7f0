"""The slash commands, one file each: found here, so that nothing else has to know of one. They work with no model at all."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.registry import ScreenRow, session_screens
from dsbuilder_tui.tui.slash_command import SlashCommand

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session
    from dsbuilder_tui.tui.studio.actions import StudioActions

_SCREENS_FROM = 80  # the rank of the first command that opens a screen


@cache
def slash_commands() -> tuple[SlashCommand, ...]:
    """All commands in the order of the help: those of this folder, and one for each screen about the session."""
    found: list[SlashCommand] = [
        importlib.import_module(f"{__name__}.{info.name}").COMMAND for info in pkgutil.iter_modules(__path__)
    ]
    found += [_opening(row, _SCREENS_FROM + place) for place, row in enumerate(session_screens())]
    return tuple(sorted(found, key=lambda command: (command.rank, command.name)))


def _opening(row: ScreenRow, rank: int) -> SlashCommand:
    async def run(actions: StudioActions, argument: str) -> None:
        actions.open_screen(row.name, *([argument] if row.argument else []))

    def arguments(session: Session) -> Sequence[str]:
        return [category.name for category in session.plan.categories] if row.argument else []

    return SlashCommand(
        name=row.name, argument=row.argument, words=row.words, rank=rank, run=run, key=row.key, arguments=arguments
    )


def _by_name() -> dict[str, SlashCommand]:
    return {command.name: command for command in slash_commands()}


def parse(text: str) -> tuple[SlashCommand, str]:
    """``/export out.csv`` → the command and ``out.csv``. Raises ``InputError`` naming the nearest command."""
    name, _, argument = text.strip().removeprefix("/").partition(" ")
    known = _by_name()
    command = known.get(name.casefold())
    if command is None:
        close = difflib.get_close_matches(name.casefold(), known, n=1)
        hint = f"Did you mean /{close[0]}?" if close else "Type / to see them all."
        raise InputError(f"There is no command /{name[:40]}.", hint)
    return command, argument.strip()


def completions(text: str, session: Session) -> list[tuple[str, str]]:
    """What a prompt that begins with ``/`` could become, as (text, explanation)."""
    if not text.startswith("/") or "\n" in text:
        return []
    name, blank, argument = text[1:].partition(" ")
    if not blank:
        wanted = name.casefold()
        begins = [c for c in slash_commands() if c.name.startswith(wanted)]
        holds = [c for c in slash_commands() if wanted in c.name and c not in begins]
        return [(f"/{c.name}{' ' if c.argument else ''}", f"{c.argument} {c.words}".strip()) for c in (*begins, *holds)]
    command = _by_name().get(name.casefold())
    if command is None:
        return []
    sought = argument.casefold()
    values = [value for value in (*command.choices, *command.arguments(session)) if value != argument]
    first = [value for value in values if value.casefold().startswith(sought)]
    others = [value for value in values if sought in value.casefold() and value not in first]
    return [(f"/{command.name} {value}", "") for value in (*first, *others)]
