"""``completion``: the shell's completion of commands and flags, made from the same tables as the parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.domain.errors import ExitCode

_SHELLS = ("bash", "zsh", "fish")
_PATHS = {"FILE": "file", "PLAN": "file", "DIR": "folder"}  # what an argument's name in the help says of it


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    from dsbuilder_tui.cli.parser import build_parser

    parser = build_parser()
    for command in _commands_of(parser):
        for action in command._actions:
            if action.metavar in _PATHS:
                action.complete = shtab.FILE if _PATHS[action.metavar] == "file" else shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(parser, arguments.shell))
    return ExitCode.COMPLETE


def _commands_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help="bash, zsh or fish")


COMMAND = CliCommand(help="print the completion script of a shell", rank=130, run=_completion, arguments=(_arguments,))
