"""``redo``: what was undone in a session, done again."""

from __future__ import annotations

import argparse

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.undoing import OPTIONS, take_steps


def _redo(arguments: argparse.Namespace) -> int:
    return take_steps(arguments, redo=True)


COMMAND = CliCommand(help="do again what was undone last", rank=63, run=_redo, arguments=OPTIONS)
