"""The base of everything that is painted: lines in, and only rows that changed go to the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dsbuilder_tui.tui.colours import Palette
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.services import Drawn


class Painted(Drawn, Widget):
    """A widget whose rows come from ``paint``. ``repaint`` draws again and refreshes the rows that differ."""

    follows = False  # whether it changes with the session's view, and so is painted at every flush
    ground = "ground"  # role of the background of every row

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._painted_for: tuple[int, int, str] = (0, 0, "")

    def paint(self, width: int, height: int) -> Sequence[Line]:
        """The rows to show, at most ``height`` of ``width`` cells."""
        return ()

    @property
    def palette(self) -> Palette:
        return self.services.palette

    def repaint(self) -> None:
        """Draw again now, if it can be seen; rows that are as they were cost nothing more."""
        width, height = self.content_size
        if not width or not height or not self.is_attached:
            return
        palette = self.palette
        for_now = (width, height, palette.name)
        lines = list(self.paint(width, height))[:height]
        if for_now != self._painted_for:
            self._painted_for = for_now
            self._lines, self._strips = lines, [palette.strip(line, width, self.ground) for line in lines]
            self.refresh()
            return
        changed: list[Region] = []
        for row in range(max(len(lines), len(self._lines))):
            new = lines[row] if row < len(lines) else ()
            old = self._lines[row] if row < len(self._lines) else None
            if new == old:
                continue
            strip = palette.strip(new, width, self.ground)
            if row < len(self._strips):
                self._strips[row] = strip
            else:
                self._strips.append(strip)
            changed.append(Region(0, row, width, 1))
        self._lines = lines
        del self._strips[max(len(lines), height) :]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        if self._painted_for != (width, height, self.palette.name):
            self.repaint()
        if y < len(self._strips):
            return self._strips[y]
        return self.palette.strip((), width, self.ground)

    def on_resize(self) -> None:
        self.repaint()

    def watch_has_focus(self, has_focus: bool) -> None:
        # Not at the event itself: a handler of ours would run before the widget knows that it has the focus.
        super().watch_has_focus(has_focus)
        self.repaint()
