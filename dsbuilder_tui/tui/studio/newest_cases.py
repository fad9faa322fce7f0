"""The newest accepted cases as they come, held still once a person chooses among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseAccepted,
    CaseEdited,
    CaseJudged,
    CaseWithdrawn,
    Event,
    PlanRevised,
    ResultsRead,
)
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.studio.newest_paint import (
    NewestRow,
    RowColumns,
    case_line,
    columns_of,
    folded_words,
    mingled,
    no_cases_words,
    repeated_now,
    turned_line,
)
from dsbuilder_tui.tui.studio.paint import one_line_panel, said
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.tui.widgets.safe import title
from dsbuilder_tui.view import Turned

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched


class CaseAct(StrEnum):
    """What can be done with a case of the list."""

    OPEN = "open"
    PIN = "pin"
    WITHDRAW = "withdraw"
    EDIT = "edit"


_SPARE = 20  # rows beyond those that can be seen
_CHANGES = (ActUndone, CaseEdited, CaseWithdrawn, CaseJudged, BranchSwitched, PlanRevised, ResultsRead)


class NewestCases(RowList):
    """The newest cases, no more of them than can be seen and a few. They are read again at most once a repaint.

    While a run is at work, what has been read is shown with the next repaint of the screen: one frame holds all that is new.
    While a run is at work it follows: nothing is chosen, and no key acts on a row that moves. The arrows or the mouse
    choose one; from then on the rows stand still, and what has come since is counted, until the first one is left upwards or
    the keys go elsewhere.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "act('pin')", "pin"),
        Binding("d", "act('withdraw')", "reject"),
        Binding("e", "act('edit')", "edit"),
        Binding("escape", "leave", "to the prompt", show=False),
    ]
    ACTS: ClassVar[frozenset[str]] = frozenset({"act"})

    class ActAsked(Message):
        """A person wants something done with a case: to open it, or one of the acts that the keys name."""

        def __init__(self, act: CaseAct, case: AcceptedCase) -> None:
            super().__init__()
            self.act, self.case = act, case

    class BehindAsked(Message):
        """The screen behind the list is wanted, or that of what was turned away."""

        def __init__(self, screen: str) -> None:
            super().__init__()
            self.screen = screen

    class ListLeft(Message):
        """The keys may go back to the prompt."""

    def __init__(self, watched: Watched, repaint_soon: Callable[[], None]) -> None:
        """``repaint_soon`` has the screen repaint, and ``renew`` called with it."""
        super().__init__(self._line, empty=self._none, id="panel-cases")
        self.add_class("panel")
        self._watched, self._repaint_soon = watched, repaint_soon
        self._rows: Sequence[NewestRow] = ()
        self._cases: Sequence[AcceptedCase] = ()
        self._columns = RowColumns()
        self._repeated: set[str] = set()
        self._still = False
        self._newer = 0  # accepted since the rows stand still
        self._stale, self._reading = True, False
        self._recorded: int | None = None  # cases of a session that is replayed, also those that it has not come to
        self._told = ("", "")

    # What happens

    def heard(self, event: Event) -> None:
        """Take note of an event; nothing is read yet."""
        if isinstance(event, CaseAccepted):
            self._newer += 1
            self._stale = self._stale or not self.held
        elif isinstance(event, _CHANGES):
            self._stale = True

    def renew(self) -> None:
        """Show what has been read, and read what came since, if the list can be seen; called at every repaint of the screen."""
        if not self.is_attached or not self.is_on_screen or not self.size.height:
            return
        if self._stale and not self._reading:
            self._reading = True
            self.run_worker(self._read(), group="newest")
        if not self.held:
            self._show()
        self._say()

    async def _read(self) -> None:
        self._stale = False
        try:
            if self.held:
                await self._read_again()
            else:
                await self._read_newest()
        finally:
            self._reading = False
        if self._watched.view.busy:
            self._repaint_soon()
        else:
            self.renew()

    async def _read_newest(self) -> None:
        most = self.size.height + _SPARE
        page = self._watched.session.cases.page(await self._ahead(), most, newest_first=True)
        found = await self.services.guarded(page)
        if found is not None:
            self._cases = found

    async def _read_again(self) -> None:
        """What stands still has changed: as it is now, without what is gone."""
        seqs = [row.seq for row in self._rows if isinstance(row, AcceptedCase)]
        found = await self.services.guarded(self._watched.session.cases.by_seq(seqs))
        if found is not None and self.held:
            now = {case.seq: case for case in found}
            rows = [row if isinstance(row, Turned) else now.get(row.seq) for row in self._rows]
            self._rows = [row for row in rows if row is not None]
            self._lay_out()
            self.screen.refresh_bindings()

    async def _ahead(self) -> int:
        """How many of the recorded cases a replay has not come to."""
        if not self._watched.replaying:
            return 0
        if self._recorded is None:
            self._recorded = (await self._watched.session.summary()).instances_created
        return max(0, self._recorded - self._watched.view.accepted)

    def _show(self) -> None:
        """Follow: the newest on top, with what was turned away a moment ago."""
        watched = self._watched
        if watched.view.accepted and not self._cases:  # they are being read: what was turned away does not come alone
            return
        seen = self.size.height
        rows = mingled(self._cases, watched.view, watched.now(), seen + _SPARE, seen)
        moving = any(isinstance(row, Turned) for row in (*rows, *self._rows))
        if moving or rows != self._rows or not self._rows:
            self._rows, self._newer = rows, 0
            self._lay_out(cursor=0)
        if self.has_focus and not (watched.view.busy or self._stale or self._reading):
            self._hold(0)

    def _lay_out(self, *, cursor: int | None = None) -> None:
        self._columns = columns_of(self._rows, self.scrollable_content_region.width - 2)
        self._repeated = repeated_now(self._rows)
        self.set_keys([row.seq for row in self._rows], cursor=cursor)
        self._say()

    # What is chosen

    @property
    def held(self) -> bool:
        """Whether the rows stand still because one of them is chosen."""
        return self._still and self.has_focus

    @property
    def chosen(self) -> NewestRow | None:
        """What is chosen; None while the list follows."""
        return self._rows[self.cursor] if self.held and self.cursor < len(self._rows) else None

    def is_chosen(self, row: int) -> bool:
        return self.held and super().is_chosen(row)

    def _hold_at_once(self, edge: int) -> None:
        """Stand still by a key, on the first row or (-1) the last, with what has been read and waits for the next repaint."""
        self._show()
        self._hold(edge % max(1, len(self._rows)))

    def _hold(self, row: int) -> None:
        if self._rows and not self._still:
            self._still, self._newer = True, 0
            self._lay_out(cursor=row)
            self.screen.refresh_bindings()

    def _follow(self) -> None:
        self._still, self._stale = False, True
        self.scroll_home(animate=False)
        self.renew()
        self.screen.refresh_bindings()

    def on_focus(self) -> None:
        if not self._watched.view.busy:
            self._hold(0)
        self._say()

    def on_blur(self) -> None:
        self._follow()

    def on_resize(self) -> None:
        self._stale = True
        self.renew()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and (row := offset.y + self.scroll_offset.y) < self.count:
            self.focus()
            self._hold(row)  # before it is clicked on, it would have moved

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # what a border adds is not among the rows
        offset = event.get_content_offset(self)
        if offset is not None and (row := offset.y + self.scroll_offset.y) < self.count and not self.folded:
            self.move_to(row)
            if event.chain == 2:
                self.action_choose()

    def move_to(self, index: int) -> None:
        super().move_to(index)
        self._say()
        self.screen.refresh_bindings()

    def action_move(self, step: int) -> None:
        if not self.held:
            self._hold_at_once(0)
        elif self.cursor + step < 0:
            self._follow()  # over the first one lies what has come since
        else:
            super().action_move(step)

    def action_page(self, direction: int) -> None:
        if self.held:
            super().action_page(direction)
        else:
            self._hold_at_once(0)

    def action_edge(self, last: int) -> None:
        if not last:
            self._follow()
        elif self.held:
            super().action_edge(last)
        else:
            self._hold_at_once(-1)

    def action_choose(self) -> None:
        chosen = self.chosen
        if isinstance(chosen, AcceptedCase):
            self.post_message(self.ActAsked(CaseAct.OPEN, chosen))
        else:
            self.post_message(self.BehindAsked("cases" if chosen is None else "rejected"))

    def action_act(self, act: str) -> None:
        if isinstance(chosen := self.chosen, AcceptedCase):
            self.post_message(self.ActAsked(CaseAct(act), chosen))

    def action_leave(self) -> None:
        self.post_message(self.ListLeft())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "act":
            return True
        if not self._watched.acts or self._watched.session.read_only:
            return False
        chosen = self.chosen
        may = isinstance(chosen, AcceptedCase) and (not chosen.damaged or parameters == (CaseAct.WITHDRAW,))
        return may or None  # it is a key of the list all the same, and no letter for the prompt

    # How it looks

    @property
    def enter_words(self) -> str:
        """What Enter does now."""
        chosen = self.chosen
        return "all cases" if chosen is None else "compare" if isinstance(chosen, Turned) else "open"

    @property
    def folded(self) -> bool:
        """Whether there is room for one line alone."""
        return self.has_class("-folded")

    def _line(self, index: int, width: int, chosen: bool) -> Line:
        row = self._rows[index]
        if isinstance(row, Turned):
            return turned_line(row, width, self._columns, self._watched.now())
        names = list(self._watched.view.categories)
        number = names.index(row.category) if row.category in names else len(names)
        repeated = row.case_id in self._repeated
        return case_line(row, width, self._columns, number, chosen=chosen, repeated=repeated)

    def _none(self) -> Sequence[Line]:
        return said(no_cases_words(self._watched.view), self.scrollable_content_region.width)

    def render_line(self, y: int) -> Strip:
        if not self.folded:
            return super().render_line(y)
        width = self.size.width
        view = self._watched.view
        words = [(f"{view.accepted:,} · ", "muted"), *folded_words(self._cases, width)] if view.accepted else []
        line = one_line_panel("Cases", words or [("none yet", "muted")], width, focused=self.has_focus)[0]
        return self.services.palette.strip(line, width)

    def _say(self) -> None:
        """What stands in the border: how many there are, what has come since it stands still, what can be done."""
        view = self._watched.view
        newer = (
            f" · ↑ {self._newer:,} newer" if self.held and self._newer else " · newest first" if view.accepted else ""
        )
        keys = "F2 all"
        if self.held:
            keys = f"enter {self.enter_words}"
            if self.check_action("act", (CaseAct.PIN,)):
                keys = f"p pin · d reject · e edit · {keys}"
        elif self.has_focus:
            keys = "↓ choose one · enter all cases" if self._rows else ""
        told = (f"Cases {view.accepted:,}{newer}", keys)
        if told != self._told:
            self._told = told
            self.border_title, self.border_subtitle = title(told[0]), title(told[1])
