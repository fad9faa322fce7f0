"""The app and replays from the command line, and what stands in for them where there is no terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from dsbuilder_tui.cli.displays import choose_display
from dsbuilder_tui.cli.entry import settings_from
from dsbuilder_tui.cli.look import print_sessions, say
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import load_config
from dsbuilder_tui.store import catalog
from dsbuilder_tui.wording import writer_words


def studio(arguments: argparse.Namespace) -> int:
    """Open the app, or say in plain lines what there is when it cannot be shown."""
    flags = settings_from(arguments)
    if arguments.plain or not _can_draw():
        return _overview(arguments)
    from dsbuilder_tui.tui.start import open_app

    return open_app(flags, session=arguments.session)


def replay(arguments: argparse.Namespace) -> int:
    """Play a session in the app, or print its events."""
    flags = settings_from(arguments)
    if not (arguments.plain or arguments.json) and _can_draw():
        from dsbuilder_tui.tui.start import replay as play

        return play(arguments.session, flags, speed=arguments.speed)

    async def tell() -> int:
        from dsbuilder_tui.session.replay import recorded_events

        display = choose_display(as_json=arguments.json, plain=True, on_broken=lambda: None)
        async with await Session.open(arguments.session, load_config(**flags)) as session:
            async for event in recorded_events(session):
                display.show(event)
                if display.broken:
                    return ExitCode.RESUMABLE
        return ExitCode.COMPLETE

    return asyncio.run(tell())


def _can_draw() -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr)  # the app draws on standard error
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "") not in ("dumb", "")


def _overview(arguments: argparse.Namespace) -> int:
    config = load_config(**settings_from(arguments))
    found = asyncio.run(catalog.list_sessions(config.checkpoint_root, SystemClock()))
    print_sessions(found, config.checkpoint_root)
    say(f"Cases are written by {writer_words(config)}.\n")
    say("The app needs a terminal. The same without one, in plain lines:")
    say("  dsbuilder run --plain --example customer_service --max-dataset-size 500")
    planned = [listing.id for listing in found if not listing.undecided]
    if planned:
        say(f"  dsbuilder resume --plain {planned[0]}      dsbuilder show {planned[0]}")
    say("  dsbuilder --help")
    return ExitCode.COMPLETE
