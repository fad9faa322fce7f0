"""The review screen: a case that deserves a look, why it does, what it is close to, and a key for each decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.review import ReviewDecision, ReviewQueue
from dsbuilder_tui.tui.paint.case_detail import case_detail
from dsbuilder_tui.tui.paint.case_fields import CasePart, case_fields
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.paint.word_difference import Pieces, readable, side, word_diff
from dsbuilder_tui.tui.review.paint import (
    decision_rows,
    other_lines,
    progress_line,
    reason_title,
    summary_lines,
    why_lines,
)
from dsbuilder_tui.tui.review.review_pass import ReviewPass, ReviewRequest, read_request
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Ask
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.painted import Painted
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

# Seconds in which no key decides: after the screen has come, when what is typed was meant for the prompt, and after each
# case, so that a key that is held down decides nothing unseen.
_ARRIVAL, _LOOK = 0.7, 0.25
_WITH_LIST = 170  # columns from which on what was decided stands beside
_DECIDING = ("keep", "reject", "edit", "skip")


class ProgressLine(Painted):
    """How far the review is."""

    def __init__(self) -> None:
        super().__init__(id="review-progress")
        self.reviewed = ReviewPass(())

    def paint(self, width: int, height: int) -> Sequence[Line]:
        one = self.reviewed
        return [progress_line(one.at, len(one), one.tally, width)] if len(one) else []


class ReviewScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Review"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "keep", "keep"),
        Binding("n", "reject", "reject"),
        Binding("e", "edit", "edit"),
        Binding("s", "skip", "skip"),
        Binding("b,left", "step(-1)", "the one before"),
        Binding("right", "step(1)", "on", show=False),
        Binding("a", "again", "the skipped ones"),
        Binding("m", "more", "more"),
        Binding("tab", "next_pane", "to the case beside", show=False),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched, words: str = "") -> None:
        """``words``: a category, a number of cases, or both."""
        super().__init__(watched)
        self._words = words
        self._request = ReviewRequest()
        self._queue = ReviewQueue()
        self._pass = ReviewPass(())
        self._case: AcceptedCase | None = None
        self._other: AcceptedCase | None = None
        self._passages: Sequence[Passage] = ()
        self._pieces: tuple[Pieces, Pieces] | None = None
        self._judged: Judgement | None = None  # of the case that is shown
        self._ready_at = float("inf")  # from when on keys decide
        self._arriving = True
        self._deciding = False
        self._editing: AcceptedCase | None = None

    def compose(self) -> ComposeResult:
        yield self.top_line()
        yield ProgressLine()
        with Vertical(id="why-pane", classes="pane"):
            yield LineView(self._why, id="why-here")
        with Horizontal(id="review-body"):
            with Vertical(id="reviewed-pane", classes="pane"):
                yield LineView(self._shown, id="reviewed")
            with Vertical(id="beside-pane", classes="pane"):
                yield LineView(self._beside, id="beside")
            with Vertical(id="decided-pane", classes="pane"):
                yield LineView(self._decided, id="decided")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#beside-pane").display = False
        self.query_one("#decided-pane").border_title = "decided"
        for name in ("#why-here", "#decided"):
            self.query_one(name).can_focus = False
        self._fit_width()
        self.query_one("#reviewed").focus()
        self.instead("queue", self._begin)

    def _fit_width(self) -> None:
        super()._fit_width()
        self.query_one("#decided-pane").display = self.size.width >= _WITH_LIST

    # The queue

    async def _begin(self) -> None:
        try:
            self._request = read_request(self._words, [c.name for c in self.watched.session.plan.categories])
        except InputError as error:
            self.services.complain(error)
        await self._read()

    async def _read(self, *, skipped: bool = False) -> None:
        """Begin a pass with what is in the queue now."""
        asked = self._request
        session = self.watched.session
        try:
            queue = await session.review.queue(category=asked.category, most=asked.most, skipped=skipped)
        except DsbuilderError as error:
            self.services.complain(error)
            queue = ReviewQueue()
        self._queue, self._pass = queue, ReviewPass(queue.items)
        await self._show(_ARRIVAL)

    def action_again(self) -> None:
        self.instead("queue", partial(self._read, skipped=True))

    def action_more(self) -> None:
        self.instead("queue", self._read)

    # What is shown

    async def _show(self, wait: float = _LOOK) -> None:
        """Read what stands at the cursor, and show it; what has gone meanwhile is passed over."""
        session = self.watched.session
        self._case = self._other = self._pieces = self._judged = None
        self._passages = ()
        while (item := self._pass.item) is not None:
            case = await session.cases.get(item.category, item.ordinal)
            if case is not None and case.seq == item.seq:
                self._case = case
                break
            if self._pass.label is not None:  # rejected in this pass
                break
            self._pass.drop()
        if item is not None and self._case is not None:
            case, verdict = self._case, verdict_of(self._case.tags)
            self._judged = verdict.finding if verdict is not None else None
            self._passages = await session.documents.passages_of(case.tags) or ()
            near = slot_of(item.other) if item.other else None
            self._other = await session.cases.get(*near) if near is not None else None
            if self._other is not None:
                self._pieces = word_diff(readable(case.inputs), readable(self._other.inputs))
        self._renew()
        self._ready_at = self.services.clock.monotonic() + wait
        self._arriving = wait == _ARRIVAL

    def _renew(self) -> None:
        item, over = self._pass.item, self._pass.is_over
        progress = self.query_one(ProgressLine)
        progress.reviewed = self._pass
        progress.repaint()
        why = self.query_one("#why-pane")
        why.display = not over
        here = self.query_one("#why-here")
        here.styles.height = max(1, len(self._why(here.scrollable_content_region.width or self.size.width - 6)))
        why.border_title = title(reason_title(item)[0]) if item is not None else ""
        pane = self.query_one("#reviewed-pane")
        pane.border_title = title(clip(item.case_id, 40)) if item is not None else "done"
        pane.border_subtitle = "" if over else "y keep · n reject · e edit · s skip"
        self.query_one("#beside-pane").display = self._other is not None
        self.query_one("#beside-pane").border_title = title(clip(item.other, 40)) if item is not None else ""
        for name in ("#why-here", "#reviewed", "#beside", "#decided"):
            self.query_one(name, LineView).renew()
        self.refresh_bindings()

    def _why(self, width: int) -> Sequence[Line]:
        item = self._pass.item
        return why_lines(item, self._case, self._pass.label, width) if item is not None else ()

    def _shown(self, width: int) -> Sequence[Line]:
        if self._pass.is_over:
            return self._summary(width)
        if self._case is None:
            return [(("It is taken out. ", "muted"), ("y", "key"), (" brings it back.", "muted"))]
        fields = case_fields(self.watched.session.plan, self._case)
        said = side(self._pieces[0], width, "warn") if self._pieces is not None else None
        return case_detail(self._case, fields, (), width, self._passages, said=said, hint="")

    def _summary(self, width: int) -> Sequence[Line]:
        session, running = self.watched.session, self.watched.view.busy
        if self._ready_at == float("inf"):
            return [(("Looking for what deserves a look …", "muted"),)]
        return summary_lines(
            self._pass.tally, width, running=running, anything_left=bool(len(self._pass)),
            skipped_before=self._queue.skipped, judge_examples=f"dsbuilder judge {session.id} --examples",
        )  # fmt: skip

    def _beside(self, width: int) -> Sequence[Line]:
        if self._other is None or self._pieces is None:
            return ()
        fields = case_fields(self.watched.session.plan, self._other)
        expected = [one for one in fields if one.part is CasePart.EXPECTATIONS and one.value is not None]
        return other_lines(self._pieces[1], expected, width)

    def _decided(self, width: int) -> Sequence[Line]:
        return decision_rows(self._pass.tally, width)

    # Decisions

    def _may_decide(self) -> bool:
        """Whether the key that was pressed can have been meant for the case that is shown."""
        return not self._deciding and self._pass.item is not None and self.services.pressed_at >= self._ready_at

    def direct(self, event: events.Key | events.Paste) -> None:
        """What is typed on as the screen comes was meant for the prompt, however long it goes on."""
        now = self.services.pressed_at
        if self._arriving and now < self._ready_at < float("inf"):
            self._ready_at = max(self._ready_at, now + _ARRIVAL)

    def action_keep(self) -> None:
        self._decide(ReviewDecision.KEPT)

    def action_skip(self) -> None:
        self._decide(ReviewDecision.SKIPPED)

    def action_reject(self) -> None:
        case = self._case
        if case is None or not self._may_decide():
            return
        question = Ask(
            "Reject this case?", "Its slot opens again; the same text does not come back. Why? (may stay empty)"
        )

        def take(note: str | None) -> None:
            if note is not None:
                self._decide(ReviewDecision.REJECTED, note, meant=True)

        self.ask(question, take)

    def action_edit(self) -> None:
        if self._case is not None and not self._case.damaged and self._may_decide():
            self._editing = self._case
            self.services.show_screen("cases", self.watched, "", self._case, True, True)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._editing is not None:
            before, self._editing = self._editing, None
            self.instead("edited", partial(self._came_back, before))

    async def _came_back(self, before: AcceptedCase) -> None:
        """The form is closed: what was changed in it is a decision."""
        case = await self.watched.session.cases.get(before.category, before.ordinal)
        if case is not None and (case.inputs, case.expectations) != (before.inputs, before.expectations):
            self._decide(ReviewDecision.EDITED, meant=True)
        else:
            await self._show(_ARRIVAL)

    def _decide(self, decision: ReviewDecision, note: str = "", *, meant: bool = False) -> None:
        """``meant``: it was asked for once more since the key."""
        item = self._pass.item
        if item is None or self._deciding or not (meant or self._may_decide()):
            return
        self._deciding = True

        async def decide() -> None:
            try:
                live = self.live  # nothing is decided in a replay
                judged = self._judged or (self._pass.label.judged if self._pass.label is not None else None)
                changed = await live.session.review.decide(item, decision, note)
                self._pass.decided(changed, decision, judged, note)
                if not live.view.busy:
                    await live.reread()
                await self._show()
            finally:
                self._deciding = False

        self.services.attempt(decide())

    def action_step(self, by: int) -> None:
        if not self._deciding and self._pass.step(by):
            self.instead("show", self._show)

    def action_next_pane(self) -> None:
        here, beside = self.query_one("#reviewed"), self.query_one("#beside")
        (beside if here.has_focus and self._other is not None else here).focus()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _DECIDING:
            there = self._pass.item is not None and not self.watched.replaying
            return there and (self._case is not None or action == "keep")
        if action == "step":
            return self._pass.at > 0 if parameters == (-1,) else self._pass.label is not None
        if action == "again":
            return self._pass.is_over and bool(self._pass.tally.of(ReviewDecision.SKIPPED) or self._queue.skipped)
        if action == "more":
            return self._pass.is_over and bool(len(self._pass))
        return True
