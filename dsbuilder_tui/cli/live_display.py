"""The live display in a terminal: a bar a category, rate and time left, and what needs attention."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dsbuilder_tui.cli.line_displays import RETRY_EVERY
from dsbuilder_tui.domain.category_view import CategoryView, fitting
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.events import (
    CheckpointSaved,
    DiversityMeasured,
    Event,
    RetryScheduled,
    RunFinished,
    RunStarted,
)
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.view import RunView, reduce
from dsbuilder_tui.wording import eta_words, event_line, opening_lines, rate_words, retry_line, spent_words

_REFRESH = 8  # times a second


class LiveDisplay:
    """Redraws in place; what has happened stays above it as lines."""

    broken = False

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._view = RunView()
        self._checkpoint = ""
        self._next_retry = 0.0
        self._live = Live(
            get_renderable=self._render, console=self._console, refresh_per_second=_REFRESH, redirect_stderr=False
        )

    def show(self, event: Event) -> None:
        self._view = reduce(self._view, event)
        if isinstance(event, RunStarted):
            head, *notes = opening_lines(event)
            self._print(head, "bold")
            for note in notes:
                self._print(note, "dim")
        elif isinstance(event, CheckpointSaved):
            self._checkpoint = f"checkpoint {event.checkpoint}"
        elif isinstance(event, RetryScheduled):
            if event.ts >= self._next_retry:
                self._next_retry = event.ts + RETRY_EVERY
                self._print(retry_line(event, self._view.workers_limit), "yellow")
        elif not isinstance(event, RunFinished | DiversityMeasured) and (line := event_line(event)) is not None:
            self._print(line, "yellow" if event.type == "slot_exhausted" or "Warning" in line else "dim")

    def say(self, lines: Sequence[str]) -> None:
        self._live.refresh()
        self._live.stop()
        for number, line in enumerate(lines):
            self._print(visible(line), "bold" if number == 0 else "", whole=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._live.stop()

    def close(self) -> None:
        self._live.stop()

    def exit_code(self, code: ExitCode) -> ExitCode:
        return code

    def _print(self, line: str, style: str, *, whole: bool = False) -> None:
        """``whole`` lines are left for the terminal to break, so that a command in them can be copied."""
        self._console.print(Text(line, style=style), soft_wrap=whole)

    def _render(self) -> RenderableType:
        view = self._view
        if not view.categories:
            return Text("")
        room, height = self._console.width, self._console.height
        narrow = room < 70
        longest = max(len(visible(name)) for name in view.categories)
        name_width = min(longest, max(8, room // 3))
        bar_width = max(4, min(40, room - name_width - (14 if narrow else 26)))
        table = Table.grid(padding=(0, 1), expand=False)
        table.add_column(width=name_width, no_wrap=True, overflow="ellipsis")
        table.add_column(width=bar_width)
        table.add_column(justify="right", no_wrap=True)
        if not narrow:
            table.add_column(no_wrap=True, style="dim", overflow="ellipsis")
        shown, hidden = fitting(view.categories, max(1, height - 5))
        for name in shown:
            table.add_row(*self._row(name, view.categories[name], name_width, bar_width, narrow))
        parts: list[RenderableType] = [Text(""), table]
        if hidden:
            parts.append(Text(f"and {counted(hidden, 'category')} more", style="dim"))
        return Group(*parts, self._status(view))

    def _row(self, name: str, counts: CategoryView, name_width: int, width: int, narrow: bool) -> list[RenderableType]:
        done = counts.accepted + counts.exhausted >= counts.planned
        style = "yellow" if counts.exhausted else "green" if done else "cyan"
        bar = ProgressBar(
            total=max(1, counts.planned), completed=counts.accepted, width=width, complete_style=style,
            finished_style=style,
        )  # fmt: skip
        row: list[RenderableType] = [
            Text(one_line(name, name_width)),
            bar,
            Text(f"{counts.accepted}/{counts.planned}"),
        ]
        if not narrow:
            exhausted = f"  exhausted {counts.exhausted}" if counts.exhausted else ""
            row.append(Text(f"rej {counts.rejected}{exhausted}", no_wrap=True))
        return row

    def _status(self, view: RunView) -> Text:
        """One line, the most important first: on a narrow terminal the end goes."""
        share = f"{100 * view.accepted / view.planned:.0f} %" if view.planned else ""
        parts = [f"{view.accepted}/{view.planned} · {share}"]
        if view.state is RunState.RUNNING:
            parts.append("Ctrl+C pauses")
            waiting = [until for until in view.waiting.values() if until > time.time()]
            if waiting:
                parts.append(f"{len(waiting)} wait {max(waiting) - time.time():.0f} s")
            parts.append(eta_words(view))
            parts.append(rate_words(view))
            parts.append(counted(view.workers_busy, "worker"))
        else:
            parts.append(view.state)
        parts.append(spent_words(view))
        parts.append(self._checkpoint)
        room, line = self._console.width - 1, ""
        for part in filter(None, parts):
            longer = f"{line} · {part}" if line else part
            if len(longer) > room:
                break
            line = longer
        return Text(line, style="dim", no_wrap=True, overflow="ellipsis")
