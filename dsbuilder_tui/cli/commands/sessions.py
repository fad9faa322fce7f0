"""``sessions``: what there is."""

from __future__ import annotations

import argparse
import asyncio

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import json_option, place_option, settings_from
from dsbuilder_tui.cli.output import print_json
from dsbuilder_tui.cli.session_table import print_sessions
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.session import library
from dsbuilder_tui.settings.stack import load_config


def _sessions(arguments: argparse.Namespace) -> int:
    root = load_config(**settings_from(arguments)).checkpoint_root
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is not a folder.", "Name the folder of the sessions with --checkpoint-dir.")
    found = asyncio.run(library.list_sessions(root, SystemClock()))
    if arguments.json:
        print_json([listing.as_dict() for listing in found])
        return ExitCode.COMPLETE
    print_sessions(found, root)
    return ExitCode.COMPLETE


COMMAND = CliCommand(help="list the sessions", rank=50, run=_sessions, arguments=(place_option, json_option))
