"""The accepted cases: search, look, edit, turn away, pin, note, copy."""

from __future__ import annotations

import asyncio
import json
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, TextArea

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.events import CaseAccepted, CaseEdited, CaseWithdrawn, Event
from dsbuilder_tui.domain.words import counted
from dsbuilder_tui.tui.editor import edited
from dsbuilder_tui.tui.paint.cases import case_detail, case_row, editable, parse_edited
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.screens.base import Watching
from dsbuilder_tui.tui.screens.dialogs import Ask, Field, Question, TextBox
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.pages import Pages
from dsbuilder_tui.tui.widgets.rows import PagedRows, RowList
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.session import HistoryEntry
    from dsbuilder_tui.tui.watched import Watched

_RELOAD = 1.0  # seconds between readings of the list while cases come in
_FLAGS = ("pinned", "noted", "edited")
_DEBOUNCE = 0.15


class CasesScreen(Watching):
    CSS_PATH = "cases.tcss"
    title_words = "Cases"
    enter_words = "read"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("f", "filter", "filter"),
        Binding("s", "order", "order"),
        Binding("e", "edit", "edit"),
        Binding("d", "withdraw", "reject"),
        Binding("p", "pin", "pin"),
        Binding("n", "note", "note"),
        Binding("y", "copy", "copy"),
        Binding("o", "editor", "$EDITOR"),
        Binding("tab", "next_pane", "to the detail", show=False),
        Binding("ctrl+s", "save", "save"),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched, words: str = "") -> None:
        super().__init__(watched)
        self._words = words
        self._category: str | None = None
        self._flag = ""
        self._newest = False
        self._hits: array[int] | None = None
        self._progress = ""
        self._stale = False
        self._recorded = 0
        self._editing: AcceptedCase | None = None
        self._history: Sequence[HistoryEntry] = ()

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Horizontal(id="case-body"):
            with Vertical(id="case-list", classes="pane"):
                yield Field(value=self._words, id="search", placeholder="search: every word must occur")
                yield PagedRows(self._row, self._fetch, empty=self._empty, id="cases")
            with Vertical(id="case-detail", classes="pane"):
                yield Pages(self._detail, id="detail")
                yield TextBox("", id="editor", language=None)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#search").display = bool(self._words)
        self.query_one("#editor").display = False
        self.rows.focus()
        self.search_again()

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
            return await session.cases_by_seq(self._hits[offset : offset + limit].tolist())
        if self.watched.replaying:  # newest first, without what the replay has not come to yet
            ahead = max(0, self._recorded - self._total())
            return await session.case_page(offset + ahead, limit, newest_first=True)
        return await session.case_page(offset, limit, category=self._category, newest_first=self._newest)

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
        if isinstance(event, CaseAccepted | CaseWithdrawn | CaseEdited) and not self._stale:
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
        parts += ["newest first"] if self._newest else []
        pane.border_title = title(f"{counted(self._total(), 'case')} · {' · '.join(parts)}")
        pane.border_subtitle = self._progress or "/ search · f filter · s order"

    def search_again(self) -> None:
        """Look for what is asked now; what is found shows up as it is found."""
        self.instead("search", self._search)

    async def _search(self) -> None:
        words = self.query_one("#search", Input).value.strip()
        if self.watched.replaying:
            summary = await self.studio.guarded(self.watched.session.summary())
            self._recorded = summary.instances_created if summary else 0
        if not words and not self._flag:
            self._hits, self._progress = None, ""
            self.rows.reload(self._total(), cursor=0)
            self._title()
            return
        self._hits, first = array("q"), True
        flags = {self._flag: True} if self._flag else {}
        steps = self.watched.session.search_cases(words, category=self._category, newest_first=self._newest, **flags)
        try:
            async for step in steps:
                self._hits.extend(step.seqs)
                self._progress = (
                    f"searching {100 * step.scanned // max(1, step.total)} %" if step.scanned < step.total else ""
                )
                if step.seqs or first or not self._progress:
                    self.rows.reload(len(self._hits), cursor=0 if first else None)
                    first = False
                self._title()
        except DsbuilderError as error:
            self.studio.complain(error)
        self._progress = ""
        self._title()

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
        answers += [(f"only {flag}", ("", flag)) for flag in _FLAGS]
        answers.append(("as it is", None))

        def take(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._category, self._flag = answer[0] or None, answer[1]
                self.search_again()

        self.app.push_screen(Question("Show", "Which cases?", answers), take)

    def action_order(self) -> None:
        self._newest = not self._newest
        self.search_again()

    # The detail

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._show_detail()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.query_one("#detail").focus()

    def _show_detail(self) -> None:
        self.instead("detail", self._read_history)

    async def _read_history(self) -> None:
        case = self.chosen
        self._history = ()
        if case is not None:
            self._history = (
                await self.studio.guarded(self.watched.session.history_of_case(case.category, case.ordinal)) or ()
            )
        pane = self.query_one("#case-detail")
        pane.border_title = title(clip(case.case_id, 40)) if case else ""
        self.query_one("#detail", Pages).renew()
        self.refresh_bindings()

    def _detail(self, width: int) -> Sequence[Line]:
        case = self.chosen
        return case_detail(case, self._history, width) if case is not None and not case.damaged else ()

    def action_next_pane(self) -> None:
        (self.query_one("#detail") if self.rows.has_focus else self.rows).focus()

    # Acts

    def _case(self) -> AcceptedCase:
        case = self.chosen
        if case is None:
            raise InputError("There is no case here.", "Choose one in the list.")
        return case

    def action_edit(self) -> None:
        if (case := self.chosen) is None or case.damaged:
            return
        self._editing = case
        box = self.query_one("#editor", TextBox)
        box.text = editable(case)
        box.display = True
        self.query_one("#detail").display = False
        self.query_one("#case-detail").border_subtitle = "^S save · esc cancel"
        box.focus()
        self.refresh_bindings()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        try:
            parse_edited(event.text_area.text)
            words = title("^S save · esc cancel")
        except DsbuilderError as error:
            words = title(clip(error.problem, 60))
        if self._editing is not None:
            self.query_one("#case-detail").border_subtitle = words

    def action_save(self) -> None:
        case = self._editing
        if case is None:
            return

        async def save() -> None:
            inputs, expectations = parse_edited(self.query_one("#editor", TextBox).text)
            await self.watched.session.edit_case(case.category, case.ordinal, inputs, expectations)
            self._leave_editor()
            self._renewed()

        self.studio.attempt(save())

    def _leave_editor(self) -> None:
        self._editing = None
        self.query_one("#editor").display = False
        self.query_one("#detail").display = True
        self.query_one("#case-detail").border_subtitle = ""
        self.rows.focus()
        self.refresh_bindings()

    def _renewed(self) -> None:
        if self._hits is None:
            self.rows.reload(self._total())
        else:
            self.search_again()
        self._show_detail()

    def action_editor(self) -> None:
        async def edit() -> None:
            case = self._case()
            after = await edited(self.studio, editable(case), ".json")
            if after is not None:
                inputs, expectations = parse_edited(after)
                await self.watched.session.edit_case(case.category, case.ordinal, inputs, expectations)
                self._renewed()

        self.studio.attempt(edit())

    def action_withdraw(self) -> None:
        if (case := self.chosen) is None:
            return

        async def withdraw() -> None:
            await self.watched.session.withdraw_case(case.category, case.ordinal)
            running = self.watched.view.busy
            self.studio.say(
                f"{case.case_id} is turned away. "
                + ("It is written again now." if running else "Resume to have it written again.")
            )
            if not running and not self.watched.replaying:
                await self.live.reread()
            self._renewed()

        question = Question(
            "Reject this case and have it written again?",
            f"{clip(display_text(case.inputs), 300)}\n\nIts slot opens again; the same text does not come back.",
            [("reject and regenerate", True), ("keep it", False)],
        )
        self.app.push_screen(question, lambda yes: self.studio.attempt(withdraw()) if yes else None)

    def action_pin(self) -> None:
        async def pin() -> None:
            case = self._case()
            await self.watched.session.annotate_case(case.category, case.ordinal, pinned=not case.tags.get("pinned"))
            self._renewed()

        self.studio.attempt(pin())

    def action_note(self) -> None:
        if (case := self.chosen) is None:
            return

        async def note(text: str | None) -> None:
            if text is not None:
                await self.watched.session.annotate_case(case.category, case.ordinal, note=text)
                self._renewed()

        ask = Ask(
            "Note",
            "It is kept with the case and exported in its tags; empty removes it.",
            str(case.tags.get("note") or ""),
        )
        self.app.push_screen(ask, lambda text: self.studio.attempt(note(text)))

    def action_copy(self) -> None:
        if (case := self.chosen) is not None:
            self.app.copy_to_clipboard(json.dumps(case.record(), ensure_ascii=True, indent=2))
            self.studio.say(f"{case.case_id} is copied as JSON.")

    def action_back(self) -> None:
        box = self.query_one("#search", Input)
        if self._editing is not None:
            self._leave_editor()
        elif box.has_focus or box.value:
            with self.prevent(Input.Changed):  # it would search once more, a moment later
                box.value = ""
            box.display = False
            self.rows.focus()
            self.search_again()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "save":
            return self._editing is not None
        if action in ("edit", "withdraw", "pin", "note", "editor"):
            return (
                not self.watched.replaying and self._editing is None and bool(self.rows.count if self.is_mounted else 0)
            )
        if action in ("filter", "order"):
            return self._editing is None and not self.watched.replaying
        if action in ("search", "copy"):
            return self._editing is None
        return True
