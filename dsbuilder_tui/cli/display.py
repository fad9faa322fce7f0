"""The reader of events that shows a run: a live display, plain lines, or JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from dsbuilder_tui.cli.line_displays import JsonLines, PlainLines
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.events import Event


class Display(Protocol):
    broken: bool  # whoever read the output is gone, or it takes nothing more

    def exit_code(self, code: ExitCode) -> ExitCode:
        """The exit code of a command that has done its work, in view of what became of its output."""

    def show(self, event: Event) -> None: ...
    def say(self, lines: Sequence[str]) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: Any) -> None: ...


def choose_display(*, as_json: bool, plain: bool, on_broken: Callable[[], None]) -> Display:
    """JSON lines when asked for, plain lines in a pipe or when asked for, else the live display."""
    if as_json:
        return JsonLines(on_broken)
    if plain or not sys.stdout.isatty():
        return PlainLines(on_broken)
    from dsbuilder_tui.cli.live_display import LiveDisplay

    return LiveDisplay()
