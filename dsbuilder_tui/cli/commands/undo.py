"""``undo``: what was done to a session last, taken back."""

from __future__ import annotations

import argparse

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.undoing import OPTIONS, take_steps


def _undo(arguments: argparse.Namespace) -> int:
    return take_steps(arguments, redo=False)


COMMAND = CliCommand(
    help="undo what was done to a session last: plan, settings, cases, rewinds", rank=63, run=_undo, arguments=OPTIONS
)
