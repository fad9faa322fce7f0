"""Two readers of the events: plain lines, and JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from dsbuilder_tui.cli.standard_streams import give_up_output
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.events import CheckpointSaved, Event, RetryScheduled, RunStarted
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.domain.sanitise import json_for_terminal, visible
from dsbuilder_tui.view import RunView, reduce
from dsbuilder_tui.wording import event_line, opening_lines, progress_line, retry_line

_LINE_EVERY = 10.0  # seconds between progress lines
RETRY_EVERY = 5.0  # seconds between lines about retries


class _Lines:
    """Writes lines to standard output; when that takes no more, says so once and goes on without.

    A reader that went away needs no words; of a disk that is full a person is told.
    """

    def __init__(self, on_broken: Callable[[], None]) -> None:
        self._on_broken = on_broken
        self.broken = False
        self._refused = False

    def exit_code(self, code: ExitCode) -> ExitCode:
        return ExitCode.FAILED if self._refused else code

    def close(self) -> None:
        return None

    def write(self, text: str) -> None:
        if self.broken:
            return
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except OSError as error:
            self.broken = True
            self._refused = not isinstance(error, BrokenPipeError)
            if self._refused:
                words = error.strerror or error
                print(f"dsbuilder: standard output takes nothing more: {words}.", file=sys.stderr)
            give_up_output()
            self._on_broken()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class JsonLines(_Lines):
    """One event a line: an object with ``type``, ``ts`` and the event's own fields."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        super().__init__(on_broken)
        import orjson

        self._dumps = orjson.dumps

    def show(self, event: Event) -> None:
        self.write(json_for_terminal(self._dumps(event.as_dict()).decode()))

    def say(self, lines: Sequence[str]) -> None:
        return None  # the events have said it


class PlainLines(_Lines):
    """For pipes, logs and screen readers: a line when something happened, none that is drawn over."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        super().__init__(on_broken)
        self._view = RunView()
        self._checkpoint = ""
        self._next_share, self._next_line, self._next_retry = 0.0, 0.0, 0.0

    def show(self, event: Event) -> None:
        self._view = view = reduce(self._view, event)
        if isinstance(event, RunStarted):
            for line in opening_lines(event):
                self.write(line)
            self._next_share, self._next_line = _tenth_after(view), event.ts + _LINE_EVERY
        elif isinstance(event, RetryScheduled):
            if event.ts >= self._next_retry:
                self._next_retry = event.ts + RETRY_EVERY
                self.write(retry_line(event, view.workers_limit))
        elif isinstance(event, CheckpointSaved):
            self._checkpoint = f", checkpoint {event.checkpoint} at {event.accepted}"
        elif (said := event_line(event)) is not None:
            self.write(said)
        if view.state is RunState.RUNNING and view.planned:
            share = view.accepted / view.planned
            if share >= self._next_share or event.ts >= self._next_line:
                self._next_share, self._next_line = _tenth_after(view), event.ts + _LINE_EVERY
                self.write(progress_line(view) + self._checkpoint)
                self._checkpoint = ""

    def say(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(visible(line))


def _tenth_after(view: RunView) -> float:
    return (int(10 * view.accepted / view.planned) + 1) / 10 if view.planned else 1.0
