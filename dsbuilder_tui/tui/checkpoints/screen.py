"""The timeline: preview any checkpoint, export the dataset as it was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import CheckpointSaved, Event
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.export_formats import SEED_SUFFIX
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, bar, clip, cut, fit, longest, wrap
from dsbuilder_tui.tui.paint.timeline import timeline
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Ask
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.view import Point
from dsbuilder_tui.wording import clock_time

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

_REASONS = {
    "interval": "by itself, every so many cases",
    "pause": "at a pause",
    "finish": "at the end",
    "import": "at the import",
    "asked": "when asked",
    "plan": "at a change of the plan",
    "settings": "at a change of the settings",
    "before_merge": "before a merge",
    "before_rewind": "before going back",
    "merge": "behind a merge",
    "before_switch": "before another branch",
}


class Rail(Painted, can_focus=True):
    """The timeline with the chosen point emphasised."""

    follows = True

    def __init__(self, screen: CheckpointsScreen) -> None:
        super().__init__(id="rail")
        self._owner = screen

    def paint(self, width: int, height: int) -> Sequence[Line]:
        owner = self._owner
        points = [Point(p.id, p.accepted, p.reason, p.created_at) for p in owner.points]
        if not points:
            return [((row, "muted"),) for row in wrap(owner.nothing, width)]
        interval = owner.watched.interval if owner.watched.view.left else None
        return timeline(points, width, owner.watched.view.planned, interval, chosen=owner.chosen)


class CheckpointsScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Checkpoints"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "earlier", key_display="←"),
        Binding("right,l", "step(1)", "later", key_display="→"),
        Binding("home", "edge(0)", "first", show=False),
        Binding("end", "edge(1)", "newest", show=False),
        Binding("x", "export", "export as it was"),
    ]

    nothing = "There is no checkpoint yet. Cases are saved all the time; checkpoints mark points to come back to."

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self.points: list[Checkpoint] = []
        self.chosen = 0
        self._counts: Mapping[str, int] = {}
        self._plan: tuple[int, DatasetPlanInput] | None = None
        self._stale = False

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Vertical(id="rail-pane", classes="pane"):
            yield Rail(self)
        with Vertical(id="point-pane", classes="pane"):
            yield LineView(self._detail, id="point")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#rail-pane").border_title = "Timeline"
        self.query_one(Rail).focus()
        self.background(lambda: self._read(newest=True), group="read")

    def heard(self, event: Event) -> None:
        if isinstance(event, CheckpointSaved) and not self._stale:
            self._stale = True
            self.set_timer(0.5, lambda: self.background(self._read, group="read"))

    async def _read(self, *, newest: bool = False) -> None:
        self._stale = False
        follow = newest or self.chosen >= len(self.points) - 1
        points = await self.services.guarded(self.watched.session.checkpoints.all()) or []
        until = self.watched.now() if self.watched.replaying else float("inf")
        held = self.points[self.chosen].id if self.points else ""
        self.points = [point for point in points if point.created_at <= until]
        last = max(0, len(self.points) - 1)
        here = next((place for place, point in enumerate(self.points) if point.id == held), min(self.chosen, last))
        self.chosen = last if follow else here
        await self._look()

    async def _look(self) -> None:
        if self.points:
            number = self.points[self.chosen].id
            found = await self.services.guarded(self.watched.session.checkpoints.preview(number, most_cases=0))
            if found is not None:
                self._plan = found.revision, found.plan
                self._counts = {name: counts.accepted for name, counts in found.counts.items()}
        self.query_one(Rail).repaint()
        self.query_one("#point", LineView).renew()
        pane = self.query_one("#point-pane")
        pane.visible = bool(self.points)
        self.refresh_bindings()
        pane.border_title = f"Checkpoint {self.points[self.chosen].id}" if self.points else ""
        self.query_one("#rail-pane").border_subtitle = (
            f"{len(self.points)} · ← → look at any of them" if self.points else ""
        )

    def _detail(self, width: int) -> Sequence[Line]:
        if not self.points:
            return []
        point, view = self.points[self.chosen], self.watched.view
        told = _REASONS.get(point.reason, f"“{point.reason}”")
        reason = f"“{point.name}”" if point.name else told
        after = view.accepted - point.accepted
        lines: list[Line] = [
            (
                (f"{point.accepted:,}", "strong"),
                (
                    f" of {counted(point.planned, 'case')} · saved {clock_time(point.created_at)} · {clip(reason, 50)}",
                    "muted",
                ),
            ),
            EMPTY,
        ]
        name = min(28, longest(view.categories))
        digits = len(f"{max((c.planned for c in view.categories.values()), default=0):,}") * 2 + 1
        for category, counts in view.categories.items():
            there = self._counts.get(category, 0)
            later = counts.accepted - there
            spans: list[Span] = [(fit(category, name), "text"), (" ", "text")]
            spans += [*bar(there, counts.planned, max(8, min(60, width - name - digits - 20)), "accent"), (" ", "text")]
            spans += [(fit(f"{there:,}/{counts.planned:,}", digits, "right"), "text")]
            spans.append((f"   +{later:,} since" if later > 0 else "", "good"))
            lines.append(cut(tuple(spans), width))
        lines += [EMPTY, *self._plan_diff(width)]
        if after > 0:
            lines.append(((f"{counted(after, 'case')} came after this point.", "muted"),))
        elif after < 0:
            lines.append(
                (
                    (
                        f"{counted(-after, 'case')} of this point {'was' if after == -1 else 'were'} turned away by you later.",
                        "muted",
                    ),
                )
            )
        else:
            lines.append((("This is where the session stands now.", "muted"),))
        return lines

    def _plan_diff(self, width: int) -> list[Line]:
        """How the plan of that moment differs from today's."""
        now = self.watched.session.plans.revision
        if self._plan is None or self._plan[0] == now:
            return []
        revision, plan = self._plan
        if not plan.decided:
            return [(("There was no plan then.", "muted"),), EMPTY]
        lines: list[Line] = [((f"The plan was at revision {revision} then; it is at revision {now} now:", "muted"),)]
        then = {c.name: c.count for c in plan.categories}
        today = {c.name: c.count for c in self.watched.session.plan.categories}
        for name in {**then, **today}:
            was, is_now = then.get(name), today.get(name)
            mark, role = ("+", "good") if was is None else ("−", "bad") if is_now is None else ("~", "warn")
            if was != is_now:
                amount = f"{was if was is not None else 0:,} → {is_now if is_now is not None else 0:,}"
                lines.append(cut(((f"  {mark} ", role), (clip(name, 40), "text"), (f"  {amount}", "muted")), width))
        return [*lines, EMPTY] if len(lines) > 1 else [*lines, (("  other fields than the counts", "muted"),), EMPTY]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.points) if action in ("step", "edge", "export") else True

    def action_step(self, by: int) -> None:
        self._go(self.chosen + by)

    def action_edge(self, last: int) -> None:
        self._go(len(self.points) - 1 if last else 0)

    def _go(self, index: int) -> None:
        index = max(0, min(len(self.points) - 1, index))
        if self.points and index != self.chosen:
            self.chosen = index
            self.instead("look", self._look)

    def action_export(self) -> None:
        if not self.points:
            self.services.complain(InputError("There is no checkpoint to export.", "/checkpoint writes one."))
            return
        point, session = self.points[self.chosen], self.watched.session

        async def export(target: str | None) -> None:
            if target:
                kind = "checkpoint" if target.endswith(SEED_SUFFIX) else None
                count = await session.export(target, kind, at=point.id)
                where = session.dataset.where(Path(target), kind)
                self.services.say(f"Wrote {counted(count, 'case')} as of checkpoint {point.id} to {where}")

        ask = Ask(
            f"Export checkpoint {point.id}",
            "*_checkpoint.json is the original design's format and can be imported again; .jsonl, .json, .csv and "
            ".parquet work too.",
            f"{session.id}-at-{point.accepted}{SEED_SUFFIX}",
        )
        self.app.push_screen(ask, lambda target: self.services.attempt(export(target)))
