"""The services of the app: the only thing that its widgets and screens know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from textual.app import App

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from dsbuilder_tui.domain.clock import Clock
    from dsbuilder_tui.domain.errors import DsbuilderError
    from dsbuilder_tui.domain.plan import DatasetPlanInput
    from dsbuilder_tui.settings.schema import DatasetBuilderConfig
    from dsbuilder_tui.tui.colours import Palette
    from dsbuilder_tui.tui.live_session import LiveSession
    from dsbuilder_tui.tui.places.place import Place, PlaceKind

T = TypeVar("T")


class Navigation(Protocol):
    """The ways from one place to another; see ``navigator.Navigator``."""

    def visit(self, place: Place) -> None: ...
    def note(self) -> None: ...
    def ask(self, text: str = "", key: str = "", only: PlaceKind | None = None) -> None: ...
    def switch(self, folder: str) -> None: ...


class WatchesSessions(Protocol):
    """Shows a session that another window works on, and opens it when that one has left it. Raise ``DsbuilderError``."""

    async def open(self, reference: str | Path) -> None: ...
    async def take_over(self) -> None: ...


class AppServices(Protocol):
    """What a widget or a screen may ask for. The app is one; nobody else needs to be."""

    flags: dict[str, Any]  # settings of the command line and of this sitting
    given: dict[str, Any]  # settings of the command line
    changed: set[str]  # settings changed in the app
    config: DatasetBuilderConfig
    clock: Clock
    live: LiveSession | None  # the open session
    away: bool  # the terminal is lent to an editor
    pressed_at: float  # when the newest key or paste came in, on the clock's monotonic time
    shelf: asyncio.Lock  # held by whoever opens, moves or lists sessions

    @property
    def watching(self) -> WatchesSessions: ...

    @property
    def palette(self) -> Palette: ...

    @property
    def navigator(self) -> Navigation: ...

    # Sessions

    async def open_session(self, reference: str | Path) -> None: ...
    async def change_to(self, reference: str) -> None: ...
    async def begin_conversation(self) -> None: ...
    async def create_session(self, plan: DatasetPlanInput, **settings: Any) -> None: ...
    async def change_session(self, live: LiveSession, values: Mapping[str, Any]) -> None: ...

    # Settings

    async def use_settings(self, values: Mapping[str, Any]) -> None: ...
    async def forget_setting(self, name: str) -> None: ...
    def choose_theme(self, name: str) -> None: ...

    # Work whose failure is told

    async def guarded(self, work: Awaitable[T]) -> T | None: ...
    def attempt(self, work: Coroutine[Any, Any, Any], *, opens: bool = False) -> None: ...
    async def while_shown(self, screen: Screen[Any], work: Callable[[], Awaitable[object]]) -> None: ...

    # What is said

    def say(self, text: str, *, severity: SeverityLevel = "information", seconds: float | None = None) -> None: ...
    def complain(self, error: DsbuilderError, *, severity: SeverityLevel = "error") -> None: ...
    def call_attention(self, text: str, *, severity: SeverityLevel = "information") -> None: ...
    def draft(self, text: str) -> None: ...

    # Where to go

    def show_screen(self, name: str, *given: object) -> None: ...
    def action_home(self) -> None: ...
    def action_leave(self) -> None: ...


class _Placed(Protocol):
    @property
    def app(self) -> App[Any]: ...


# Plain classes: a style sheet is inherited from the first base that is a widget, which these must not be.
class UsesServices:
    """Mixed into what only lives in our app."""

    @property
    def services(self: _Placed) -> AppServices:
        return cast(AppServices, self.app)


class Drawn(UsesServices):
    """Mixed into widgets that draw their own lines: the mouse selects nothing in them."""

    def get_selection(self, selection: object) -> tuple[str, str] | None:
        return None
