"""The beginning of a file, shown as text: it is opened by nothing else."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import Line, clip, wrap
from dsbuilder_tui.tui.services import UsesServices
from dsbuilder_tui.tui.widgets.dialogs import Dialog
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.safe import title
from dsbuilder_tui.wording import short_path

_MOST_BYTES, _MOST_ROWS = 64_000, 400


class FilePreview(UsesServices, Dialog[None]):
    """Shows an ordinary file; ``y`` copies its path."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy the path"),
        Binding("escape", "cancel", "back", key_display="esc"),
    ]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._text = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog preview") as box:
            box.border_title = title(clip(short_path(self._path), 90))
            box.border_subtitle = "y copy the path · esc back"
            yield LineView(self._lines, links=(), id="file")

    async def on_mount(self) -> None:
        view = self.query_one(LineView)
        view.focus()
        self._text = await asyncio.to_thread(beginning_of, self._path)
        view.renew()

    def _lines(self, width: int) -> Sequence[Line]:
        rows = [row for line in self._text.splitlines() for row in wrap(line, width)]
        lines: list[Line] = [((row, "text"),) for row in rows[:_MOST_ROWS]]
        return lines if len(rows) <= _MOST_ROWS else [*lines, (("… the rest is not shown", "faint"),)]

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(str(self._path))
        self.services.say("The path is copied.")


def beginning_of(path: Path) -> str:
    """The first part of a file as text; of one that is none, what it is."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return "This is no ordinary file."
        size = about.st_size
        with path.open("rb") as file:
            found = file.read(_MOST_BYTES)
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    if b"\0" in found:
        return f"No text: {counted(size, 'byte')}."
    left = f"\n… {size - len(found):,} of {counted(size, 'byte')} are not shown" if size > len(found) else ""
    return found.decode("utf-8", "replace") + left
