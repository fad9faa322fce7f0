"""The accepted cases: search, look, edit, turn away, pin, note, copy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.case_problems import CaseProblems
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.undo import UndoResult
from dsbuilder_tui.tui.case_actions import CaseActions
from dsbuilder_tui.tui.cases.case_form import CaseForm
from dsbuilder_tui.tui.cases.case_list import CaseList
from dsbuilder_tui.tui.cases.paint import json_of
from dsbuilder_tui.tui.editor import edited
from dsbuilder_tui.tui.paint.case_detail import near_cases
from dsbuilder_tui.tui.paint.line import clip
from dsbuilder_tui.tui.places.place import Place
from dsbuilder_tui.tui.undo_actions import UndoActions
from dsbuilder_tui.tui.widgets.dialogs import Ask, QuestionDialog
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

_DEBOUNCE = 0.15  # seconds from the last key until what is typed is looked at
_RULES = "Its rules find"


class CasesScreen(CaseList):
    CSS_PATH = "screen.tcss"
    title_words = "Cases"
    enter_words = "read"
    ACTS: ClassVar[frozenset[str]] = frozenset({"edit", "withdraw", "pin", "note", "editor", "save", "undo", "redo"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("f", "filter", "filter"),
        Binding("s", "order", "order"),
        Binding("g", "pair", "go to the pair"),
        Binding("e", "edit", "edit"),
        Binding("d", "withdraw", "reject"),
        Binding("p", "pin", "pin"),
        Binding("n", "note", "note"),
        Binding("u", "undo", "undo"),
        Binding("U", "redo", "redo", show=False),
        Binding("y", "copy", "copy"),
        Binding("o", "editor", "$EDITOR"),
        Binding("tab", "next_pane", "to the detail, or the next field", show=False),
        Binding("shift+tab", "previous_pane", "to the list, or the field before", show=False),
        Binding("ctrl+s", "save", "save"),
        Binding("ctrl+r", "turn_over", "form or JSON"),
        Binding("escape", "back", "back"),
    ]

    def __init__(
        self,
        watched: Watched,
        words: str = "",
        at: AcceptedCase | None = None,
        edit: bool = False,
        form_alone: bool = False,
    ) -> None:
        """With ``at`` the list begins on that case, the newest first, and with ``edit`` it is open in the form; with
        ``form_alone`` the screen goes when that is left.
        """
        super().__init__(watched, words, at)
        self._edit_first, self._form_alone = edit, form_alone
        self._editing: AcceptedCase | None = None
        self._read_from: Sequence[Passage] = ()  # passages of the case that is edited
        self.actions = CaseActions(self, self._renewed)
        self.undo_actions = UndoActions(self, self._undone)

    async def _open(self) -> None:
        await super()._open()
        if self._edit_first and self._at is not None and not self._at.damaged:
            passages = await self.services.guarded(self.watched.session.documents.passages_of(self._at.tags))
            self._passages = passages or ()
            await self._begin_edit(self._at)

    @property
    def holds(self) -> str:
        if self._editing is None or not self.form.is_changed:
            return ""
        return f"The changes to {clip(self._editing.case_id, 40)} are not saved yet."

    async def show_place(self, place: Place) -> bool:
        if self._editing is not None:
            self._leave_form()
        return await super().show_place(place)

    # Acts

    def _case(self) -> AcceptedCase:
        case = self.chosen
        if case is None:
            raise InputError("There is no case here.", "Choose one in the list.")
        return case

    @property
    def form(self) -> CaseForm:
        return self.query_one("#form", CaseForm)

    def action_edit(self) -> None:
        if (case := self.chosen) is not None and not case.damaged:
            self.services.attempt(self._begin_edit(case))

    async def _begin_edit(self, case: AcceptedCase, json: str = "") -> None:
        self._editing, self._read_from = case, self._passages
        self.add_class("-editing")
        self.query_one("#case-detail").border_title = title(clip(f"editing {case.case_id}", 40))
        self.form.display = True
        self.query_one("#detail").display = False
        await self.form.show(self.watched.session.plan, case, json)
        self._say_keys()
        self.refresh_bindings()

    def action_next_pane(self) -> None:
        if self._editing is None:
            super().action_next_pane()
        else:  # the form is not left by it: what is typed behind it would act on the list
            self.focus_next("#form *")

    def action_previous_pane(self) -> None:
        if self._editing is None:
            super().action_next_pane()  # there are two
        else:
            self.focus_previous("#form *")

    def _show_detail(self) -> None:
        if self._editing is None:  # else the form stays with its case, wherever the cursor goes
            super()._show_detail()

    def _say_keys(self) -> None:
        to_other = "^R as a form" if self.form.is_json else "^R as JSON"
        self.query_one("#case-detail").border_subtitle = f"^S save · {to_other} · esc cancel" if self._editing else ""

    def on_case_form_edited(self, event: CaseForm.Edited) -> None:
        async def soon() -> None:
            await asyncio.sleep(_DEBOUNCE)
            await self._looked_at()

        self.instead("look-at-edit", soon)

    async def _looked_at(self) -> tuple[dict[str, Any], dict[str, Any], CaseProblems] | None:
        """What is typed, and what is wrong with it, which the form says by now; None where it cannot be read."""
        case = self._editing
        if case is None or (found := self.form.read()) is None:
            return None
        problems = await self.watched.session.cases.problems(case, *found, self._read_from)
        if self._editing is not case:
            return None
        self.form.tell(problems)
        return *found, problems

    def action_save(self) -> None:
        self.services.attempt(self._save())

    async def _save(self) -> None:
        """Save what is typed, or say beside it why it cannot be."""
        case, looked = self._editing, await self._looked_at()
        if case is None or looked is None or not looked[2].fits:
            self.form.focus_problem()
            return
        inputs, expectations, problems = looked
        await self.watched.session.cases.edit(case.category, case.ordinal, inputs, expectations)
        self._leave_form()
        if not self._form_alone:
            self._renewed()
        if problems.rules:
            self.services.say(f"{case.case_id} is saved as you wrote it. {_RULES}: {'; '.join(problems.rules)}")

    def action_turn_over(self) -> None:
        async def turn_over() -> None:
            await self.form.turn_over()
            self._say_keys()

        self.services.attempt(turn_over())

    def _leave_form(self) -> None:
        self._editing = None
        if self._form_alone:
            self.dismiss()
            return
        self.remove_class("-editing")
        self.form.display = False
        self.query_one("#detail").display = True
        self._say_keys()
        self.rows.focus()
        self._show_detail()

    def _cancel_edit(self) -> None:
        """Leave the form; what was changed in it is not thrown away without a question."""
        if not self.form.is_changed:
            self._leave_form()
            return

        def take(answer: str | None) -> None:
            if answer == "save":
                self.action_save()
            elif answer == "drop":
                self._leave_form()

        answers = [("save them", "save"), ("throw them away", "drop"), ("go on editing", "")]
        question = QuestionDialog("Leave the changes?", "They are not saved yet.", answers)
        self.ask(question, take)

    def _renewed(self) -> None:
        if self._hits is None:
            self.rows.reload(self._total())
        else:
            self.search_again()
        self._show_detail()

    def _undone(self, result: UndoResult) -> None:
        """The cursor goes to the case that the act was about, where it is listed."""

        async def show() -> None:
            slot = slot_of(result.case_id)
            case = await self.watched.session.cases.get(*slot) if slot is not None else None
            if case is None or self._hits is not None:
                self._renewed()
                return
            self.rows.reload(self._total(), cursor=await self._place(case))
            self._show_detail()

        self.services.attempt(show())

    def action_undo(self) -> None:
        self.undo_actions.undo()

    def action_redo(self) -> None:
        self.undo_actions.redo()

    def action_editor(self) -> None:
        async def edit() -> None:
            case = self._case()
            after = await edited(self.app, self.services, json_of(case.inputs, case.expectations), ".json")
            if after is not None:  # in the form it can be mended, should it not fit
                await self._begin_edit(case, after)
                await self._save()

        self.services.attempt(edit())

    def action_withdraw(self) -> None:
        if (case := self.chosen) is not None:
            self.actions.ask_withdraw(case)

    def action_pin(self) -> None:
        if (case := self.chosen) is not None:
            self.actions.pin(case)

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
        self.ask(ask, lambda text: self.services.attempt(note(text)))

    def action_copy(self) -> None:
        if (case := self.chosen) is not None:
            self.app.copy_to_clipboard(json.dumps(case.record(), ensure_ascii=True, indent=2))
            self.services.say(f"{case.case_id} is copied as JSON.")

    def action_back(self) -> None:
        box = self.query_one("#search", Input)
        if self._editing is not None:
            self._cancel_edit()
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
        if action in ("save", "turn_over"):
            return self._editing is not None
        if action in ("undo", "redo"):
            return self.watched.acts and self._editing is None
        if action in ("edit", "withdraw", "pin", "note", "editor"):
            return self.watched.acts and self._editing is None and bool(self.rows.count if self.is_mounted else 0)
        if action == "pair":
            case = self.chosen if self.is_mounted else None
            return self._editing is None and (case is None or bool(near_cases(case)))
        if action in ("filter", "order"):
            return self._editing is None and not self.watched.replaying
        if action in ("search", "copy"):
            return self._editing is None
        return True
