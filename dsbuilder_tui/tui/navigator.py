"""Going to places: opens the screen of one and chooses it there, remembers where the person was, goes back and forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import events
from textual.css.query import NoMatches

from dsbuilder_tui.domain.errors import InputError, SessionInUse
from dsbuilder_tui.session import Session
from dsbuilder_tui.tui.paint.line import clip
from dsbuilder_tui.tui.places.finder import find_anywhere
from dsbuilder_tui.tui.places.place import Place, PlaceKind, screen_place
from dsbuilder_tui.tui.places.search import PlaceSearch
from dsbuilder_tui.tui.registry import screen_row
from dsbuilder_tui.tui.screen_base import FullScreen

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.goto.screen import GotoScreen
    from dsbuilder_tui.tui.studio.screen import StudioScreen
    from dsbuilder_tui.tui.watched import Watched

_MOST_VISITS = 100
_GONE = "It was turned away, renamed or removed, or lies on another branch."


@dataclass(frozen=True, slots=True)
class Visit:
    """A place of a session, by the session's folder; of none where that is empty."""

    session: str
    place: Place

    @property
    def screen(self) -> tuple[str, str]:
        return self.session, self.place.screen


class Navigator:
    """Goes to places in the app. One is gone to at a time, in the order in which they are asked for."""

    def __init__(self, app: StudioApp) -> None:
        self._app = app
        self._visits: list[Visit] = []
        self._at = -1
        self._going = asyncio.Lock()
        self._asking: GotoScreen | None = None

    @property
    def visited(self) -> list[Place]:
        """The places of the open session that the person was at, the latest first, each once."""
        here = self._session
        return list(dict.fromkeys(visit.place for visit in reversed(self._visits) if visit.session in ("", here)))

    # Where to

    def ask(self, text: str = "", key: str = "", only: PlaceKind | None = None) -> None:
        """Ask the person where to go: to places of one kind, or to any. ``text`` is typed already, after the ``key`` that a
        prompt would have taken for text."""
        from dsbuilder_tui.tui.goto.screen import GotoScreen

        if isinstance(self._app.screen, FullScreen):
            self._asking = asking = GotoScreen(*self._to_search(only), text)
            self._app.push_screen(asking, partial(self._chosen, asking, key))

    def take_ahead(self, event: events.Key | events.Paste) -> bool:
        """Keep what is typed where the line to go is on its way; says whether it was kept."""
        return self._asking is self._app.screen and self._asking.take_ahead(event)

    def _chosen(self, asking: GotoScreen, key: str, place: Place | None) -> None:
        self._asking = None
        if place is not None:
            self.visit(place)
        elif key and asking.is_text:  # then it was meant as a text, and is not lost
            self._app.draft(f"{key}{asking.typed}")

    def _to_search(self, only: PlaceKind | None = None) -> tuple[PlaceSearch, Watched | None]:
        """What looks for places as things are now, those of one kind or all, and the session that they are of."""
        watched = self._watched
        root = watched.session.folder.parent if watched is not None else self._app.config.checkpoint_root
        return PlaceSearch(watched, root, self.visited, only), watched

    def note(self) -> None:
        """Remember where the person is: they are about to go elsewhere."""
        here = self._here()
        if here is None:
            return
        if self._at >= 0 and self._visits[self._at].screen == here.screen:
            self._visits[self._at] = here
        else:
            self._arrived(here)

    def _arrived(self, visit: Visit) -> None:
        self._visits = [*self._visits[: self._at + 1], visit][-_MOST_VISITS:]
        self._at = len(self._visits) - 1

    def _here(self) -> Visit | None:
        screens = self._app.full_screens()
        if not screens or not screens[-1].is_mounted:
            return None
        return Visit(self._session, screens[-1].place)

    @property
    def _watched(self) -> Watched | None:
        studio = cast("StudioScreen | None", self._app.shown("studio"))
        return studio.watched if studio is not None else None

    @property
    def _session(self) -> str:
        """The folder of the session that is shown; empty for none."""
        return str(watched.session.folder) if (watched := self._watched) is not None else ""

    # Going

    def visit(self, place: Place) -> None:
        """Go to a place; what stands in the way is told."""
        self._app.attempt(self._visit(place))

    async def _visit(self, place: Place) -> None:
        async with self._going:
            self.note()
            if not await self._go(place):
                raise InputError(f"{clip(place.words, 80)} is not there.".capitalize(), _GONE)
            if (here := self._here()) is not None and place.screen:
                self._at_new(here)

    def _at_new(self, here: Visit) -> None:
        if self._visits[self._at : self._at + 1] != [here]:
            self._arrived(here)

    def step(self, by: int) -> None:
        """Go back (-1) or forward (1) among the places visited; those that are gone are left out."""

        async def go() -> None:
            async with self._going:
                self.note()
                at = self._at + by
                while 0 <= at < len(self._visits):
                    visit = self._visits[at]
                    if visit.session not in ("", self._session):
                        self._at = at
                        self.switch(visit.session)
                        return
                    if await self._go(visit.place):
                        self._at = at
                        return
                    del self._visits[at]
                    if by < 0:
                        self._at, at = self._at - 1, at - 1
                self._app.say("Nothing was visited before this." if by < 0 else "Nothing was visited after this.")

        if isinstance(self._app.screen, FullScreen):  # a question is answered first
            self._app.attempt(go())

    async def _go(self, place: Place) -> bool:
        """Show a place; whether it is there. Raises ``DsbuilderError``."""
        if place.kind is PlaceKind.SESSION:
            self.switch(place.name)
            return True
        watched = self._watched
        found = await (watched.places.find(place) if watched is not None else find_anywhere(place))
        if found is None:
            return False
        if found.kind is PlaceKind.NUMBER:
            self.ask(f"#{found.name}")
            return True
        if found.kind is PlaceKind.FILE:
            from dsbuilder_tui.tui.widgets.file_preview import FilePreview

            await self._app.push_screen(FilePreview(Path(found.name)))
            return True
        if found == screen_place("home") and watched is not None:
            self._app.action_home()
            return True
        if (screen := await self._bring(found.screen)) is None:
            return False
        try:
            return await screen.show_place(found)
        except NoMatches:
            if screen in self._app.screen_stack:
                raise
            return True  # it was left on the way

    async def _bring(self, name: str) -> FullScreen | None:
        """Have a screen in front; None where there is no session for it. Raises ``InputError`` when something would be lost."""
        app, screen = self._app, self._app.shown(name)
        if screen is not None:
            screens = app.full_screens()
            for above in screens[screens.index(screen) :]:
                if (above.holds and above is not app.screen) or (above.holds and above is screen):
                    raise InputError(above.holds, "Save it or leave it first.")
            while app.screen is not screen:
                await app.pop_screen()
            return screen
        watched = self._watched
        if screen_row(name).of_session and watched is None:
            return None
        await app.push_named(name, *([watched] if screen_row(name).of_session else []))
        return app.shown(name)

    # Another session

    def switch(self, folder: str) -> None:
        """Show another session in place of the open one; asks first where that would interrupt something."""
        from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

        app, studio = self._app, cast("StudioScreen | None", self._app.shown("studio"))
        if folder == self._session:
            app.attempt(self._visit(screen_place("studio")))
            return
        if lost := next((screen.holds for screen in app.full_screens() if screen.holds), ""):
            app.complain(InputError(lost, "Save it or leave it first."))
            return
        running = app.live is not None and app.live.running
        if not running and (studio is None or app.replay is not None or not studio.conversation.answering):
            app.attempt(self._switch(folder), opens=True)
            return
        words = (
            "The run is paused: work in flight is cut off, everything accepted is saved. It goes on from there when you "
            "come back and press ^P."
            if running
            else "The answer that is being written is stopped; what is there of it is kept."
        )
        question = QuestionDialog(
            f"{'Pause' if running else 'Stop'} and open {clip(Path(folder).name, 40)}?",
            words,
            [(f"{'pause' if running else 'stop'} and open it", True), ("stay", False)],
        )
        app.push_screen(question, lambda yes: app.attempt(self._switch(folder), opens=True) if yes else None)

    async def _switch(self, folder: str) -> None:
        """Open another session, close this one, and show that: nothing is closed when it cannot be opened."""
        self.note()
        app = self._app
        try:
            async with app.shelf:
                session = await Session.open(Path(folder), app.config, clock=app.clock)
        except SessionInUse:  # in another window: it is watched
            await app.leaving.go_home()
            await app.watching.open(Path(folder))
            if (here := self._here()) is not None:
                self._at_new(here)
            return
        try:
            await app.leaving.go_home()
        except BaseException:
            await session.aclose()
            raise
        await app.adopt(session)
        if (here := self._here()) is not None:
            self._at_new(here)
