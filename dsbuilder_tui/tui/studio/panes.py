"""The room of the studio: which panels are there, how large each is, which of them the keys go to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.tui.layout import FOLDED, MADE, PANELS, PROGRESS, TABS, WIDE, Arrangement, PanelContents, arrange
from dsbuilder_tui.tui.studio.cards import Card
from dsbuilder_tui.tui.studio.panels import Panel
from dsbuilder_tui.tui.widgets.chrome import Tabs
from dsbuilder_tui.view import RunView

if TYPE_CHECKING:
    from textual.widget import Widget

    from dsbuilder_tui.tui.studio.screen import StudioScreen

_MOST_COUNTED = 200_000  # planned cases: to count what more of them cover takes seconds, and is done when F3 asks
TAB_NAMES = ("Talk", *(name.capitalize() for name in TABS))


class Panes:
    """Lays the studio out, whenever its size or what there is to show has changed."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen
        self._tab = 0  # of a narrow terminal; 0 is the conversation
        self._made: Arrangement | None = None
        self._counted_for: DatasetPlanInput | None = None
        self._values = 0

    @property
    def wide(self) -> bool:
        return self._screen.size.width >= WIDE

    def panel(self, name: str) -> Widget:
        return self._screen.query_one(f"#panel-{name}")

    @property
    def maximised(self) -> Panel | None:
        return next((panel for panel in self._screen.query(Panel) if panel.maximised), None)

    def renew(self) -> None:
        """Lay out again if what is to be shown asks for it."""
        if self._wanted() != self._made:
            self.arrange()

    def _wanted(self) -> Arrangement:
        screen = self._screen
        width, height = screen.size
        return arrange(width, height - 2, self._contents(screen.watched.view))

    def _contents(self, view: RunView) -> PanelContents:
        workers = max(len(view.workers), min(view.workers_limit, 4) if view.busy else 1)
        said = 2 if view.waiting else 0  # why they wait is said above them
        return PanelContents(
            state=view.state,
            categories=len(view.categories),
            workers=workers + said,
            values=self._rows_of_coverage(self._screen.watched.session.plan) if view.planned <= _MOST_COUNTED else 0,
            cases=view.accepted,
            rejected=view.rejected,
        )

    def _rows_of_coverage(self, plan: DatasetPlanInput) -> int:
        if plan is not self._counted_for:
            self._counted_for = plan
            axes: dict[str, set[str]] = {}
            for category in plan.categories:
                for name, values in slot_axes(plan, category).items():
                    axes.setdefault(name, set()).update(values)
            self._values = sum(1 + len(values) for values in axes.values())
        return self._values

    def arrange(self) -> None:
        """Give every panel its place."""
        screen = self._screen
        if not screen.size.height or not screen.is_mounted:
            return
        self._made = made = self._wanted()
        wide, bigger = self.wide, self.maximised
        screen.query_one(Tabs).display = not wide
        screen.set_class(made.columns == 3, "-widest")
        screen.conversation.display = bigger is None if wide else self._tab == 0
        screen.query_one("#panels").display = wide or self._tab > 0
        for name in PANELS:
            panel = self.panel(name)
            if wide:
                panel.display = panel is bigger if bigger else made.heights[name] > 0
            else:
                panel.display = self._tab > 0 and TABS[self._tab - 1] == name
            fixed = wide and not bigger
            panel.styles.height = made.heights[name] if fixed else "1fr"
            panel.set_class(fixed and made.heights[name] < FOLDED, "-folded")
        for column, names in (("#progress", PROGRESS), ("#made", MADE)):
            box = screen.query_one(column, Vertical)
            box.display = any(self.panel(name).display for name in names)
            stacked = made.columns == 2 and not bigger
            box.styles.height = sum(made.heights[name] for name in names) if stacked else "1fr"
        focused = screen.focused
        if wide and any(focused is self.panel(name) and not self.panel(name).display for name in PANELS):
            screen.to_prompt()  # else the keys would go nowhere

    def maximise(self, panel: Panel) -> None:
        """Give a panel the whole body, or give it back."""
        if not self.wide:
            return
        bigger = not panel.maximised
        for other in self._screen.query(Panel):
            other.set_class(bigger and other is panel, "-maximised")
        self.arrange()
        panel.focus()
        self._screen.call_after_refresh(self._screen.flush)
        self._screen.refresh_bindings()

    def restore(self) -> bool:
        """Give back what was maximised, if anything was."""
        if (panel := self.maximised) is not None:
            self.maximise(panel)
        return panel is not None

    def show_made(self) -> None:
        """Show what was made, where a tab is in front; letters go to the prompt all the same until the tab is entered."""
        if not self.wide:
            self.show_tab(1 + TABS.index("cases"), enter=not self._screen.watched.acts)

    def show_tab(self, index: int, *, enter: bool = True) -> None:
        """Show one of the tabs of a narrow terminal, and give it the keys unless it is not to be entered."""
        screen = self._screen
        self._tab = index % len(TAB_NAMES)
        screen.query_one(Tabs).chosen = self._tab
        self.arrange()
        if self._tab and enter:
            self.panel(TABS[self._tab - 1]).focus()
        elif self._tab:
            screen.set_focus(None)
        else:
            screen.to_prompt()
        screen.call_after_refresh(screen.flush)

    @property
    def on_tab(self) -> bool:
        """Whether a tab of a narrow terminal lies over the conversation."""
        return not self.wide and self._tab > 0

    def focus_first(self) -> None:
        """Give the keys to the first panel that is shown, where there is no prompt."""
        if self.wide:
            panels = [self.panel(name) for name in PANELS]
            next((panel for panel in panels if panel.display), panels[0]).focus()
        else:
            self._screen.call_after_refresh(self.show_made)

    def enter(self) -> None:
        """Give the keys to the tab that is shown, if nothing has them."""
        if self.on_tab and self._screen.focused is None:
            self.panel(TABS[self._tab - 1]).focus()

    def step(self, step: int) -> None:
        """Go to the next panel or tab, or to the one before."""
        screen = self._screen
        if isinstance(screen.focused, Card) and screen.focused.step(step):
            return
        if not self.wide:
            self.show_tab(self._tab + step)
        elif step > 0:
            screen.focus_next()
        else:
            screen.focus_previous()

    def counts(self) -> list[str]:
        """What the tabs say beside their names."""
        view = self._screen.watched.view
        percent = f"{100 * view.accepted // view.planned} %" if view.planned else ""
        shown = {
            "plan": percent,
            "cases": f"{view.accepted:,}" if view.accepted else "",
            "workers": str(view.workers_busy or ""),
            "checkpoints": str(len(view.points) or ""),
            "rejected": str(view.rejected or ""),
        }
        return ["", *(shown[name] for name in TABS)]
