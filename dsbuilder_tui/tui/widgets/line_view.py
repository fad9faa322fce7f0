"""A scrollable page of painted lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dsbuilder_tui.tui.paint.line import EMPTY, Line
from dsbuilder_tui.tui.places.links import linked, links_in
from dsbuilder_tui.tui.places.place import PlaceKind
from dsbuilder_tui.tui.places.references import OF_FOREIGN_TEXT
from dsbuilder_tui.tui.services import Drawn


class LineView(Drawn, ScrollView, can_focus=True):
    """Lines from ``draw(width)``, scrolled with the arrows; ``renew`` draws again."""

    DEFAULT_CSS = """
    LineView { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]

    def __init__(
        self,
        draw: Callable[[int], Sequence[Line]],
        *,
        links: Collection[PlaceKind] = OF_FOREIGN_TEXT,
        id: str | None = None,
    ) -> None:
        """``links`` are the kinds of places that are links in what is drawn."""
        super().__init__(id=id)
        self._draw, self._links = draw, links
        self._lines: Sequence[Line] = ()

    def renew(self, *, keep: bool = False) -> None:
        """Draw again, from the top or (``keep``) where it was scrolled to."""
        width = self.scrollable_content_region.width
        if not width:
            return
        lines = [linked(line, partial(links_in, self, kinds=self._links)) for line in self._draw(width)]
        if lines != self._lines or not keep:
            self._lines = lines
            self.virtual_size = Size(width, len(lines))
            if not keep:
                self.scroll_home(animate=False)
            self.refresh()

    def on_resize(self) -> None:
        self.renew(keep=True)

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        line = self._lines[row] if row < len(self._lines) else EMPTY
        return self.services.palette.strip(line, self.scrollable_content_region.width)
