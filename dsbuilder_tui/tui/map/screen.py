"""The map screen: the cases as points, like ones near one another, and beside it those under the cursor or in a box."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseAccepted,
    CaseEdited,
    CaseRejected,
    CaseWithdrawn,
    Event,
    PlanRevised,
)
from dsbuilder_tui.session.case_map import CaseMap, MapArea
from dsbuilder_tui.tui.map.paint import area_lines, area_title, case_row, map_title, vary_request, write_request
from dsbuilder_tui.tui.map.plane import MapPlane
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.watched import Watched
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.tui.widgets.safe import title

_EVERY = 3.0  # seconds between two looks at the cases while some come
_SETTLE = 0.08  # seconds without a move after which the cases of an area are read
_DRAWN = (BranchSwitched, CaseAccepted, CaseWithdrawn, CaseEdited, CaseRejected, PlanRevised)


class MapScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Map"
    ACTS: ClassVar[frozenset[str]] = frozenset({"vary", "write_here"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "vary", "vary these"),
        Binding("w", "write_here", "write here"),
        Binding("tab", "next_pane", "cases"),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self._drawn: CaseMap | None = None
        self._area: MapArea | None = None
        self._rejected = 0  # in the area
        self._texts: Sequence[str] = ()  # of the area's cases
        self._waiting = False

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Horizontal(id="map-body"):
            with Vertical(id="plane-pane", classes="pane"):
                yield MapPlane(id="plane")
            with Vertical(id="map-aside"), Vertical(id="area-pane", classes="pane"):
                yield RowList(self._row, empty=self._nothing, id="area")
                yield LineView(self._figures, id="area-figures")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#plane-pane").border_title = title(map_title(None, at_end=False))
        self.query_one("#plane-pane").border_subtitle = "arrows move · space draws a box · so does the mouse"
        self.query_one("#area-figures").can_focus = False
        self.plane.focus()
        self.instead("map", self._draw)

    @property
    def plane(self) -> MapPlane:
        return self.query_one(MapPlane)

    @property
    def rows(self) -> RowList:
        return self.query_one("#area", RowList)

    def heard(self, event: Event) -> None:
        if isinstance(event, _DRAWN) and not self._waiting and self.is_attached:
            self._waiting = True
            self.set_timer(_EVERY, self._draw_again)

    def _draw_again(self) -> None:
        if self.is_current and not self.services.away:
            self._waiting = False
            self.background(self._draw, group="map")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._waiting:
            self._draw_again()

    async def _draw(self) -> None:
        drawn = await self.services.guarded(self.watched.session.diversity.map())
        if drawn is not None:
            self._drawn = drawn
            self.query_one("#plane-pane").border_title = title(map_title(drawn, at_end=self.watched.replaying))
            self.plane.renew(drawn)
            await self._look()

    def on_map_plane_looked(self, event: MapPlane.Looked) -> None:
        self.set_timer(_SETTLE, partial(self._settled, self.plane.area))

    def _settled(self, area: tuple[float, float, float, float] | None) -> None:
        if area == self.plane.area:
            self.instead("area", self._look)

    async def _look(self) -> None:
        """Read what is looked at."""
        area, drawn = self.plane.area, self._drawn
        if area is None or drawn is None:
            return
        read = await self.services.guarded(self.watched.session.diversity.map_area(drawn.within(*area)))
        if read is None:
            return
        self._area, self._rejected = read, drawn.rejected_within(*area)
        self._texts = [display_text(case.inputs) for case in read.cases]
        self.rows.set_keys([case.seq for case in read.cases], otherwise=0)
        pane = self.query_one("#area-pane")
        pane.border_title = title(area_title(read.total, len(read.cases), box=self.plane.boxed))
        self.query_one("#area-figures", LineView).renew()
        self.refresh_bindings()

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        assert self._area is not None and self._drawn is not None
        return case_row(self._area.cases[index], self._texts[index], self._drawn.names, width, chosen)

    def _nothing(self) -> Sequence[Line]:
        if self._drawn is None or not len(self._drawn.seqs):
            return ()
        lines: list[Line] = [(("nothing here yet", "muted"),)]
        if self.watched.acts:
            lines.append((("w ", "key"), ("asks for cases like those around it", "muted")))
        return lines

    def _figures(self, width: int) -> Sequence[Line]:
        return area_lines(self._area, self._rejected, width) if self._area is not None else ()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        if self._area is not None and event.rows.cursor < len(self._area.cases):
            self.services.show_screen("cases", self.watched, self._area.cases[event.rows.cursor].case_id)

    def action_vary(self) -> None:
        if self._area is not None and self._area.cases:
            self.services.draft(vary_request(self._area, self._texts, in_words=self.watched.has_agent_model))
            self.dismiss()

    def action_write_here(self) -> None:
        if self._drawn is not None and self._drawn.groups:
            in_words = self.watched.has_agent_model
            self.services.draft(write_request(self._drawn.groups, *self.plane.cursor, in_words=in_words))
            self.dismiss()

    def action_next_pane(self) -> None:
        (self.rows if self.plane.has_focus else self.plane).focus()
        self.refresh_bindings()

    def action_back(self) -> None:
        if not self.plane.forget_box():
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "vary":
            return self.watched.acts and self._area is not None and bool(self._area.cases)
        if action == "write_here":
            return self.watched.acts and self._drawn is not None and bool(self._drawn.groups)
        return True

    def key_words(self, binding: Binding) -> str:
        if binding.action == "choose":
            return "open" if self.is_mounted and self.rows.has_focus and self.rows.count else ""
        if binding.action == "next_pane":
            return "cases" if self.is_mounted and self.plane.has_focus else "map"
        return binding.description
