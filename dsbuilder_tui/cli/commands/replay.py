"""``replay``: a recorded session, played in the app or told in lines."""

from __future__ import annotations

import argparse
import asyncio

from dsbuilder_tui.cli.app_terminal import can_draw
from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.display import choose_display
from dsbuilder_tui.cli.options import session_argument, settings_from, settings_options
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config


def _replay(arguments: argparse.Namespace) -> int:
    """Play a session in the app, or print its events."""
    flags = settings_from(arguments)
    if not (arguments.plain or arguments.json) and can_draw():
        from dsbuilder_tui.tui.start import replay as play

        return play(arguments.session, flags, speed=arguments.speed)

    async def tell() -> int:
        from dsbuilder_tui.session.replay import recorded_events

        display = choose_display(as_json=arguments.json, plain=True, on_broken=lambda: None)
        async with await Session.open(arguments.session, load_config(**flags)) as session:
            async for event in recorded_events(session):
                display.show(event)
                if display.broken:
                    return display.exit_code(ExitCode.RESUMABLE)
        return ExitCode.COMPLETE

    return asyncio.run(tell())


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed; give a number from 0.1 to 1000")
    return speed


def _arguments(parser: argparse.ArgumentParser) -> None:
    session_argument(parser)
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="times the recorded pace (1)")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one event a line, as JSON, without waiting")
    shown.add_argument("--plain", action="store_true", help="plain lines in place of the app, without waiting")


COMMAND = CliCommand(
    help="play a recorded session in the app", rank=40, run=_replay, arguments=(settings_options, _arguments)
)
