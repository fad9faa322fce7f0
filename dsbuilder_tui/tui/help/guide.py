"""The manual in the app: its pages at the left, the one at the cursor beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.manual import page, topics
from dsbuilder_tui.tui.help.guide_lines import guide_lines
from dsbuilder_tui.tui.paint.line import Line, fit, pad
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.screen_base import FullScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar, TopLine
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import RowList


class GuideScreen(FullScreen):
    CSS_PATH = "guide.tcss"
    title_words = "Guide"
    enter_words = "read"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane", "list and page"),
        Binding("escape,f1,q", "dismiss", "back", key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._topics = topics()

    def compose(self) -> ComposeResult:
        yield TopLine(lambda width: pad(((" dsbuilder ", "key"), (" Help · guide", "muted")), width))
        with Horizontal(id="guide-body"):
            with Vertical(id="guide-list", classes="pane"):
                yield RowList(self._row, id="topics")
            with Vertical(id="guide-pane", classes="pane"):
                yield LineView(self._lines, id="page")
        yield KeyBar()

    def on_mount(self) -> None:
        rows = self.query_one("#topics", RowList)
        rows.set_count(len(self._topics))
        rows.focus()
        self.query_one("#guide-list").border_title = "Guide"
        self._title()

    @property
    def place(self) -> Place:
        if not self.is_mounted:
            return super().place
        return Place(kind=PlaceKind.PAGE, name=self._topics[self.query_one("#topics", RowList).cursor].name)

    async def show_place(self, place: Place) -> bool:
        names = [topic.name for topic in self._topics]
        if place.kind is not PlaceKind.PAGE or place.name not in names:
            return await super().show_place(place)
        self.query_one("#topics", RowList).move_to(names.index(place.name))
        return True

    def _title(self) -> None:
        pane = self.query_one("#guide-pane")
        pane.border_title = self._topics[self.query_one("#topics", RowList).cursor].title
        pane.border_subtitle = "↑ ↓ scroll · tab list" if self.query_one(LineView).has_focus else "enter read"

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        return ((fit(self._topics[index].name, width), "strong" if chosen else "text"),)

    def _lines(self, width: int) -> Sequence[Line]:
        text = page(self._topics[self.query_one("#topics", RowList).cursor].name)
        return guide_lines(text.partition("\n\n")[2], width)  # the title is in the border

    def on_row_list_moved(self) -> None:
        self.query_one(LineView).renew()
        self._title()

    def on_row_list_chosen(self) -> None:
        self.query_one(LineView).focus()

    def on_descendant_focus(self) -> None:
        self._title()

    def action_next_pane(self) -> None:
        rows = self.query_one("#topics", RowList)
        (self.query_one(LineView) if rows.has_focus else rows).focus()
