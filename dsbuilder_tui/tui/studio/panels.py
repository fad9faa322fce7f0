"""The painted panels of the studio as widgets: each asks the screen for the view and paints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.tui.layout import WIDE
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.studio.paint import checkpoints_panel, plan_panel, rejected_panel, workers_panel
from dsbuilder_tui.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched


class Panel(Painted, can_focus=True):
    """A panel that can be focused, maximised and restored."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "maximise"),
        Binding("escape", "restore", "restore", show=False),
    ]

    class SizeAsked(Message):
        """The panel wants the whole body, or gives it back."""

        def __init__(self, panel: Panel) -> None:
            super().__init__()
            self.panel = panel

    class ScreenAsked(Message):
        """The screen behind the panel is wanted."""

        def __init__(self, screen: str) -> None:
            super().__init__()
            self.screen = screen

    class Left(Message):
        """The keys may go back to the prompt."""

    follows = True
    opens: ClassVar[str] = ""  # the screen that Enter opens once the panel is maximised

    def __init__(self, name: str, watched: Watched) -> None:
        super().__init__(id=f"panel-{name}", classes="panel")
        self.panel = name
        self.watched = watched

    @property
    def maximised(self) -> bool:
        return self.has_class("-maximised")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # On a narrow terminal it has all the room already.
        return self.app.size.width >= WIDE or bool(self.opens) if action == "enter" else True

    @property
    def alone(self) -> bool:
        """Whether it has the whole body: maximised, or on a narrow terminal."""
        return self.maximised or self.app.size.width < WIDE

    def action_enter(self) -> None:
        self.post_message(self.ScreenAsked(self.opens) if self.alone and self.opens else self.SizeAsked(self))

    def action_restore(self) -> None:
        self.post_message(self.SizeAsked(self) if self.maximised else self.Left())

    def on_click(self, event: Click) -> None:
        if event.chain == 2:
            self.post_message(self.SizeAsked(self))


class PlanPanel(Panel):
    def paint(self, width: int, height: int) -> Sequence[Line]:
        plan = self.watched.session.plan
        about: dict[str, str] = {}
        if height > 3 * len(plan.categories) + 3:  # else there is no room to tell of them
            about = {c.name: f"{c.description}{_axes(plan, c)}" for c in plan.categories}
        return plan_panel(self.watched.view, width, height, focused=self.has_focus, grown=self.alone, about=about)


def _axes(plan: DatasetPlanInput, category: DatasetCategory) -> str:
    axes = slot_axes(plan, category)
    return f" · varies in {', '.join(axes)}" if axes else ""


class WorkersPanel(Panel):
    opens = "workers"

    def paint(self, width: int, height: int) -> Sequence[Line]:
        watched = self.watched
        pace = watched.pace if watched.acts else 0.0
        if watched.view.provider != OFFLINE:
            pace = 0.0
        return workers_panel(
            watched.shown,
            width,
            height,
            watched.now(),
            focused=self.has_focus,
            pace=pace,
            opens=self.alone,
            acts=watched.acts,
        )


class CheckpointsPanel(Panel):
    opens = "checkpoints"

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return checkpoints_panel(
            self.watched.view,
            width,
            height,
            focused=self.has_focus,
            interval=self.watched.interval,
            opens=self.alone,
        )


class RejectedPanel(Panel):
    opens = "rejected"

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return rejected_panel(self.watched.view, width, height, focused=self.has_focus, opens=self.alone)
