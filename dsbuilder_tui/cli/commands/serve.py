"""``serve``: the app in a browser."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from dsbuilder_tui.cli.command import CliCommand
from dsbuilder_tui.cli.options import settings_from, settings_options
from dsbuilder_tui.cli.output import say
from dsbuilder_tui.domain.errors import ExitCode, InputError
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import library
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.signals import handled

_PORT = 8000
_HOST = "127.0.0.1"


def _serve(arguments: argparse.Namespace) -> int:
    """Serve the app until Ctrl+C. Raises ``InputError`` without textual-serve, and for a port that is taken; or
    ``SessionNotFound``."""
    if not 0 <= arguments.port <= 65535:
        raise InputError(f"--port {arguments.port} is no port.", "Give one of 1 to 65535, or 0 for any that is free.")
    flags = settings_from(arguments)
    config = load_config(**flags)
    if arguments.session is not None:
        library.find_session(config.checkpoint_root, arguments.session)
    given = [f"--set={name}={value}" for name, value in flags.items()]
    asyncio.run(_until_told(arguments.host, arguments.port, ["studio", *given, *_session(arguments.session)]))
    return ExitCode.COMPLETE


def _session(name: str | None) -> list[str]:
    return [] if name is None else ["--", name]


async def _until_told(host: str, port: int, app: list[str]) -> None:
    from dsbuilder_tui.web.gatekeeper import is_loopback
    from dsbuilder_tui.web.server import WebServer

    server, told = WebServer(app, host), asyncio.Event()

    def stop(_: str) -> None:
        if told.is_set():  # told twice
            server.kill_tabs()
        told.set()

    with handled(("SIGINT", "SIGTERM", "SIGHUP"), stop):
        async with server.listening(port) as there:
            if not is_loopback(host):
                print(
                    f"dsbuilder: warning: other machines can reach {visible(host)}, and nothing on the way is encrypted: whoever "
                    "learns the address works with your files and your keys.",
                    file=sys.stderr,
                )
            say(f"The app is at {server.address(there)}")
            say("The address lets in whoever has it. Ctrl+C ends the server and the app in every tab; all is saved.")
            sys.stdout.flush()
            await told.wait()
            with contextlib.suppress(OSError):  # the terminal may be gone
                say("Saving what is open …")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help="open this session at once")
    parser.add_argument("--port", type=int, default=_PORT, metavar="N", help=f"port ({_PORT}); 0 is any that is free")
    parser.add_argument(
        "--host", default=_HOST, metavar="HOST", help=f"address to listen at ({_HOST}: this machine alone)"
    )


COMMAND = CliCommand(
    help="the app in a browser, at an address with a secret in it",
    rank=15,
    run=_serve,
    arguments=(settings_options, _arguments),
)
