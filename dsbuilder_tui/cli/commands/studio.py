"""``studio``: the app, and what stands in for it where there is no terminal."""

from __future__ import annotations

import argparse
import asyncio
import shlex

from dsbuilder_tui.cli.app_terminal import can_draw
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import settings_from, settings_options
from dsbuilder_tui.cli.output import say
from dsbuilder_tui.cli.session_table import print_sessions
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.session import library
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import writer_words


def _studio(arguments: argparse.Namespace) -> int:
    """Open the app, or say in plain lines what there is when it cannot be shown."""
    flags = settings_from(arguments)
    if arguments.plain or not can_draw():
        return _overview(arguments)
    from dsbuilder_tui.tui.start import open_app

    return open_app(flags, session=arguments.session)


def _overview(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    found = asyncio.run(library.list_sessions(config.checkpoint_root, SystemClock()))
    print_sessions(found, config.checkpoint_root)
    say(f"Cases are written by {writer_words(config)}.\n")
    say("The app needs a terminal. The same without one, in plain lines:")
    say("  dsbuilder run --plain --example customer_service --max-dataset-size 500")
    planned = [listing.id for listing in found if not listing.undecided]
    if planned:
        say(f"  dsbuilder resume --plain {shlex.quote(planned[0])}      dsbuilder show {shlex.quote(planned[0])}")
    say("  dsbuilder --help")
    return ExitCode.COMPLETE


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help="open this session at once")
    parser.add_argument(
        "--plain", action="store_true", help="plain text in place of the app: what there is, what to do"
    )


COMMAND = CliCommand(
    help="open the app (the same as no command)",
    rank=10,
    memory=700,
    run=_studio,
    arguments=(settings_options, _arguments),
)
