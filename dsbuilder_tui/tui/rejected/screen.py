"""The duel: what was rejected beside the accepted case it was too close to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dsbuilder_tui.domain.case import AcceptedCase, Rejection, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import BranchSwitched, CaseRejected, Event
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES, WhatIf
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.tui.paint.case_fields import CaseField, CasePart, fields_of
from dsbuilder_tui.tui.paint.line import Line, clip, wrap
from dsbuilder_tui.tui.paint.word_difference import Pieces, readable, side, word_diff
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.rejected.paint import TELLING_STAGES, about, rejection_row, why
from dsbuilder_tui.tui.rejected.threshold_strip import ThresholdStrip
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.undo_actions import UndoActions
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Field, QuestionDialog
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import PagedRows, RowList
from dsbuilder_tui.tui.widgets.safe import title
from dsbuilder_tui.wording import clock_time

if TYPE_CHECKING:
    from dsbuilder_tui.session import RejectionContext
    from dsbuilder_tui.tui.watched import Watched

_RELOAD = 1.0


class RejectedScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Rejected"
    ACTS: ClassVar[frozenset[str]] = frozenset({"keep", "tell", "undo", "redo"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "keep", "keep anyway", priority=True),
        Binding("t", "threshold", "threshold what-if"),
        Binding("a", "tell", "tell the agent"),
        Binding("u", "undo", "undo"),
        Binding("U", "redo", "redo", show=False),
        Binding("f", "filter", "filter"),
        Binding("s", "stage", "stage"),
        Binding("slash", "search", "search"),
        Binding("y", "copy", "copy"),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self._category: str | None = None
        self._stage: str | None = None
        self._facts: RejectionContext | None = None
        self._shown: Rejection | None = None
        self._pieces: tuple[Pieces, Pieces] = ([], [])  # of the two texts
        self._stale = False
        self._ahead = 0
        self.undo_actions = UndoActions(self, lambda result: self.instead("read", self._read))

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Horizontal(id="duel"):
            with Vertical(id="rejected-list", classes="pane"):
                yield Field(id="search", placeholder="search the rejected texts")
                yield PagedRows(
                    rejection_row, self._fetch, key=lambda turned: turned.seq, empty=self._empty, id="rejections"
                )
            with Vertical(id="sides"):
                with Horizontal(id="two"):
                    with Vertical(id="left-pane", classes="pane"):
                        yield LineView(self._left, id="left")
                    with Vertical(id="right-pane", classes="pane"):
                        yield LineView(self._right, id="right")
                with Vertical(id="why-pane", classes="pane"):
                    yield LineView(self._why, id="why")
                    yield ThresholdStrip(self._what_if, id="what-if")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#why-pane").border_title = "why"
        self.rows.focus()
        self.background(lambda: self._read(0), group="read")

    @property
    def rows(self) -> PagedRows[Rejection]:
        return self.query_one("#rejections", PagedRows)

    @property
    def _asked(self) -> dict[str, Any]:
        return {
            "category": self._category,
            "stage": self._stage,
            "text": self.query_one("#search", Input).value.strip(),
        }

    async def _fetch(self, offset: int, limit: int) -> Sequence[Rejection]:
        return await self.watched.session.rejections.page(offset + self._ahead, limit, **self._asked)

    async def _read(self, otherwise: int | None = None) -> None:
        """Read the list again; the cursor stays on its rejection, or goes to the row ``otherwise``."""
        self._stale = False
        count = await self.services.guarded(self.watched.session.rejections.count(**self._asked)) or 0
        if self.watched.replaying and not any(self._asked.values()):
            # Newest first: what the replay has not come to yet is at the top, and left out.
            self._ahead = max(0, count - self.watched.view.rejected)
            count -= self._ahead
        self.rows.reload(count, otherwise=otherwise)
        often = sorted(self.watched.view.stages.items(), key=lambda pair: (-pair[1], pair[0]))
        pane = self.query_one("#rejected-list")
        asked = "".join(f" · {clip(word, 30)}" for word in (self._category, self._stage) if word)
        pane.border_title = title(f"{count or 0:,} rejected{asked}")
        candidates = self.watched.view.accepted + self.watched.view.rejected
        share = (
            f"{100 * self.watched.view.rejected / candidates:.0f} % of {counted(candidates, 'candidate')}"
            if candidates
            else ""
        )
        parts = [share, *(f"{clip(stage, 20)} {number}" for stage, number in often)]
        while len(" · ".join(parts)) > max(20, pane.size.width - 4) and len(parts) > 1:
            parts.pop()
        pane.border_subtitle = title(" · ".join(filter(None, parts)))
        if not count:
            self._shown, self._facts = None, None
            self._renew()
        self.strip.again()

    @property
    def place(self) -> Place:
        turned = self.rows.chosen if self.is_mounted else None
        return super().place if turned is None else Place(kind=PlaceKind.REJECTION, name=str(turned.seq))

    async def show_place(self, place: Place) -> bool:
        if place.kind is not PlaceKind.REJECTION:
            return await super().show_place(place)
        at = await self.watched.session.rejections.place(int(place.name))
        if at is None:
            return False
        self.workers.cancel_group(self, "read")
        if self.strip.display:
            self._close_strip()
        self._category = self._stage = None
        box = self.query_one("#search", Input)
        with self.prevent(Input.Changed):
            box.value = ""
        box.display = False
        await self._read()
        self.rows.reload_at(max(self.rows.count, at - self._ahead + 1), max(0, at - self._ahead))
        self.rows.focus()
        return True

    def _empty(self) -> Sequence[Line]:
        if self._category or self._stage or self.query_one("#search", Input).value:
            return [(("Nothing matches. f and s change what is shown.", "muted"),)]
        return [(("Nothing was turned away.", "muted"),)]

    def heard(self, event: Event) -> None:
        if isinstance(event, ActUndone | CaseRejected | BranchSwitched) and not self._stale:
            self._stale = True
            self.set_timer(_RELOAD, self._newer)

    def _newer(self) -> None:
        """Newest first: what is looked at moves down with its row."""
        self.instead("read", self._read)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self.instead("look", self._look)

    async def _look(self) -> None:
        rejection = self.rows.chosen
        if rejection is None:
            return
        self._facts = await self.services.guarded(self.watched.session.rejections.context(rejection))
        self._shown = rejection
        self._renew()

    def _renew(self) -> None:
        rejection, context = self._shown, self._facts
        self._pieces = self._compared()
        left, right = self.query_one("#left-pane"), self.query_one("#right-pane")
        left.border_title = title(
            clip(f"rejected · {rejection.category} · b{rejection.batch}", 40) if rejection else "rejected"
        )
        left.border_subtitle = title(
            clip(" · ".join([*list(context.attributes.values())[:2], f"slot {rejection.ordinal}"]), 40)
            if rejection and context
            else ""
        )
        nearest = _compared_with(rejection, context)
        held_against = rejection.stage if rejection and rejection.stage in TELLING_STAGES else "accepted"
        right.border_title = title(clip(f"accepted · {nearest.case_id}", 40) if nearest else held_against)
        right.border_subtitle = clock_time(nearest.created_at) if nearest else ""
        for name in ("#left", "#right", "#why"):
            self.query_one(name, LineView).renew()
        self.refresh_bindings()

    def _compared(self) -> tuple[Pieces, Pieces]:
        rejection = self._shown
        if rejection is None:
            return [], []
        nearest = _compared_with(self._shown, self._facts)
        text = readable(rejection.candidate["inputs"]) if rejection.candidate else rejection.text
        if nearest is None:
            return [(text, "same")], []
        return word_diff(text, readable(nearest.inputs))

    def _left(self, width: int) -> Sequence[Line]:
        if self._shown is None:
            return []
        return (
            side(self._pieces[0], width, "warn")
            if self._shown.text
            else [(("There is no text: see below why.", "muted"),)]
        )

    def _right(self, width: int) -> Sequence[Line]:
        if self._shown is None:
            return []
        if not self._pieces[1]:
            if self._shown.stage in TELLING_STAGES:
                return [((row, "bad"),) for row in wrap(self._shown.reason, width)]
            words = (
                "No accepted case stands against it: you turned it away."
                if self._shown.stage == Stage.PERSON
                else "No accepted case stands against it; it was turned away for its form, or that case is gone."
            )
            return [((row, "muted"),) for row in wrap(words, width)]
        return side(self._pieces[1], width, "info")

    def _why(self, width: int) -> Sequence[Line]:
        if self._shown is None:
            return []
        return why(self._shown, self._facts.successor if self._facts else None, width, self._expected())

    def _expected(self) -> list[CaseField]:
        """What the rejected candidate expects, as fields."""
        rejection = self._shown
        if rejection is None or rejection.candidate is None:
            return []
        inputs, expectations = rejection.candidate["inputs"], rejection.candidate["expectations"]
        fields = fields_of(self.watched.session.plan, rejection.category, inputs, expectations)
        return [one for one in fields if one.part is CasePart.EXPECTATIONS and one.value is not None]

    # Acts

    def action_keep(self) -> None:
        rejection, context = self._shown, self._facts
        if rejection is None or context is None:
            return

        async def keep() -> None:
            case = await self.watched.session.cases.keep_rejected(rejection.seq)
            self.services.say(f"{case.case_id} holds the rejected text now.")
            if not self.watched.view.busy:
                await self.live.reread()
            await self._look()

        if context.successor is None:
            self.services.attempt(keep())
            return
        there = clip(display_text(context.successor.inputs), 200)
        words = f"Its slot was written again: {there}\n\nThat case gives way to the rejected one."
        question = QuestionDialog(
            "Keep it anyway?", words, [("put the rejected one in its place", True), ("leave it", False)]
        )
        self.ask(question, lambda yes: self.services.attempt(keep()) if yes else None)

    def action_undo(self) -> None:
        self.undo_actions.undo()

    def action_redo(self) -> None:
        self.undo_actions.redo()

    def action_tell(self) -> None:
        rejection = self._shown
        if rejection is None:
            return
        nearest = _compared_with(self._shown, self._facts)
        self.services.draft(about(rejection, nearest))
        self.dismiss()

    def action_filter(self) -> None:
        categories = [c.name for c in self.watched.session.plan.categories]
        answers: list[tuple[str, Any]] = [("all categories", (None,)), *((name, (name,)) for name in categories)]

        def take(answer: tuple[str | None] | None) -> None:
            if answer is not None:
                (self._category,) = answer
                self._show_others()

        self.ask(QuestionDialog("Show", "Which category?", [*answers, ("as it is", None)]), take)

    def action_stage(self) -> None:
        met = self.watched.view.stages
        stages = [*STAGES.names(), *sorted(stage for stage in met if stage not in STAGES.names())]
        answers: list[tuple[str, Any]] = [("all stages", (None,))]
        answers += [(f"{stage} ({met.get(stage, 0):,})", (stage,)) for stage in stages]

        def take(answer: tuple[str | None] | None) -> None:
            if answer is not None:
                (self._stage,) = answer
                self._show_others()

        self.ask(QuestionDialog("Show", "Which stage?", [*answers, ("as it is", None)]), take)

    def _show_others(self) -> None:
        if self.strip.display:  # it is about what was shown before
            self._close_strip()
        self.instead("read", partial(self._read, 0))

    # What if

    @property
    def strip(self) -> ThresholdStrip:
        return self.query_one("#what-if", ThresholdStrip)

    async def _what_if(self, stage: Stage, threshold: float, category: str | None) -> WhatIf:
        return await self.watched.session.diversity.what_if(stage, threshold, category=category)

    def action_threshold(self) -> None:
        """For the stage of the rejection that is shown; of its category when the list is of that alone."""
        stage = self._shown.stage if self._shown else self._stage or Stage.SEMANTIC
        self.add_class("-what-if")
        self.query_one("#why").display = False
        pane = self.query_one("#why-pane")
        pane.border_title = title(f"what if · {clip(stage, 20)}")
        known = next((one for one in LIKENESS_STAGES if one == stage), None)
        pane.border_subtitle = "" if known is None else "⇧← ⇧→ by 0.05"
        if known is None:
            self.strip.explain(stage)
        else:
            self.strip.begin(known, self.watched.session.diversity.threshold(known, self._category), self._category)

    def _close_strip(self) -> None:
        self.strip.close()
        self.remove_class("-what-if")
        self.query_one("#why").display = True
        pane = self.query_one("#why-pane")
        pane.border_title, pane.border_subtitle = "why", ""
        self.rows.focus()

    def on_threshold_strip_tell_agent(self, event: ThresholdStrip.TellAgent) -> None:
        self.services.draft(event.words)
        self.dismiss()

    def action_search(self) -> None:
        box = self.query_one("#search", Input)
        box.display = True
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.instead("read", partial(self._read, 0))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.rows.focus()

    def action_copy(self) -> None:
        if self._shown is None:
            self.services.complain(InputError("There is nothing to copy.", "Choose a rejection in the list."))
            return
        self.app.copy_to_clipboard(self._shown.text)
        self.services.say(f"Copied {counted(len(self._shown.text), 'character')}.")

    def action_back(self) -> None:
        box = self.query_one("#search", Input)
        if self.strip.display:
            self._close_strip()
        elif box.has_focus or box.value:
            box.value, box.display = "", False
            self.rows.focus()
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "keep":
            typing = isinstance(self.focused, Input)
            return not typing and self.watched.acts and self._shown is not None and self._shown.candidate is not None
        if action in ("undo", "redo"):
            return self.watched.acts
        if action == "tell":
            return self.watched.acts and self._shown is not None
        if action == "threshold":
            return not self.watched.replaying and not self.strip.display if self.is_mounted else True
        return True


def _compared_with(rejection: Rejection | None, context: RejectionContext | None) -> AcceptedCase | None:
    """The case that a rejected one was too close to. One that the judge took out later is close to nothing but itself."""
    if context is None or (rejection is not None and rejection.stage == Stage.JUDGE):
        return None
    return context.nearest
