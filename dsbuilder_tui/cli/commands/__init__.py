"""The commands, one file each: a file that is here is a command, and nothing else has to know of it.

A file is named after its command; an underscore at the end keeps it apart from a word of Python (``import_``).
"""

from __future__ import annotations

import importlib
import pkgutil

from dsbuilder_tui.cli.command import CliCommand


def command_names() -> list[str]:
    """The names of all commands, without importing one."""
    return [info.name.rstrip("_") for info in pkgutil.iter_modules(__path__)]


def load_command(name: str) -> CliCommand:
    """The command of that name. Raises ``KeyError`` for one that is not there."""
    modules = {info.name.rstrip("_"): info.name for info in pkgutil.iter_modules(__path__)}
    command: CliCommand = importlib.import_module(f"{__name__}.{modules[name]}").COMMAND
    return command


def all_commands() -> dict[str, CliCommand]:
    """Every command, in the order of the help."""
    loaded = {name: load_command(name) for name in command_names()}
    return dict(sorted(loaded.items(), key=lambda item: (item[1].rank, item[0])))
