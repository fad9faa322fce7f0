"""The app: which session is open, which screen shows it, how it is left. It opens screens and closes sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import events
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Input

from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode, SessionClosed, SessionInUse
from dsbuilder_tui.domain.message import MessageRole, WelcomeContent
from dsbuilder_tui.domain.pause_cause import TERMINAL_CLOSED, Pause
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import open_saved
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.settings.stack import load_config, unknown_variables
from dsbuilder_tui.tui.colours import COLOURS, PREFIX, Palette, themes
from dsbuilder_tui.tui.driver import enduring
from dsbuilder_tui.tui.input_events import TypedAhead, points_at_removed
from dsbuilder_tui.tui.leaving import Leaving
from dsbuilder_tui.tui.live_session import LiveSession, farewell, opening_words, welcome
from dsbuilder_tui.tui.navigator import Navigator
from dsbuilder_tui.tui.places.place import PlaceKind
from dsbuilder_tui.tui.registry import screen_row, session_screens
from dsbuilder_tui.tui.replay_session import ReplaySession
from dsbuilder_tui.tui.screen_base import FullScreen, SessionScreen
from dsbuilder_tui.tui.services import AppServices
from dsbuilder_tui.tui.settings.trust_question import TrustQuestions
from dsbuilder_tui.tui.talk import Talk
from dsbuilder_tui.tui.watching import Watching
from dsbuilder_tui.tui.widgets.linked_text import with_links
from dsbuilder_tui.tui.widgets.safe import last_filters

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.screen import StudioScreen

T = TypeVar("T")
_OPENING = 10.0  # seconds that what is typed may wait for its prompt


class StudioApp(App[int]):
    """dsbuilder in a terminal. ``flags`` are the settings given on the command line."""

    TITLE = "dsbuilder"
    CSS_PATH = "app.tcss"
    COMMAND_PALETTE_BINDING = "ctrl+k"
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "goto", "go to", priority=True),
        Binding("colon", "goto", "go to, as ^G", show=False),
        Binding("ctrl+t", "sessions", "other session", priority=True),
        Binding("ctrl+l", "labels", "jump labels", priority=True),
        Binding("alt+left,alt+b", "step(-1)", "back to where you were", priority=True, show=False),
        Binding("alt+right,alt+f", "step(1)", "forward again", priority=True, show=False),
        Binding("ctrl+q", "leave", "quit", priority=True),
        Binding("f1", "help", "help"),
    ]

    def __init__(
        self,
        flags: Mapping[str, Any] | None = None,
        *,
        open_first: str | None = None,
        replay: ReplaySession | None = None,
        clock: Clock | None = None,
        make_talk: Callable[[Host], Talk] = Conversation,
        make_model: Callable[[DatasetBuilderConfig], WorkerModel] = worker_model,
    ) -> None:
        super().__init__()
        self.given = dict(flags or {})
        self.flags = dict(self.given)
        self.trust_questions = TrustQuestions(self)
        self.changed: set[str] = set()  # settings changed in the app
        self.config = load_config(**self.flags)
        self.clock = clock or SystemClock()
        self.make_talk = make_talk
        self.make_model = make_model
        self.live: LiveSession | None = None
        self.watching = Watching(self)
        self.replay = replay
        self.open_first = open_first
        self.crash: Exception | None = None
        self._typed_ahead: TypedAhead | None = None  # while a conversation is on its way
        self.away = False  # the terminal is lent to an editor
        self.pressed_at = 0.0
        # Held by whoever opens, moves or lists sessions: one that is being read looks as if it were in use.
        self.shelf = asyncio.Lock()
        self.farewell: list[str] = []
        self.navigator, self.leaving = Navigator(self), Leaving(self)
        self._last = last_filters(self.no_color)
        self._palettes = {name: Palette(name) for name in COLOURS}
        for theme in themes():
            self.register_theme(theme)
        self.theme = PREFIX + self.config.theme

    @property
    def palette(self) -> Palette:
        return self._palettes.get(self.theme.removeprefix(PREFIX), self._palettes["dark"])

    async def on_mount(self) -> None:
        if self.replay is not None:
            await self.push_named("studio", self.replay)
            return
        await self.push_named("home")
        for warning in unknown_variables():
            self.say(warning, severity="warning")
        if self.open_first is None:
            self.trust_questions.ask(self.config)
        else:
            await self.guarded(self.open_session(self.open_first))

    # Sessions

    async def open_session(self, reference: str | Path) -> None:
        """Open a session and show it; one that is open in another window is watched. Raises ``DsbuilderError``."""
        await self.close_session()
        await self._adopt_or_watch(Session.open(reference, self.config, clock=self.clock), reference)

    async def change_to(self, reference: str) -> None:
        """Close the session and show another one: a name, a folder, or a saved JSON. One open elsewhere is watched."""
        await self.leaving.go_home()
        await self._adopt_or_watch(open_saved(reference, self.config, self.clock), reference)

    async def _adopt_or_watch(self, opening: Awaitable[Session], reference: str | Path) -> None:
        try:
            async with self.shelf:
                session = await opening
        except SessionInUse:
            await self.watching.open(reference)
        else:
            await self.adopt(session)

    async def begin_conversation(self) -> None:
        """A new session in which nothing is planned yet: the person says what they need."""
        await self.close_session()
        session = await Session.begin("untitled", load_config(**self.flags), clock=self.clock)
        await session.chat.add(MessageRole.DSBUILDER, welcome(session.config), WelcomeContent())
        await self.adopt(session)

    async def adopt(self, session: Session, planned: DatasetPlanInput | None = None) -> None:
        """Show an open session, with the plan that it begins with as a card; when that fails it is closed."""
        try:
            if planned is not None:
                await session.chat.add(MessageRole.DSBUILDER, "plan · rev 1", plan_content(planned, 1))
            await self._show(session)
        except BaseException:
            await session.aclose()
            raise

    async def create_session(self, plan: DatasetPlanInput, **settings: Any) -> None:
        """A new session for a plan, shown with the plan as a card to approve."""
        await self.close_session()
        config = load_config(**{**self.flags, **settings})
        await self.adopt(await Session.create(plan, config, clock=self.clock), plan)

    async def _show(self, session: Session) -> None:
        self.live = live = await LiveSession.open(session, self.make_model, self.make_talk)
        words = opening_words(session, live.view)
        if words and not session.read_only:
            await live.tell(words)
        messages = await session.chat.messages()
        await self.push_named("studio", live, messages)
        if words and session.read_only:  # it is nowhere but on the screen
            await live.tell(words)
        live.look_after()
        self.trust_questions.ask(session.config)

    async def close_session(self) -> None:
        """Save and close what is open; a run is paused first. Returns when all of it is on disk."""
        live, self.live = self.live, None
        await self.watching.close()
        if live is None:
            return
        await self._finish_screens()
        self.farewell = await farewell(live)
        await live.close()

    async def _finish_screens(self) -> None:
        for screen in self.full_screens():
            try:
                await screen.finish()
            except DsbuilderError as error:
                self.complain(error)

    async def change_session(self, live: LiveSession, values: Mapping[str, Any]) -> None:
        """Change settings of the open session; they are used from the next run on. Raises ``ConfigError``."""
        await live.session.settings.change(values)

    async def use_settings(self, values: Mapping[str, Any]) -> None:
        """Use these settings until the app is left, for the open session too. Raises ``ConfigError``."""
        kept = {**self.flags, **values}
        self.config = load_config(**kept)
        self.flags = kept
        self.changed |= set(values)
        if self.live is not None:
            await self.change_session(self.live, values)
        self.theme = PREFIX + self.config.theme
        self.repaint_all()

    async def forget_setting(self, name: str) -> None:
        """Undo a change that was made here."""
        self.flags.pop(name, None)
        if name in self.given:
            self.flags[name] = self.given[name]
        self.changed.discard(name)
        await self.use_settings({})
        if self.live is not None:
            await self.live.session.settings.put_back(name, self.flags.get(name))

    def draft(self, text: str) -> None:
        """Put a text into the studio's prompt."""
        for screen in self.full_screens():
            if screen.take_draft(text):
                return

    def get_driver_class(self) -> type[Driver]:
        return enduring(super().get_driver_class(), lambda: self.hang_up(TERMINAL_CLOSED))

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = [f for f in super().get_line_filters() if not isinstance(f, Monochrome)]  # it has colours, too: greys
        return [*filters, *self._last]

    def copy_to_clipboard(self, text: str) -> None:
        """Copy; what it is pasted into later must not be at the mercy of a control character either."""
        super().copy_to_clipboard(visible(text))

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste) and isinstance(self.focused, Input):
            event.text = " ".join(visible(event.text).split())  # its one line is drawn as it is
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self.navigator.take_ahead(event):
                return
            waited = events.Event().time - event.time  # since it left the terminal: the loop may have been busy
            self.pressed_at = self.clock.monotonic() - max(0.0, waited)
            if isinstance(self.screen, FullScreen):
                self.screen.direct(event)
                if isinstance(event, events.Key) and self.screen.opens_goto(event):
                    self.action_goto("", ":")
                    return
        if self._typed_ahead is not None and self._typed_ahead.take(event):
            return
        if self.screen_stack and points_at_removed(self.screen, event):
            return
        await super().on_event(event)

    # Errors and attention

    async def guarded(self, work: Awaitable[T]) -> T | None:
        """The result, or None after telling the person what went wrong."""
        try:
            return await work
        except DsbuilderError as error:
            if not isinstance(error, SessionClosed):  # else it was left meanwhile, and with it what the result was for
                self.complain(error)
            return None

    def attempt(self, work: Coroutine[Any, Any, Any], *, opens: bool = False) -> None:
        """Do it in the background; what goes wrong is told.

        With ``opens`` it ends with a conversation: what is typed meanwhile is put into its prompt, and the key of a screen
        opens that then.
        """
        if opens:
            self._typed_ahead = TypedAhead([row.key for row in session_screens()])
            work = self._opening(work, self._typed_ahead)
        self.run_worker(self.while_shown(self.screen, lambda: self.guarded(work)), exit_on_error=True)

    async def _opening(self, work: Coroutine[Any, Any, Any], ahead: TypedAhead) -> None:
        try:
            await work
            if (studio := self.shown("studio")) is not None:
                with contextlib.suppress(TimeoutError):  # when it was left before it was there
                    async with asyncio.timeout(_OPENING):
                        await studio.opened.wait()
                if ahead.sent or ahead.text:
                    studio.take_typed(ahead.sent, ahead.text)
                if ahead.screen_key:
                    self.simulate_key(ahead.screen_key)
        finally:
            self._typed_ahead = None

    async def while_shown(self, screen: Screen[Any], work: Callable[[], Awaitable[object]]) -> None:
        """Do it; when the screen that it is for is left on the way, what it wanted to show has no place any more."""
        try:
            await work()
        except NoMatches:
            if screen in self.screen_stack and screen.display and self.is_running:
                raise

    def complain(self, error: DsbuilderError, *, severity: SeverityLevel = "error") -> None:
        self.say(str(error), severity=severity, seconds=12)

    def say(self, text: str, *, severity: SeverityLevel = "information", seconds: float | None = None) -> None:
        text = visible(text)
        if all(
            str(shown.message) != text for shown in self._notifications if not shown.has_expired
        ):  # else it is there to read
            content = with_links(text, self.screen)  # shown as it is: nothing in a content is read as markup
            self.notify(content, severity=severity, timeout=seconds, markup=True)  # type: ignore[arg-type]

    def call_attention(self, text: str, *, severity: SeverityLevel = "information") -> None:
        """Something needs the person, who may be looking elsewhere."""
        self.say(text, severity=severity)
        if self.config.notifications != "off":
            self.bell()
        if self.config.notifications == "desktop" and self._driver is not None and not self.is_headless:
            self._driver.write("\x1b]9;dsbuilder: the session needs a look\x07")  # our own words only

    def _handle_exception(self, error: Exception) -> None:
        # A traceback in a person's face is a bug: leave in order, and let the command line say what happened.
        if self.is_headless:
            super()._handle_exception(error)
            return
        if self.crash is None:
            self.crash = error
            self._return_code = ExitCode.FAILED
            self._close_messages_no_wait()

    # Actions

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key or a click asks for, unless the session is only watched and that would change it: then it is said."""
        screen = self.screen
        if isinstance(screen, SessionScreen) and not screen.watched.acts:
            node, name, _ = self._parse_action(action, default_namespace or self, namespaces)
            if screen.refuses(node, name) and screen.refuse():
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        from dsbuilder_tui.tui.palette_provider import palette_entries

        return palette_entries(self, cast("StudioScreen | None", self.shown("studio")))

    def choose_theme(self, name: str) -> None:
        """Switch the theme, and remember it."""
        from dsbuilder_tui.settings.file import save_settings

        self.theme = PREFIX + name
        self.repaint_all()

        async def keep() -> None:
            await asyncio.to_thread(save_settings, {"theme": name})

        self.attempt(keep())

    def repaint_all(self) -> None:
        from dsbuilder_tui.tui.widgets.painted import Painted

        for screen in self.screen_stack:
            for painted in screen.query(Painted):
                painted.repaint()
            screen.refresh()

    # Screens

    def full_screens(self) -> list[FullScreen]:
        """Our screens, as they lie on one another; dialogs and Textual's own are left out."""
        return [screen for screen in self.screen_stack if isinstance(screen, FullScreen)]

    def shown(self, name: str) -> FullScreen | None:
        """The screen of that name, if it is among those that are open."""
        return next((screen for screen in self.full_screens() if screen.screen_name == name), None)

    def push_named(self, name: str, *given: object) -> AwaitMount:
        """Open a screen of the registry over the others."""
        screen: FullScreen = screen_row(name).load()(*given)
        screen.prepare(name, self.stylesheet)
        return self.push_screen(screen)

    def show_screen(self, name: str, *given: object) -> None:
        """Open a screen of the registry; one that is in front already stays as it is."""
        if self.shown(name) is not self.screen:
            self.navigator.note()
            self.push_named(name, *given)

    def action_goto(self, text: str = "", key: str = "") -> None:
        self.navigator.ask(text, key)

    def action_sessions(self) -> None:
        self.navigator.ask(only=PlaceKind.SESSION)

    def action_labels(self) -> None:
        """Show a letter at everything that can be followed or focused here; the letter does it."""
        from dsbuilder_tui.tui.widgets.jump_labels import show_labels

        if isinstance(self.screen, FullScreen):
            show_labels(self.screen)

    def action_step(self, by: int) -> None:
        self.navigator.step(by)

    def action_help(self) -> None:
        self.show_screen("help")

    def action_settings(self) -> None:
        self.show_screen("settings")

    def action_home(self) -> None:
        """Back to the list of sessions; asks first while a run is going on."""
        self.leaving.ask_to_go_home()

    def action_leave(self) -> None:
        """Leave; while a run is going on, ask."""
        self.leaving.ask_to_leave()

    def action_help_quit(self) -> None:
        """Ctrl+C with nothing to copy: the same as leaving. Pressed again while it drains, it drops what is in flight."""
        if self.live is not None and self.live.view.state is RunState.PAUSING:
            self.live.session.drop_in_flight()
        else:
            self.action_leave()

    def hang_up(self, why: Pause) -> None:
        """The terminal is gone, or the process is told to end: save everything, then leave."""
        with self._context():  # a signal comes from outside of the app; timers that begin in it need to know it
            self._hanging = asyncio.ensure_future(self.leaving.hang_up(why))


if TYPE_CHECKING:
    _serves: AppServices = StudioApp()
