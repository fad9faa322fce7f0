"""The parser of the command line, put together from the commands' own tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.commands import all_commands, command_names, load_command
from dsbuilder_tui.domain.sanitise import visible

EXIT_CODES = """\
exit codes:
  0  complete
  1  anything not listed here
  2  bad usage or input
  3  finished short: some slots are exhausted; or dedup --check has found something
  4  paused or interrupted; `dsbuilder resume` goes on
  5  the endpoint refused: key, model or quota"""


class CommandParser(argparse.ArgumentParser):
    """A parser whose messages repeat what was typed, or came out of a script, with control characters made visible."""

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(visible(message))  # argparse's own would not tell that nothing was written


def build_parser(given: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of a command line that begins with a command's name: only that command is imported.

    Without such a name every command is in it, with its help.
    """
    parser = CommandParser(
        prog="dsbuilder",
        description="Evaluation datasets for LLM applications: planned, diverse, saved as they grow.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    wanted = given[0] if given else ""
    loaded: dict[str, CliCommand] = {wanted: load_command(wanted)} if wanted in command_names() else all_commands()
    for name, command in loaded.items():
        sub = commands.add_parser(
            name, help=command.help, description=command.help[:1].upper() + command.help[1:] + ".", epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        sub.set_defaults(run=command.run, memory=command.memory)
        for add in command.arguments:
            add(sub)
    return parser
