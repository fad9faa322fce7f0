"""A new session: a packaged example, a plan file, or a short form."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static, TextArea

from dsbuilder_tui.domain.errors import DsbuilderError, PlanError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.session.plan_files import example_names, load_example, load_plan
from dsbuilder_tui.tui.paint.line import Line, clip, cut, fit
from dsbuilder_tui.tui.widgets.dialogs import Dialog, Field, TextBox, text
from dsbuilder_tui.tui.widgets.rows import RowList

_OF_COUNT = "0123456789,_ "
_LONGEST_COUNT = 12  # digits
_EXAMPLE_FORM = "order_status 60: Where is my order #12345?\nrefunds 40: I want a refund for order #12345."


class Examples(Dialog[DatasetPlanInput]):
    """The packaged plans, with what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self._plans = [(name, load_example(name)) for name in example_names()]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = "Examples"
            box.border_subtitle = "enter begin · esc cancel"
            rows = RowList(self._row, id="examples")
            rows.styles.height = len(self._plans)
            yield rows
            yield text("", "said about")

    def on_mount(self) -> None:
        rows = self.query_one(RowList)
        rows.set_count(len(self._plans))
        rows.focus()
        self._describe()

    def _row(self, index: int, width: int, chosen: bool) -> Line:
        name, plan = self._plans[index]
        number, _, noun = counted(plan.total_instances, "case").partition(" ")
        return cut(((fit(name, 24), "strong" if chosen else "text"), (f"{number:>6} {noun}", "muted")), width)

    def _describe(self) -> None:
        _, plan = self._plans[self.query_one(RowList).cursor]
        lines = [plan.description, ""] if plan.description else []
        lines += [f"{c.name} {c.count}: {c.description}" for c in plan.categories]
        self.say(".about", "\n".join(lines))

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._describe()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.dismiss(self._plans[event.rows.cursor][1])


def plan_of_form(name: str, description: str, lines: str) -> DatasetPlanInput:
    """A plan from the short form: one category a line, ``name count: example``. Raises ``PlanError`` per line."""
    categories: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, line in enumerate(lines.splitlines(), 1):
        if not line.strip():
            continue
        found = _category(line)
        if found is None:
            problems.append(
                f"line {number}: {line.strip()[:60]!r} — write a name, a count and an example, such as "
                f"{_EXAMPLE_FORM.splitlines()[0]!r}"
            )
            continue
        categories.append(found)
    if problems:
        raise PlanError("the form", problems)
    return parse_plan(
        {"dataset_name": name.strip(), "description": description.strip(), "categories": categories}, "the form"
    )


def _category(line: str) -> dict[str, Any] | None:
    """The category that a line of the form is: the count is all digits behind the name's last other word."""
    head, _, example = line.partition(":")
    words = " ".join(head.split())
    rest = len(words.rstrip(_OF_COUNT))
    gap = words.find(" ", rest)
    count = re.sub(r"[,_ ]", "", words[gap:]) if gap > 0 else ""
    if not 0 < len(count) <= _LONGEST_COUNT:
        return None
    return {"name": words[:gap], "count": int(count), "example_inputs": [example.strip()] if example.strip() else []}


class NewSession(Dialog[DatasetPlanInput]):
    """A plan file, or the short form; what is wrong is said as it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "begin", "begin"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form") as box:
            box.border_title = "New session"
            box.border_subtitle = "tab next field · ^S begin · esc cancel"
            yield from self._field(
                "Plan file (.yaml or .json); leave it empty to fill in the form below", Field(id="file")
            )
            yield from self._field("Dataset name", Field(id="name", placeholder="support_bot_v1"))
            yield from self._field("What does the application do? (optional)", Field(id="about"))
            with Vertical(classes="field-row"):
                yield Static("Categories, one a line:  name count: an example input", classes="field-label")
                with Vertical(classes="field-box"):
                    yield TextBox(_EXAMPLE_FORM, id="categories")
            yield text("", "outcome")
            yield text("", "problem")

    def _field(self, label: str, field: Input) -> ComposeResult:
        with Vertical(classes="field-row"):
            yield Static(label, classes="field-label")
            with Vertical(classes="field-box"):
                yield field

    def on_mount(self) -> None:
        self.query_one("#name").focus()
        self._check()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._check()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.focus_next()

    def _plan(self) -> DatasetPlanInput:
        file = self.query_one("#file", Input).value.strip()
        if file:
            return load_plan(file)
        return plan_of_form(
            self.query_one("#name", Input).value,
            self.query_one("#about", Input).value,
            self.query_one("#categories", TextArea).text,
        )

    def _check(self) -> None:
        name = self.query_one("#name", Input).value
        file = self.query_one("#file", Input).value
        problem, outcome = "", ""
        if not name.strip() and not file.strip():
            outcome = "Give the dataset a name."
        else:
            try:
                plan = self._plan()
            except DsbuilderError as error:
                problem = str(error)
            else:
                size = f"{counted(plan.total_instances, 'case')}, {counted(len(plan.categories), 'category')}"
                outcome = f"{plan.dataset_name}: {size}. ^S begins."
        self.say(".problem", problem)
        self.say(".outcome", clip(outcome, 200))

    def action_begin(self) -> None:
        try:
            self.dismiss(self._plan())
        except DsbuilderError as error:
            self.say(".problem", str(error))
