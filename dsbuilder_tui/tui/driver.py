"""The terminal may go away at any time; the app, and the run in it, must not hang on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

from textual.driver import Driver


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
    try:
        from textual.drivers.linux_driver import LinuxDriver
    except ImportError:  # Windows
        return base
    if not issubclass(base, LinuxDriver):
        return base

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
