"""Lists of rows that are painted as they come into view; a paged one reads its rows when they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, pad
from dsbuilder_tui.tui.services import Drawn

T = TypeVar("T")
PAGE = 100
_KEPT_PAGES = 12
_MOST_LOOKED = 50  # pages in which an item is looked for


class RowList(Drawn, ScrollView, can_focus=True):
    """Rows with a cursor. Only the rows in view are painted; ``count`` may be a million."""

    DEFAULT_CSS = """
    RowList { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "a page up", show=False),
        Binding("pagedown", "page(1)", "a page down", show=False),
        Binding("home", "edge(0)", "first", show=False),
        Binding("end", "edge(1)", "last", show=False),
        Binding("enter", "choose", "open"),
    ]

    class Moved(Message):
        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList:
            return self.rows

    class Chosen(Moved):
        pass

    def __init__(
        self,
        draw: Callable[[int, int, bool], Line],
        *,
        empty: Callable[[], Sequence[Line]] = lambda: (),
        row_height: int = 1,
        id: str | None = None,
    ) -> None:
        """``draw(index, width, chosen)`` paints a row; ``empty()`` is shown when there is none."""
        super().__init__(id=id)
        self._draw, self._empty, self._row_height = draw, empty, row_height
        self.count = 0
        self.cursor = 0
        self._keys: Sequence[Hashable] = ()
        self._held: Hashable = None  # the key of the row that was chosen last

    def set_keys(self, keys: Sequence[Hashable], *, otherwise: int | None = None, cursor: int | None = None) -> None:
        """Say which rows there are by what each is about: the cursor stays on what it is on, wherever that is now.

        When that is not among them the cursor goes to the row ``otherwise``, or stays at its place. With ``cursor`` it goes
        there.
        """
        if self.cursor < len(self._keys):
            self._held = self._keys[self.cursor]
        self._keys = keys
        found = keys.index(self._held) if self._held in keys else otherwise
        self.set_count(len(keys), cursor=found if cursor is None else cursor)

    def set_count(self, count: int, *, cursor: int | None = None) -> None:
        """Say how many rows there are, and draw again."""
        emptied = bool(count) != bool(self.count)
        self.count = count
        before = self.cursor
        self.cursor = max(0, min(count - 1, self.cursor if cursor is None else cursor))
        self.virtual_size = Size(max(1, self.scrollable_content_region.width), count * self._row_height)
        self.refresh()
        if self.cursor != before:
            self._show_cursor()
        if emptied and self.is_attached:
            self.screen.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.count > 0 if action == "choose" else True

    def set_row_height(self, height: int) -> None:
        if height != self._row_height:
            self._row_height = height
            self.set_count(self.count)
            self._show_cursor()

    def refresh_row(self, index: int) -> None:
        top = index * self._row_height - self.scroll_offset.y
        self.refresh(Region(0, top, self.size.width, self._row_height))

    def rows_in_view(self) -> Iterator[tuple[int, int]]:
        """The rows that can be seen: the number of each, and the line of the widget that it begins on."""
        height = self.scrollable_content_region.height
        first = -(-self.scroll_offset.y // self._row_height)
        for row in range(first, self.count):
            y = row * self._row_height - self.scroll_offset.y
            if y >= height:
                return
            yield row, y

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and bring it into view."""
        index = max(0, min(self.count - 1, index))
        if index != self.cursor:
            self.refresh_row(self.cursor)
            self.cursor = index
            self.refresh_row(index)
            self._show_cursor()
            self.post_message(self.Moved(self))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        palette = self.services.palette
        if not self.count:
            lines = self._empty()
            return palette.strip(lines[y] if y < len(lines) else EMPTY, width)
        row, part = divmod(y + self.scroll_offset.y, self._row_height)
        if row >= self.count or part:
            return palette.strip(EMPTY, width)
        chosen = self.is_chosen(row)
        line = self._draw(row, width - 2, chosen)
        mark: Span = ("❯ ", "accent+bold" if self.has_focus else "faint") if chosen else ("  ", "text")
        return palette.strip(pad((mark, *line), width), width, "cursor" if chosen else "ground")

    def is_chosen(self, row: int) -> bool:
        """Whether a row is shown as the chosen one."""
        return row == self.cursor

    def _show_cursor(self) -> None:
        if self.is_attached:
            top = self.cursor * self._row_height
            self.scroll_to_region(Region(0, top, 1, self._row_height), animate=False, force=True)

    def action_move(self, step: int) -> None:
        self.move_to(self.cursor + step)

    def action_page(self, direction: int) -> None:
        self.move_to(self.cursor + direction * max(1, self.size.height // self._row_height - 1))

    def action_edge(self, last: int) -> None:
        self.move_to(self.count - 1 if last else 0)

    def action_choose(self) -> None:
        if self.count:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        row = (event.y + self.scroll_offset.y) // self._row_height
        if 0 <= row < self.count:
            again = row == self.cursor
            self.move_to(row)
            if event.chain >= 2 and again:
                self.action_choose()

    def on_resize(self) -> None:
        self.virtual_size = Size(max(1, self.scrollable_content_region.width), self.count * self._row_height)
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


class PagedRows(RowList, Generic[T]):
    """Rows that are read in pages when they come into view, and forgotten when they are far away."""

    def __init__(
        self,
        draw: Callable[[T, int, bool], Line],
        fetch: Callable[[int, int], Awaitable[Sequence[T]]],
        *,
        key: Callable[[T], Hashable],
        place: Callable[[T], Awaitable[int | None]] | None = None,
        empty: Callable[[], Sequence[Line]] = lambda: (),
        id: str | None = None,
    ) -> None:
        """``fetch(offset, limit)`` reads rows; ``draw(item, width, chosen)`` paints one.

        ``key`` tells items apart, ``place`` says where one is in what is listed now; without that the rows around where it
        was are looked through.
        """
        super().__init__(self._draw_item, empty=empty, id=id)
        self._draw_one, self._fetch, self._key, self._place = draw, fetch, key, place
        self._pages: OrderedDict[int, Sequence[T]] = OrderedDict()
        self._asked: set[int] = set()
        self._edition = 0
        self._on: T | None = None  # what the cursor is on
        self._following = False  # what the cursor is on is being looked for in what is listed now

    def reload(self, count: int, *, otherwise: int | None = None, cursor: int | None = None) -> None:
        """What is shown has changed: read again. Rows known so far stay in view until the new ones are here.

        The cursor stays on its item, wherever that is now; when it is not listed any more it goes to the row ``otherwise``,
        or stays at its place. With ``cursor`` it goes there.
        """
        self._edition += 1
        self._asked.clear()
        if count < self.count:
            self._pages.clear()
        before = self.cursor
        self.set_count(count, cursor=cursor if cursor is not None else otherwise)
        self._following = cursor is None and count > 0 and self._on is not None
        if self._following and self._on is not None:
            self.run_worker(self._follow(self._on, before, self._edition), exit_on_error=False, group="follow")
        else:
            self._ask(self.cursor // PAGE)

    def reload_at(self, count: int, cursor: int) -> None:
        """The same, with the cursor on this row, whatever it was on: the person asked for what is there."""
        self._on = None
        self.reload(count, cursor=cursor)

    async def _follow(self, item: T, before: int, edition: int) -> None:
        find = self._place(item) if self._place is not None else self._look_around(item, before)
        place = await self.services.guarded(find)
        if edition != self._edition:
            return
        self._following = False
        if place is not None and place < self.count and place != self.cursor:
            self.cursor = place
            self._show_cursor()
        self._ask(self.cursor // PAGE)
        self.refresh()
        if self.item(self.cursor) is not None:
            self._arrived()

    async def _look_around(self, item: T, before: int) -> int | None:
        key, first = self._key(item), before // PAGE
        last = (self.count - 1) // PAGE
        for page in sorted(range(last + 1), key=lambda page: abs(page - first))[:_MOST_LOOKED]:
            for place, row in enumerate(await self._fetch(page * PAGE, PAGE)):
                if self._key(row) == key:
                    return page * PAGE + place
        return None

    def _arrived(self) -> None:
        """The item under the cursor is known."""
        if not self._following:
            self._on = self.item(self.cursor)
            self.post_message(self.Moved(self))

    def move_to(self, index: int) -> None:
        super().move_to(index)
        if self._following:  # the person has gone elsewhere
            self._following, self._edition = False, self._edition + 1
            self._asked.clear()
            self._ask(self.cursor // PAGE)
        self._on = self.item(self.cursor) or self._on

    def item(self, index: int) -> T | None:
        """The row's item, or None while it is being read."""
        page, place = divmod(index, PAGE)
        rows = self._pages.get(page)
        if rows is None or page not in self._asked:
            self._ask(page)
        return rows[place] if rows is not None and place < len(rows) else None

    @property
    def chosen(self) -> T | None:
        if not self.count:
            return None
        return self._on if self._following else self.item(self.cursor)

    def _draw_item(self, index: int, width: int, chosen: bool) -> Line:
        item = self.item(index)
        return (("…", "faint"),) if item is None else self._draw_one(item, width, chosen)

    def _ask(self, page: int) -> None:
        if page not in self._asked and self.count and self.is_attached:
            self._asked.add(page)
            self.run_worker(self._read(page, self._edition), exit_on_error=False, group=f"page-{page}")

    async def _read(self, page: int, edition: int) -> None:
        rows = await self.services.guarded(self._fetch(page * PAGE, PAGE))
        if edition != self._edition or rows is None:
            return
        self._pages[page] = rows
        self._pages.move_to_end(page)
        here = self.cursor // PAGE
        while len(self._pages) > _KEPT_PAGES:
            far = next(iter(self._pages))
            if far == here:
                self._pages.move_to_end(far)
                far = next(iter(self._pages))
            del self._pages[far]
            self._asked.discard(far)
        self.refresh()
        if page == here:
            self._arrived()
