"""The list of accepted cases and the detail beside it: search, filter, look."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.events import BranchSwitched, CaseAccepted, CaseEdited, CaseWithdrawn, Event
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.tui.cases.case_form import CaseForm
from dsbuilder_tui.tui.cases.paint import case_row
from dsbuilder_tui.tui.paint.case_detail import case_detail, near_cases
from dsbuilder_tui.tui.paint.case_fields import case_fields
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.places.place import Place, PlaceKind, case_place
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Field, QuestionDialog
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import PagedRows, RowList
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.session import HistoryEntry
    from dsbuilder_tui.tui.watched import Watched

_RELOAD = 1.0  # seconds between readings of the list while cases come in
_FLAGS = ("flagged", "pinned", "noted", "edited", "reviewed", "easy")
_VERDICTS = {"judged good": Judgement.GOOD, "judged bad": Judgement.BAD, "not judged": Judgement.NOT_JUDGED}
_DEBOUNCE = 0.15
_SHOWN_EVERY = 0.1  # seconds between two looks at what a search has found so far: to draw it costs more than to find it


class CaseList(SessionScreen):
    """What can be looked at. A pair is a case with the other one of its pair, or with the one that its flag names."""

    def __init__(self, watched: Watched, words: str = "", at: AcceptedCase | None = None) -> None:
        super().__init__(watched)
        self._words, self._at = words, at
        self._category: str | None = None
        self._flag = ""
        self._newest = at is not None
        self._hits: array[int] | None = None
        self._pair = ""  # the case from which a pair was looked up, while the pair is shown
        self._before = 0  # where the cursor was then
        self._progress = ""
        self._stale = False
        self._recorded = 0
        self._history: Sequence[HistoryEntry] = ()
        self._passages: Sequence[Passage] = ()

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Horizontal(id="case-body"):
            with Vertical(id="case-list", classes="pane"):
                yield Field(value=self._words, id="search", placeholder="search: every word must occur; tag:easy")
                yield PagedRows(
                    self._row,
                    self._fetch,
                    key=lambda case: case.case_id,
                    place=self._place,
                    empty=self._empty,
                    id="cases",
                )
            with Vertical(id="case-detail", classes="pane"):
                yield LineView(self._detail, id="detail")
                yield CaseForm(id="form")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#search").display = bool(self._words)
        self.query_one("#form").display = False
        self.rows.focus()
        self.instead("search", self._open)

    async def _open(self) -> None:
        if self._at is not None:
            place = await self.services.guarded(self._place(self._at))
            self._before = place or 0
        await self._search()

    @property
    def rows(self) -> PagedRows[AcceptedCase]:
        return self.query_one("#cases", PagedRows)

    @property
    def chosen(self) -> AcceptedCase | None:
        return self.rows.chosen

    # The list

    async def _fetch(self, offset: int, limit: int) -> Sequence[AcceptedCase]:
        session = self.watched.session
        if self._hits is not None:
            return await session.cases.by_seq(self._hits[offset : offset + limit].tolist())
        if self.watched.replaying:  # newest first, without what the replay has not come to yet
            ahead = max(0, self._recorded - self._total())
            return await session.cases.page(offset + ahead, limit, newest_first=True)
        return await session.cases.page(offset, limit, category=self._category, newest_first=self._newest)

    async def _place(self, case: AcceptedCase) -> int | None:
        """Where a case is in what is listed now."""
        if self._hits is not None:
            return self._hits.index(case.seq) if case.seq in self._hits else None
        if self._category not in (None, case.category):
            return None
        if self.watched.replaying:
            place = await self.watched.session.cases.place(case, newest_first=True)
            return None if place is None else place - max(0, self._recorded - self._total())
        return await self.watched.session.cases.place(case, category=self._category, newest_first=self._newest)

    def _row(self, case: AcceptedCase, width: int, chosen: bool) -> Line:
        longest = max((len(name) for name in self.watched.view.categories), default=8)
        return case_row(case, width, chosen, category_width=0 if self._category else min(20, longest))

    def _empty(self) -> Sequence[Line]:
        if self._hits is not None:
            return [(("Nothing found." if not self._progress else "Searching …", "muted"),)]
        return [(("No case is accepted yet. They appear here as soon as they are.", "muted"),)]

    def _total(self) -> int:
        if self._hits is not None:
            return len(self._hits)
        view = self.watched.view
        chosen = view.categories.get(self._category or "")
        return chosen.accepted if chosen is not None else view.accepted

    def heard(self, event: Event) -> None:
        if isinstance(event, BranchSwitched) or (isinstance(event, ActUndone) and self._hits is not None):
            self.search_again()  # what was found lies elsewhere now, or nowhere
        elif isinstance(event, ActUndone | CaseAccepted | CaseWithdrawn | CaseEdited) and not self._stale:
            self._stale = True
            self.set_timer(_RELOAD, self._renew)

    def _renew(self) -> None:
        self._stale = False
        if self._hits is None:
            self.rows.reload(self._total())
        self._title()

    def _title(self) -> None:
        pane = self.query_one("#case-list")
        parts = [clip(self._category or "all categories", 24)]
        parts += [self._flag] if self._flag else []
        parts = [f"{clip(self._pair, 40)} and what it is close to"] if self._pair else parts
        parts += ["newest first"] if self._newest else []
        pane.border_title = title(f"{counted(self._total(), 'case')} · {' · '.join(parts)}")
        pane.border_subtitle = self._progress or ("esc back to all" if self._pair else "/ search · f filter · s order")

    def search_again(self) -> None:
        """Look for what is asked now; what is found shows up as it is found."""
        self.instead("search", self._search)

    async def _search(self) -> None:
        words = self.query_one("#search", Input).value.strip()
        cursor, self._pair, self._before = self._before, "", 0
        if self.watched.replaying:
            summary = await self.services.guarded(self.watched.session.summary())
            self._recorded = summary.instances_created if summary else 0
        if not words and not self._flag:
            self._hits, self._progress = None, ""
            self.rows.reload(self._total(), otherwise=cursor)
            self._title()
            return
        self._hits = array("q")
        flags: dict[str, Any] = {}
        if self._flag in _VERDICTS:
            flags["verdict"] = _VERDICTS[self._flag]
        elif self._flag:
            flags[self._flag] = True
        steps = self.watched.session.cases.search(words, category=self._category, newest_first=self._newest, **flags)
        shown: float | None = None
        try:
            async for step in steps:
                self._hits.extend(step.seqs)
                self._progress = f"searching {100 * step.scanned // max(1, step.total)} %"
                if shown is None or self._now() - shown >= _SHOWN_EVERY:
                    self._show_found(cursor if shown is None else None)
                    shown = self._now()
        except DsbuilderError as error:
            self.services.complain(error)
        self._progress = ""
        self._show_found(cursor if shown is None else None)

    def _show_found(self, cursor: int | None) -> None:
        """Show what is found so far; ``cursor`` is where to begin when what was chosen is not among it."""
        self.rows.reload(self._total(), otherwise=cursor)
        self._title()
        if not self.rows.count:  # else the list says itself which one is shown
            self._show_detail()

    def on_input_changed(self, event: Input.Changed) -> None:
        async def soon() -> None:
            await asyncio.sleep(_DEBOUNCE)
            await self._search()

        self.instead("search", soon)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.rows.focus()

    def action_search(self) -> None:
        box = self.query_one("#search", Input)
        box.display = True
        box.focus()

    def action_filter(self) -> None:
        names = [c.name for c in self.watched.session.plan.categories]
        answers: list[tuple[str, Any]] = [("all categories", ("", "")), *((name, (name, "")) for name in names)]
        answers += [
            (f"only {flag}", ("", flag)) for flag in (*_FLAGS, *(_VERDICTS if self.watched.view.judged else ()))
        ]
        answers.append(("as it is", None))

        def take(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._category, self._flag = answer[0] or None, answer[1]
                self.search_again()

        self.ask(QuestionDialog("Show", "Which cases?", answers), take)

    def action_order(self) -> None:
        self._newest = not self._newest
        self.search_again()

    # Places

    @property
    def place(self) -> Place:
        case = self.chosen if self.is_mounted else None
        if case is not None:
            return case_place(case.category, case.ordinal)
        if self._category is not None:
            return Place(kind=PlaceKind.CATEGORY, name=self._category)
        return super().place

    async def show_place(self, place: Place) -> bool:
        if place.kind is PlaceKind.CATEGORY:
            self._show_all(place.name)
            await self._search()
            return True
        if place.kind is PlaceKind.SCREEN and place.value:
            self._show_all(None, place.value)
            await self._search()
            return True
        if place.kind is not PlaceKind.CASE:
            return await super().show_place(place)
        slot = slot_of(place.name)
        case = await self.watched.session.cases.get(*slot) if slot is not None else None
        if case is None:
            return False
        self.workers.cancel_group(self, "search")
        if (at := await self._place(case)) is None:
            self._show_all(None)
            at = await self._place(case)
        if at is not None:
            self.rows.reload_at(max(self._total(), at + 1), at)
            self._title()
            self.rows.focus()
        return at is not None

    def _show_all(self, category: str | None, words: str = "") -> None:
        """Forget what is searched for: show all cases, those of a category, or those with these words."""
        self._category, self._flag, self._hits, self._pair = category, "", None, ""
        box = self.query_one("#search", Input)
        with self.prevent(Input.Changed):
            box.value = words
        box.display = bool(words)

    # Pairs

    def action_pair(self) -> None:
        """Show the case together with the other one of its pair, or with the one that a flag of it names."""
        case = self.chosen
        near = near_cases(case) if case is not None else []
        if case is None or not near:
            self.services.complain(InputError("This case has no pair and no flag.", "f shows the flagged ones."))
        elif len(near) == 1:
            self._show_pair(case, near[0][1])
        else:
            question = QuestionDialog("Show", "Together with which case?", [*near, ("none", None)])
            self.ask(question, lambda other: self._show_pair(case, other) if other else None)

    def _show_pair(self, case: AcceptedCase, other_id: str) -> None:
        category, _, ordinal = other_id.rpartition("-")

        async def show() -> None:
            other = await self.watched.session.cases.get(category, int(ordinal)) if ordinal.isdecimal() else None
            if other is None:
                raise InputError(f"{other_id} is not there any more.", "It was turned away, or its slot is empty.")
            if not self._pair:
                self._before = self.rows.cursor
            self._hits, self._pair = array("q", [other.seq, case.seq]), case.case_id
            self.rows.reload(2, cursor=0)
            self._title()
            self._show_detail()

        self.services.attempt(show())

    # The detail

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._show_detail()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.query_one("#detail").focus()

    def _show_detail(self) -> None:
        self.instead("detail", self._read_aside)

    async def _read_aside(self) -> None:
        case = self.chosen
        self._history, self._passages = (), ()
        if case is not None:
            session = self.watched.session
            self._history = await self.services.guarded(session.cases.history(case.category, case.ordinal)) or ()
            self._passages = await self.services.guarded(session.documents.passages_of(case.tags)) or ()
        pane = self.query_one("#case-detail")
        pane.border_title = title(clip(case.case_id, 40)) if case else ""
        self.query_one("#detail", LineView).renew()
        self.refresh_bindings()

    def _detail(self, width: int) -> Sequence[Line]:
        case = self.chosen
        if case is None or case.damaged:
            return ()
        fields = case_fields(self.watched.session.plan, case)
        return case_detail(case, fields, self._history, width, self._passages)

    def action_next_pane(self) -> None:
        (self.query_one("#detail") if self.rows.has_focus else self.rows).focus()
