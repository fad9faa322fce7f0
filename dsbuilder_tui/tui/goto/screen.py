"""Go to anything: type a few letters, look at what they may mean, Enter goes there. Esc leaves everything as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.goto.paint import found_row
from dsbuilder_tui.tui.goto.preview import Drawing, preview_of
from dsbuilder_tui.tui.layout import WIDE
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.places.search import FoundPlace, PlaceSearch
from dsbuilder_tui.tui.services import UsesServices
from dsbuilder_tui.tui.widgets.dialogs import Dialog, Field
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

_SETTLE = 0.12  # seconds without a key after which the texts of cases are looked through
_LOOK = 0.06  # and without a move after which a place is read


class GotoScreen(UsesServices, Dialog[Place]):
    """A line to type in, the places that fit, and beside them what the chosen one is."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "the place above"),
        Binding("down,tab", "move(1)", "the place below"),
        Binding("pageup", "page(-1)", "a page up"),
        Binding("pagedown", "page(1)", "a page down"),
        Binding("enter", "choose", "go there"),
        Binding("escape", "cancel", "back to where you were", key_display="esc"),
    ]

    def __init__(self, search: PlaceSearch, watched: Watched | None, text: str = "") -> None:
        """``text`` is what is typed already."""
        super().__init__()
        self._search, self._watched = search, watched
        self._ahead = text  # typed before there was a line for it
        self._enter_ahead = False
        self._ready = False
        self._found: list[FoundPlace] = []
        self._prepared = asyncio.Event()
        self._settled = asyncio.Event()  # what is shown answers what is typed
        self._searched = False  # the texts of cases have been looked through, too
        self._moved = False  # the person has chosen a row
        self._drawing: Drawing | None = None

    def take_ahead(self, event: events.Key | events.Paste) -> bool:
        """Keep what is typed while the line for it is on its way; says whether it was kept."""
        if self._ready:
            return False
        if isinstance(event, events.Paste):
            self._ahead += event.text
        elif event.key == "backspace":
            self._ahead = self._ahead[:-1]
        elif event.key == "enter":
            self._enter_ahead = True
        elif event.is_printable and event.character:
            self._ahead += event.character
        else:
            return False
        return True

    @property
    def typed(self) -> str:
        """What is typed."""
        return self.query_one(Input).value if self._ready else self._ahead

    @property
    def is_text(self) -> bool:
        """Whether what is typed means no place, and so may have been meant as a text."""
        return bool(self.typed.strip()) and not self._found

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog goto") as box:
            sessions = self._search.only is PlaceKind.SESSION
            box.border_title = "Open another session" if sessions else "Go to"
            box.border_subtitle = "↑ ↓ choose · enter go · esc back"
            everything = "#143, a case's words, a category, setting, session, screen …"
            yield Field(id="goto-line", placeholder="the name of a session" if sessions else everything)
            with Horizontal(id="goto-body"):
                rows = RowList(self._row, empty=self._nothing, id="found")
                rows.can_focus = False
                yield rows
                with Vertical(id="goto-aside"):
                    aside = LineView(self._aside, links=(), id="preview")
                    aside.can_focus = False
                    yield aside

    async def on_mount(self) -> None:
        self._fit_width()
        line = self.query_one(Input)
        line.focus()
        with self.prevent(Input.Changed):
            line.value = visible(self._ahead)
        line.cursor_position = len(line.value)
        self._ready = True
        self._begin(self._prepare, "goto")
        if self._enter_ahead:
            self.call_later(self.action_choose)

    def on_resize(self) -> None:
        self._fit_width()

    def _fit_width(self) -> None:
        self.set_class(self.size.width < WIDE, "-narrow")

    @property
    def rows(self) -> RowList:
        return self.query_one("#found", RowList)

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        return found_row(self._found[index], width, chosen)

    def _nothing(self) -> Sequence[Line]:
        if not self._searched:
            return [(("Looking …", "faint"),)]
        return [(("Nothing here is called that.", "muted"),)]

    def _begin(self, work: Callable[[], Awaitable[None]], group: str) -> None:
        """Begin some work in place of what its group is at."""
        begun: Any = partial(self.services.while_shown, self, work)
        self.run_worker(begun, group=group, exclusive=True)

    # Looking for it

    async def _prepare(self) -> None:
        await self.services.guarded(self._search.prepare())
        self._prepared.set()
        self._look_again()

    def _look_again(self) -> None:
        """Look for what is typed now, in place of what was typed before."""
        self._searched = False
        self._begin(self._look, "look")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._settled.clear()
        self._moved = False
        self._look_again()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.action_choose()

    async def _look(self) -> None:
        """Show what fits: at once what is in memory and what is named, then the cases that say it."""
        await self._prepared.wait()
        query = self.query_one(Input).value
        known = self._search.known(query)
        try:
            named = await self._search.named(query)
        except DsbuilderError as error:
            named = []
            self.services.complain(error)
        first = list({found.place: found for found in (*named, *known)}.values())
        self._show(first)
        self._settled.set()
        await asyncio.sleep(_SETTLE)
        try:
            async for cases in self._search.cases(query):
                self._show(list({found.place: found for found in (*first, *cases)}.values()))
        except DsbuilderError as error:
            self.services.complain(error)
        self._searched = True
        if not self._found:
            self.rows.refresh()  # it says now that there is nothing

    def _show(self, found: list[FoundPlace]) -> None:
        if found != self._found:
            self._found = found
            keys = [one.place for one in found]
            self.rows.set_keys(keys, cursor=None if self._moved else 0)
            self.rows.refresh()
            self._preview()

    # Looking at it

    def _preview(self) -> None:
        self._begin(self._read, "preview")

    async def _read(self) -> None:
        await asyncio.sleep(_LOOK)
        found = self._chosen
        drawn = None if found is None else preview_of(found, self._watched, self.services)
        self._drawing = await self.services.guarded(drawn) if drawn is not None else None
        self.query_one("#preview", LineView).renew()

    def _aside(self, width: int) -> Sequence[Line]:
        return self._drawing(width) if self._drawing is not None else ()

    @property
    def _chosen(self) -> FoundPlace | None:
        return self._found[self.rows.cursor] if self._found else None

    # Keys

    def action_move(self, step: int) -> None:
        self._moved = True
        self.rows.action_move(step)

    def action_page(self, direction: int) -> None:
        self._moved = True
        self.rows.action_page(direction)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._moved = True
        self._preview()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        """Go to the chosen place, once what is shown answers what was typed."""
        self._begin(self._choose, "choose")

    async def _choose(self) -> None:
        await self._settled.wait()
        if (found := self._chosen) is not None:
            self.dismiss(found.place)
