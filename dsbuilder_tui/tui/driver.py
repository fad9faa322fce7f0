"""The terminal may go away at any time; the app, and the run in it, must not hang on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, TextIO

from textual.driver import Driver
from textual.drivers import web_driver
from textual.drivers.web_driver import WebDriver

from dsbuilder_tui.tui.paste_parser import PasteParser


class _Patient:
    """A file whose reader may be gone: what is written then is lost, and nobody waits or fails for it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def enduring(base: type[Driver], gone: Callable[[], None]) -> type[Driver]:
    """The driver, made so that it outlives its terminal; ``gone`` is called on the event loop when that has closed."""
    # A driver makes its parser by this name in its own module, and offers no other way to give it one.
    if issubclass(base, WebDriver):
        vars(web_driver)["XTermParser"] = PasteParser
        return _enduring_tab(gone)
    try:
        from textual.drivers import linux_driver
        from textual.drivers.linux_driver import LinuxDriver
    except ImportError:  # Windows
        return base
    if not issubclass(base, LinuxDriver):
        return base
    vars(linux_driver)["XTermParser"] = PasteParser

    class Enduring(LinuxDriver):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Textual's writing thread ends at the first error, and the event loop then waits for it for ever.
            self._file: Any = _Patient(self._file)

        def run_input_thread(self) -> None:
            try:
                super().run_input_thread()
            except OSError:
                self._loop.call_soon_threadsafe(gone)

    return Enduring


def _enduring_tab(gone: Callable[[], None]) -> type[Driver]:
    """The driver of an app that is drawn in a tab of a browser; the server is at the other end of both pipes."""

    class EnduringTab(WebDriver):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Whatever else is written to standard output, by a library or a child, must not come between the packets.
            self.fileno = os.dup(1)
            os.dup2(2, 1)
            self._write: Any = self._write_all
            self._told = False

        def _write_all(self, data: bytes) -> None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[os.write(self.fileno, rest) :]
            except OSError:  # nobody reads any more; the input says so too
                return

        def start_application_mode(self) -> None:
            self._loop = asyncio.get_running_loop()
            super().start_application_mode()
            with contextlib.suppress(NotImplementedError):  # Windows; in place of the driver's own, which save nothing
                for number in (signal.SIGINT, signal.SIGTERM):
                    self._loop.add_signal_handler(number, self._tell)

        def run_input_thread(self) -> None:
            super().run_input_thread()
            if not self.exit_event.is_set():
                self._loop.call_soon_threadsafe(self._tell)

        def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
            if packet_type == "quit":
                self._loop.call_soon_threadsafe(self._tell)
            else:
                super().on_meta(packet_type, payload)

        def _tell(self) -> None:
            if not self._told:
                self._told = True
                gone()

    return EnduringTab
