"""How far a run is, for a person who waits for it in a notebook or at a terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from dsbuilder_tui.domain.events import Event, RunFinished, RunPaused, RunStarted
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.view import RunView, reduce

_EVERY = 0.25  # seconds between two pictures in a notebook
_LONGEST = 60  # characters of a name


def is_notebook() -> bool:
    """Whether the caller's cells are shown by a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextlib.contextmanager
def progress_display(wanted: bool | None) -> Iterator[Callable[[Event], None]]:
    """A listener that shows what it hears until the block ends; None shows it in a notebook and at a terminal alone."""
    if is_notebook() and wanted is not False:
        yield _NotebookProgress().show
    elif wanted or (wanted is None and sys.stderr.isatty()):
        with _terminal_progress() as show:
            yield show
    else:
        yield lambda event: None


@contextlib.contextmanager
def _terminal_progress() -> Iterator[Callable[[Event], None]]:
    from rich.console import Console
    from rich.markup import escape as escape_markup
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    view, tasks = RunView(), dict[str, TaskID]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def show(event: Event) -> None:
            nonlocal view
            view = reduce(view, event)
            for name, category in view.categories.items():
                if name not in tasks:
                    tasks[name] = bars.add_task(escape_markup(one_line(name, _LONGEST)), total=category.planned)
                bars.update(tasks[name], completed=category.accepted, total=category.planned)

        yield show


class _NotebookProgress:
    """A table that is replaced in place. Needs nothing but IPython."""

    def __init__(self) -> None:
        self._view, self._shown, self._handle = RunView(), 0.0, None

    def show(self, event: Event) -> None:
        self._view = reduce(self._view, event)
        now = time.monotonic()
        if isinstance(event, RunStarted | RunFinished | RunPaused) or now - self._shown >= _EVERY:
            self._shown = now
            self._draw()

    def _draw(self) -> None:
        from IPython.display import display

        picture: dict[str, Any] = {"text/plain": progress_words(self._view), "text/html": progress_html(self._view)}
        if self._handle is None:
            self._handle = display(picture, raw=True, display_id=True)
        else:
            self._handle.update(picture, raw=True)


def progress_words(view: RunView) -> str:
    """How far a run is, in a line."""
    name = one_line(view.dataset_name, _LONGEST)
    return f"{name}: {view.accepted} of {counted(view.planned, 'case')}, {view.rejected} rejected"


def progress_html(view: RunView) -> str:
    """How far a run is, as a table with a bar a category."""
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(one_line(name, _LONGEST))}</td>"
        f"<td><progress value='{category.accepted}' max='{max(1, category.planned)}'></progress></td>"
        f"<td>{category.accepted}/{category.planned}</td><td>{category.rejected} rejected</td></tr>"
        for name, category in view.categories.items()
    )
    return f"<b>{escape(progress_words(view))}</b><table>{rows}</table>"
