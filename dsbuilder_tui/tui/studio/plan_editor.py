"""The plan as YAML in an editor, checked as it is typed."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.session import check_plan
from dsbuilder_tui.session.plan_files import plan_of_text
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.widgets.dialogs import Dialog, TextBox, text

# What the editor offers where there is no plan yet: a person changes it faster than they write one.
_EXAMPLE = (
    DatasetCategory(
        name="order_status",
        description="A customer asks where an order is",
        count=20,
        example_inputs=("Where is my order #12345?",),
        expectations={"guidelines": "Asks for the order number if there is none, and promises nothing"},
        attributes={"tone": ("neutral", "impatient", "polite"), "length": ("short", "long")},
    ),
    DatasetCategory(
        name="refunds",
        description="A customer wants money back",
        count=20,
        example_inputs=("The blender arrived broken, I want my money back",),
    ),
)


def plan_text(plan: DatasetPlanInput) -> str:
    """A plan as the YAML a person would write: without what is empty or at its default. For none yet, an example."""
    if not plan.decided:
        plan = DatasetPlanInput(dataset_name=plan.dataset_name, categories=_EXAMPLE)
    data: dict[str, Any] = plan.model_dump(mode="json", exclude_defaults=True)
    data.pop("total_instances", None)
    if list(plan.input_fields) == ["query"]:
        data.pop("input_fields", None)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


class PlanEditor(Dialog[DatasetPlanInput]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save"),
    ]

    def __init__(self, plan: DatasetPlanInput, config: DatasetBuilderConfig) -> None:
        super().__init__()
        self._plan, self._config = plan, config

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog editor") as box:
            box.border_title = "The plan"
            box.border_subtitle = "^S save · esc cancel"
            yield TextBox(plan_text(self._plan), id="plan-text")
            yield text("", "problem")
            yield text("", "said outcome")

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()
        self._checked()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._checked()

    def _checked(self) -> DatasetPlanInput | None:
        problem, outcome, plan = "", "", None
        try:
            plan = plan_of_text(self.query_one(TextArea).text, "the plan")
            check_plan(plan, self._config, "the plan")
            outcome = f"{counted(plan.total_instances, 'case')}, {counted(len(plan.categories), 'category')}"
        except DsbuilderError as error:
            problem, plan = str(error), None
        self.say(".problem", problem)
        self.say(".outcome", outcome)
        return plan

    def action_save(self) -> None:
        if (plan := self._checked()) is not None:
            self.dismiss(plan)
