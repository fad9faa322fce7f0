"""The accepted cases: search, look, edit, turn away, pin, note, copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input, TextArea

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.flags import flags_of
from dsbuilder_tui.tui.cases.case_list import CaseList
from dsbuilder_tui.tui.cases.paint import editable, parse_edited
from dsbuilder_tui.tui.editor import edited
from dsbuilder_tui.tui.paint.line import clip
from dsbuilder_tui.tui.widgets.dialogs import Ask, QuestionDialog, TextBox
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched


class CasesScreen(CaseList):
    CSS_PATH = "screen.tcss"
    title_words = "Cases"
    enter_words = "read"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("f", "filter", "filter"),
        Binding("s", "order", "order"),
        Binding("g", "pair", "go to the pair"),
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
        super().__init__(watched, words)
        self._editing: AcceptedCase | None = None

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
            await self.watched.session.cases.edit(case.category, case.ordinal, inputs, expectations)
            self._leave_editor()
            self._renewed()

        self.services.attempt(save())

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
            after = await edited(self.app, self.services, editable(case), ".json")
            if after is not None:
                inputs, expectations = parse_edited(after)
                await self.watched.session.cases.edit(case.category, case.ordinal, inputs, expectations)
                self._renewed()

        self.services.attempt(edit())

    def action_withdraw(self) -> None:
        if (case := self.chosen) is None:
            return

        async def withdraw() -> None:
            await self.watched.session.cases.withdraw(case.category, case.ordinal)
            running = self.watched.view.busy
            self.services.say(
                f"{case.case_id} is turned away. "
                + ("It is written again now." if running else "Resume to have it written again.")
            )
            if not running and not self.watched.replaying:
                await self.live.reread()
            self._renewed()

        question = QuestionDialog(
            "Reject this case and have it written again?",
            f"{clip(display_text(case.inputs), 300)}\n\nIts slot opens again; the same text does not come back.",
            [("reject and regenerate", True), ("keep it", False)],
        )
        self.app.push_screen(question, lambda yes: self.services.attempt(withdraw()) if yes else None)

    def action_pin(self) -> None:
        async def pin() -> None:
            case = self._case()
            await self.watched.session.cases.annotate(case.category, case.ordinal, pinned=not case.tags.get("pinned"))
            self._renewed()

        self.services.attempt(pin())

    def action_note(self) -> None:
        if (case := self.chosen) is None:
            return

        async def note(text: str | None) -> None:
            if text is not None:
                await self.watched.session.cases.annotate(case.category, case.ordinal, note=text)
                self._renewed()

        ask = Ask(
            "Note",
            "It is kept with the case and exported in its tags; empty removes it.",
            str(case.tags.get("note") or ""),
        )
        self.app.push_screen(ask, lambda text: self.services.attempt(note(text)))

    def action_copy(self) -> None:
        if (case := self.chosen) is not None:
            self.app.copy_to_clipboard(json.dumps(case.record(), ensure_ascii=True, indent=2))
            self.services.say(f"{case.case_id} is copied as JSON.")

    def action_back(self) -> None:
        box = self.query_one("#search", Input)
        if self._editing is not None:
            self._leave_editor()
        elif self._pair:
            self.search_again()
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
        if action == "pair":
            case = self.chosen if self.is_mounted else None
            return self._editing is None and (case is None or bool(flags_of(case.tags)))
        if action in ("filter", "order"):
            return self._editing is None and not self.watched.replaying
        if action in ("search", "copy"):
            return self._editing is None
        return True
