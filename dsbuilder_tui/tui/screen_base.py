"""The base of all full screens: a line at the top, the keys at the bottom, and repaints, at most eight times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.css.stylesheet import Stylesheet
from textual.screen import Screen
from textual.timer import Timer

from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.tui.layout import WIDE
from dsbuilder_tui.tui.paint.chrome import header
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.places.place import Place, PlaceKind, place_of, screen_place
from dsbuilder_tui.tui.registry import session_screens
from dsbuilder_tui.tui.services import UsesServices
from dsbuilder_tui.tui.widgets.chrome import TopLine
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.linked_text import LinkedText, SafeMarkdown
from dsbuilder_tui.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from textual.await_complete import AwaitComplete

    from dsbuilder_tui.tui.live_session import LiveSession
    from dsbuilder_tui.tui.places.finder import PlaceFinder
    from dsbuilder_tui.tui.replay_session import ReplaySession
    from dsbuilder_tui.tui.watched import Watched
    from dsbuilder_tui.tui.widgets.dialogs import Dialog

T = TypeVar("T")
_FLUSH = 0.125  # seconds between repaints while events come: nobody reads numbers that change more often
_TICK = 0.5  # seconds between repaints while only clocks move


class FullScreen(UsesServices, Screen[Any]):
    """A screen with header and keys. ``title_words`` stands behind the session's name."""

    screen_name = ""  # its row in the registry, said by whoever opened it from there
    AUTO_FOCUS: ClassVar[str | None] = ""  # each screen says itself where the keys go at first
    title_words: ClassVar[str] = ""
    enter_words: ClassVar[str] = ""  # what Enter does in the screen's list
    ACTS: ClassVar[frozenset[str]] = frozenset()  # the actions that change something, or ask for a change

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()  # what it shows first is there, and the keys go where they belong

    def prepare(self, name: str, stylesheet: Stylesheet) -> None:
        """Take the name of a row of the registry, and add the screen's own styles before it is pushed.

        Where they are missing, pushing reads those of all the other screens again, too.
        """
        self.screen_name = name
        for path in self.css_path:
            if not stylesheet.has_source(str(path)):
                stylesheet.add_source(Path(path).read_text(encoding="utf-8"), (str(path), ""))

    @property
    def gone(self) -> bool:
        """Whether it is being taken down, be it alone or with the app: its parts go one by one, and none can be asked for."""
        return not (self.display and self.app.is_running)

    def background(self, work: Callable[[], Awaitable[None]], *, group: str, exclusive: bool = False) -> None:
        """Do something beside what the person does; ``exclusive`` ends what its group is at."""

        # The function and not its coroutine: one that is overtaken before it begins is not even created.
        begun: Any = partial(self.services.while_shown, self, work)
        self.run_worker(begun, group=group, exclusive=exclusive, exit_on_error=True)

    def instead(self, group: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin some work in place of what its group is at."""
        self.background(work, group=group, exclusive=True)

    async def action_press(self, key: str) -> None:
        """Do what a key of the bottom line does; a click on it comes here."""
        self.app.simulate_key(key.partition(",")[0])

    def ask(self, dialog: Dialog[T], answered: Callable[[T | None], None]) -> None:
        """Ask the person something. Where something else is in front by now nothing is asked: a key that is pressed twice, or
        letters typed in a row, ask once."""
        if self.app.screen is self:
            self.app.push_screen(dialog, answered)

    def direct(self, event: events.Key | events.Paste) -> None:
        """A key or a paste is about to go to what is focused: the last moment at which that can be something else."""

    def opens_goto(self, event: events.Key) -> bool:
        """Whether a key that is about to be typed opens the line to go anywhere instead."""
        return False

    def take_draft(self, text: str) -> bool:
        """Put a text into the screen's prompt, if it has one. Whether it has."""
        return False

    def take_typed(self, sent: Sequence[str], text: str) -> None:
        """Take in what was typed while the screen was on its way: messages that end with Enter, and the text behind them."""

    async def finish(self) -> None:
        """The session is about to be closed: end what is going on in the screen, and keep what was typed."""

    # Places

    @property
    def places(self) -> PlaceFinder | None:
        """What finds the places that texts here name; None where no session is shown."""
        return None

    @property
    def place(self) -> Place:
        """Where a person is here: the screen, with what is chosen on it."""
        return screen_place(self.screen_name)

    @property
    def holds(self) -> str:
        """What would be lost if the screen were left, in a sentence; empty for nothing."""
        return ""

    async def show_place(self, place: Place) -> bool:
        """Choose what a place is about; whether it is there. Raises ``DsbuilderError``."""
        return place.kind is PlaceKind.SCREEN

    def action_visit(self, token: str) -> None:
        """Go where a link leads."""
        if (place := place_of(token)) is not None:
            self.services.navigator.visit(place)

    def dismiss(self, result: Any = None) -> AwaitComplete:
        self.services.navigator.note()
        return super().dismiss(result)

    def key_words(self, binding: Binding) -> str:
        """What a key does right now, in a word or two; empty hides it."""
        return self.enter_words if binding.action == "choose" else binding.description


class SessionScreen(FullScreen):
    """A screen about the open session: repaints when something happened, and nothing ticks when nothing does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("f1", "app.help", "help"),
        *(Binding(row.key, f"show('{row.name}')", row.name, show=False) for row in session_screens()),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self.watched = watched
        self._pending: Timer | None = None
        self._due, self._delay = 0.0, 0.0  # of what is pending: when it comes, and how long after it was asked for
        self._stop_listening = watched.listen(self._heard)
        self._stop_finding = watched.places.listen(self._found_places)

    @property
    def live(self) -> LiveSession:
        """The session at work. Raises ``InputError`` where nothing can be changed."""
        from dsbuilder_tui.tui.live_session import LiveSession

        if not isinstance(self.watched, LiveSession):
            raise self.watched.refusal
        return self.watched

    @property
    def player(self) -> ReplaySession:
        """The replay; only for what is done in one."""
        from dsbuilder_tui.tui.replay_session import ReplaySession

        assert isinstance(self.watched, ReplaySession)
        return self.watched

    def refuses(self, node: object, action: str) -> bool:
        """Whether an action of the screen, or of something in it, would change what is only watched."""
        return not self.watched.acts and action in getattr(node, "ACTS", ())

    def refuse(self) -> bool:
        """Say that nothing can be changed here, where that is so. Whether it is."""
        if not self.watched.acts:
            self.services.complain(self.watched.refusal, severity="warning")
        return not self.watched.acts

    def top_line(self) -> TopLine:
        return TopLine(self._header)

    def _header(self, width: int) -> Line:
        watched = self.watched
        budget = None if not watched.acts else watched.session.config.budget
        return header(
            watched.view,
            width,
            watched.now(),
            models=watched.models,
            mode=watched.mode,
            screen=self.title_words,
            budget=budget,
        )

    def on_mount(self) -> None:
        self._fit_width()
        self._schedule(_TICK)

    def on_resize(self, event: events.Resize) -> None:
        self._fit_width()

    def _fit_width(self) -> None:
        self.set_class(self.size.width < WIDE, "-narrow")

    def on_unmount(self) -> None:
        self._stop_listening()
        self._stop_finding()

    @property
    def places(self) -> PlaceFinder:
        return self.watched.places

    def _found_places(self) -> None:
        """More is known of what texts here name."""
        if self.is_attached and not self.gone and not self.services.away:
            self.call_later(self.relink)

    async def relink(self) -> None:
        """Draw again what may hold links."""
        for view in self.query(LineView):
            view.renew(keep=True)
        for painted in self.query(Painted):
            painted.repaint()
        for text in self.query(LinkedText):
            text.relink()
        for markdown in self.query(SafeMarkdown):
            await markdown.relink()

    def _heard(self, event: Event) -> None:
        if not self.gone:
            self.heard(event)
            self.repaint_soon()

    def heard(self, event: Event) -> None:
        """Called for every event, at once; must be quick."""

    def repaint_soon(self) -> None:
        """Repaint with whatever else changes until then, so that the terminal is written to once."""
        self._schedule(_FLUSH)

    def _schedule(self, delay: float) -> None:
        if self._pending is not None:
            if self._delay <= delay or self._due - self._now() <= delay:
                return
            self._pending.stop()
        if self.is_attached:
            self._due, self._delay = self._now() + delay, delay
            self._pending = self.set_timer(delay, self._flush)

    def _now(self) -> float:
        return self.services.clock.monotonic()

    def _flush(self) -> None:
        self._pending = None
        if self.gone:
            return
        if self.is_current and not self.services.away:
            self.flush()
        if self.watched.view.busy or self.watched.moving:
            self._schedule(_TICK)

    def flush(self) -> None:
        """Repaint what can be seen."""
        for painted in self.query(Painted):
            if painted.follows and painted.display:
                painted.repaint()

    def on_screen_resume(self) -> None:
        self.flush()
        self._schedule(_TICK)

    def action_back(self) -> None:
        self.dismiss()

    def action_show(self, name: str) -> None:
        """Open another screen about the session; the way back leads here."""
        self.services.navigator.visit(screen_place(name))
