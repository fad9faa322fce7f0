"""The form in which a person edits a case: a field for each of its inputs and expectations, or all of it as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_problems import CaseProblems
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.cases.paint import json_of, parse_edited
from dsbuilder_tui.tui.paint.case_fields import CaseField, CasePart, FieldKind, case_fields, choice_words, edited_case
from dsbuilder_tui.tui.widgets.choice_line import ChoiceLine
from dsbuilder_tui.tui.widgets.dialogs import Field, TextBox, text

_LEFT_OUT = "left out"


class FieldEditor(Vertical):
    """One field of the form: its name and meaning, what is typed, and what is wrong with it."""

    def __init__(self, field: CaseField) -> None:
        super().__init__(classes="field-editor")
        self.field = field
        self._choices = self._choosable()
        self.editor = self._made()
        self._problem = text("", "problem")
        self._problem.display = False

    def _choosable(self) -> list[str]:
        """The texts of all values, where there are but a few; empty for the one that leaves the field out."""
        values: Sequence[Any] = ()
        if self.field.kind is FieldKind.TRUTH:
            values = (True, False)
        elif self.field.kind is FieldKind.CHOICE:
            values = self.field.choices
        left_out = [""] if values and self.field.may_lack else []
        return [*map(choice_words, values), *left_out]

    def compose(self) -> ComposeResult:
        words = [part for part in (self.field.meaning, self._how) if part]
        yield Static(
            Content.assemble(
                (visible(self.field.key), "$ds-info bold"),
                (" · " + visible(" · ".join(words)) if words else "", "$ds-muted"),
            ),
            classes="field-name",
        )
        yield self.editor
        yield self._problem

    @property
    def _how(self) -> str:
        """How it is written, where that is not plain to see."""
        if self._choices or self.field.kind in (FieldKind.TEXT, FieldKind.NUMBER):
            return ""
        return self.field.kind.value

    def _made(self) -> Widget:
        if self._choices:
            chosen = (
                self._choices.index(self.field.text) if self.field.text in self._choices else len(self._choices) - 1
            )
            return ChoiceLine([words or _LEFT_OUT for words in self._choices], chosen)
        if self.field.kind is FieldKind.NUMBER:
            return Field(self.field.text, placeholder=self._placeholder)
        box = TextBox(self.field.text, language=None)
        box.placeholder = self._placeholder
        return box

    @property
    def _placeholder(self) -> str:
        return _LEFT_OUT if self.field.may_lack else "must not be empty"

    @property
    def value(self) -> str:
        """The text as it is now."""
        editor = self.editor
        if isinstance(editor, ChoiceLine):
            return self._choices[editor.chosen]
        return editor.value if isinstance(editor, Input) else editor.text if isinstance(editor, TextArea) else ""

    def complain(self, words: str) -> None:
        """Say beside the field what is wrong with it; empty takes that back."""
        _say(self._problem, words)

    @property
    def is_wrong(self) -> bool:
        """Whether something is said to be wrong with it."""
        return bool(self._problem.display)


class CaseForm(Vertical):
    """A case that is being edited. It is a form, or JSON when that is asked for; what is typed goes from one to the other."""

    class Edited(Message):
        """Something was typed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan: DatasetPlanInput | None = None
        self._case: AcceptedCase | None = None
        self._editors: Sequence[FieldEditor] = ()
        self._scroll = VerticalScroll(id="fields", can_focus=False)
        self._json = TextBox("", id="editor", language=None)
        self._json.display = False
        self._json_before = ""  # what the JSON was when it came into view
        self._problem, self._rules = text("", "problem"), text("", "rules")

    def compose(self) -> ComposeResult:
        yield self._scroll
        yield self._json
        yield self._problem
        yield self._rules

    async def show(self, plan: DatasetPlanInput, case: AcceptedCase, json: str = "") -> None:
        """Begin with what a case says, its first field in focus; or with this ``json`` that it might say."""
        self._plan, self._case = plan, case
        _say(self._rules, "")
        await self._fill(case_fields(plan, case))
        self._show_json(bool(json))
        if json:
            self._json_before = ""  # other than the fields
            self._json.text = visible(json)
        (self._json if json else self._editors[0].editor).focus()

    async def _fill(self, fields: Sequence[CaseField]) -> None:
        self._editors = [FieldEditor(one) for one in fields]
        inputs = [one for one in self._editors if one.field.part is CasePart.INPUTS]
        expectations = [one for one in self._editors if one.field.part is CasePart.EXPECTATIONS]
        await self._scroll.remove_children()
        await self._scroll.mount_all([*inputs, text("expectations", "form-heading"), *expectations])
        self._scroll.scroll_home(animate=False)

    @property
    def is_json(self) -> bool:
        """Whether the case is shown as JSON now."""
        return bool(self._json.display)

    @property
    def is_changed(self) -> bool:
        """Whether the case would say anything else than it does."""
        inputs, expectations, problems = self._typed()
        case = self._case
        return bool(problems) or (case is not None and (inputs, expectations) != (case.inputs, case.expectations))

    def read(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Inputs and expectations as they are typed; None when that cannot be, which is then said beside the fields."""
        inputs, expectations, problems = self._typed()
        if self.is_json:
            _say(self._problem, "".join(problems.values()))
        else:
            for place, editor in enumerate(self._editors):
                editor.complain(problems.get(place, ""))
        return None if problems else (inputs, expectations)

    def _typed(self) -> tuple[dict[str, Any], dict[str, Any], Mapping[int, str]]:
        if self.is_json:
            try:
                return *parse_edited(self._json.text), {}
            except InputError as error:
                return {}, {}, {0: error.problem}
        return edited_case([one.field for one in self._editors], [one.value for one in self._editors])

    def tell(self, problems: CaseProblems) -> None:
        """Say what the plan and its rules find: beside the fields, and below the form."""
        _say(self._rules, "\n".join(f"⚠ {rule}" for rule in problems.rules))
        bad = {CasePart.INPUTS: problems.inputs, CasePart.EXPECTATIONS: problems.expectations}
        if self.is_json:
            words = [reason for reasons in bad.values() for reason in reasons.values()]
            _say(self._problem, "\n".join(words))
            return
        _say(self._problem, "")
        for editor in self._editors:
            editor.complain(bad[editor.field.part].get(editor.field.key, ""))

    def focus_problem(self) -> None:
        """Bring the first field that something is wrong with into view."""
        for editor in self._editors:
            if not self.is_json and editor.is_wrong:
                editor.editor.focus()
                return

    async def turn_over(self) -> None:
        """From the form to JSON or back, with what is typed; stays as it is, and says why, when that cannot be read."""
        found, box = self.read(), self._json
        if found is None or self._case is None or self._plan is None:
            self.focus_problem()
            return
        if self.is_json:
            self._show_json(False)
            if box.text != self._json_before:
                inputs, expectations = found
                case = replace(self._case, inputs=inputs, expectations=expectations)
                await self._fill(case_fields(self._plan, case))
            self._editors[0].editor.focus()
            return
        box.text = self._json_before = json_of(*found)
        self._show_json(True)
        box.focus()

    def _show_json(self, is_json: bool) -> None:
        self._json.display = is_json
        self._scroll.display = not is_json
        _say(self._problem, "")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())

    def on_choice_line_changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())


def _say(said: Static, words: str) -> None:
    said.update(Content(visible(words)))
    said.display = bool(words)
