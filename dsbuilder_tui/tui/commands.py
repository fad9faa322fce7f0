"""The slash commands: names, arguments, completion. They work with no model at all."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.errors import InputError


@dataclass(frozen=True, slots=True)
class Command:
    """``choices`` are the values its first argument can take, when they are known beforehand."""

    name: str
    argument: str
    words: str
    choices: tuple[str, ...] = ()


COMMANDS = (
    Command("plan", "[edit]", "show the plan as a card; edit it", ("edit",)),
    Command("run", "", "begin, or go on with the open slots"),
    Command("pause", "", "let work in flight drain, then save"),
    Command("resume", "", "go on with the open slots"),
    Command("retry", "", "try the slots that were given up on again"),
    Command("status", "", "where the session stands"),
    Command("checkpoint", "[NAME]", "write a checkpoint now"),
    Command("cases", "[WORDS]", "look at the accepted cases, and search them"),
    Command("coverage", "", "what the cases cover, and how different they are"),
    Command("checkpoints", "", "the timeline"),
    Command("rejected", "", "what was turned away, beside what it repeats"),
    Command("workers", "", "each call: prompt, answer, retries, tokens"),
    Command("export", "[FILE]", "write the dataset: .jsonl, .json, .csv, .parquet"),
    Command("model", "[main] [NAME]", "show or choose the workers' model, or the agent's"),
    Command("budget", "[N|off]", "show or set the dollars it may cost", ("off",)),
    Command("pace", "[N|off]", "cases a second of the built-in writer", ("off", "20", "60", "200")),
    Command("theme", "[NAME]", "dark, light or high-contrast", ("dark", "light", "high-contrast")),
    Command("settings", "", "every setting, and where it came from"),
    Command("home", "", "back to the list of sessions"),
    Command("help", "", "keys, commands, where things are"),
    Command("quit", "", "leave; asks while a run is going on"),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def parse(text: str) -> tuple[Command, str]:
    """``/export out.csv`` → the command and ``out.csv``. Raises ``InputError`` naming the nearest command."""
    name, _, argument = text.strip().removeprefix("/").partition(" ")
    command = _BY_NAME.get(name.casefold())
    if command is None:
        close = difflib.get_close_matches(name.casefold(), _BY_NAME, n=1)
        hint = f"Did you mean /{close[0]}?" if close else "Type / to see them all."
        raise InputError(f"There is no command /{name[:40]}.", hint)
    return command, argument.strip()


def completions(text: str, arguments: Callable[[Command], Sequence[str]]) -> list[tuple[str, str]]:
    """What a prompt that begins with ``/`` could become, as (text, explanation)."""
    if not text.startswith("/") or "\n" in text:
        return []
    name, blank, argument = text[1:].partition(" ")
    if not blank:
        wanted = name.casefold()
        begins = [c for c in COMMANDS if c.name.startswith(wanted)]
        holds = [c for c in COMMANDS if wanted in c.name and c not in begins]
        return [(f"/{c.name}{' ' if c.argument else ''}", f"{c.argument} {c.words}".strip()) for c in (*begins, *holds)]
    command = _BY_NAME.get(name.casefold())
    if command is None:
        return []
    values = [*command.choices, *arguments(command)]
    found = [v for v in values if v.casefold().startswith(argument.casefold()) and v != argument]
    return [(f"/{command.name} {value}", "") for value in found]
