"""From the command line into the app and back: signals, crashes, what is printed at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.pause_cause import TERMINAL_CLOSED, Pause, PauseCause
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.signals import handled
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.replay_session import ReplaySession

# After a hang-up everything is saved within this many seconds, or the process ends all the same: what was accepted
# is on disk in any case.
_HANG_UP_PATIENCE = 10.0


def open_app(flags: Mapping[str, Any], *, session: str | None = None) -> int:
    """Run the app until the person leaves it; returns the exit code. Raises what the app crashed with."""

    async def run() -> int:
        app = StudioApp(flags, open_first=session)
        with _signals(app):
            try:
                code = await app.run_async()
            finally:
                await app.close_session()
        return _ended(app, code)

    return asyncio.run(run())


def replay(reference: str | None, flags: Mapping[str, Any], *, speed: float) -> int:
    """Play a recorded session in the app. Raises ``SessionNotFound``, ``SessionInUse`` …"""

    async def run() -> int:
        config = load_config(**flags)
        session = await Session.open(reference, config)
        player = ReplaySession(session, SystemClock(), speed)
        try:
            app = StudioApp(flags, replay=player)
            with _signals(app):
                code = await app.run_async()
        finally:
            await player.close()
        return _ended(app, code)

    return asyncio.run(run())


def _ended(app: StudioApp, code: int | None) -> int:
    for line in app.farewell:
        with contextlib.suppress(OSError):
            print(visible(line))
    for stream in (sys.stdout, sys.stderr):  # the app draws on standard error
        try:
            stream.flush()
        except OSError:  # the terminal is gone; what is left in the buffer must not become an error of its own at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if app.crash is not None:
        raise app.crash
    return int(code if code is not None else app.return_code or ExitCode.COMPLETE)


def _signals(app: StudioApp) -> contextlib.AbstractContextManager[None]:
    """A closed terminal or a polite kill: pause, save, leave."""

    def handle(name: str) -> None:
        if name == "SIGHUP":
            app.hang_up(TERMINAL_CLOSED)
        else:
            app.hang_up(Pause(name, PauseCause.SIGNAL))
        # A terminal that is gone can hold up the app's own end, and the event loop; the cases are safe either way.
        last = threading.Timer(_HANG_UP_PATIENCE, os._exit, [ExitCode.RESUMABLE])
        last.daemon = True
        last.start()

    return handled(("SIGHUP", "SIGTERM"), handle)
