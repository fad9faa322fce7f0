"""Leaving a session or the app: asks while a run is going on, saves everything first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.live_session import LiveSession
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp


def home_question() -> QuestionDialog:
    """Whether to pause, and go back to the list."""
    return QuestionDialog(
        "Pause and go home?",
        "The run is paused: work in flight is cut off, everything accepted is saved. It can be resumed from the list.",
        [("pause and go home", True), ("stay", False)],
    )


def leave_question(live: LiveSession) -> QuestionDialog:
    """Whether to pause, and leave the app."""
    view = live.view
    return QuestionDialog(
        "Pause and quit?",
        f"{view.accepted:,} of {counted(view.planned, 'case')} saved. {counted(view.workers_busy, 'call')} in flight may "
        f"finish within {live.session.config.drain_timeout:g} s, the rest of them is written again when you "
        "resume. The run cannot go on without the app (for that there is `dsbuilder run`).",
        [("pause and quit", True), ("stay", False)],
    )


class Leaving:
    """The ways out of an app. What they close is on disk when they are done."""

    def __init__(self, app: StudioApp) -> None:
        self._app = app
        self._question: Screen[Any] | None = None  # whether to leave, while it is asked

    def ask_to_go_home(self) -> None:
        """Back to the list of sessions; asks first while a run is going on."""
        app = self._app
        if app.live is not None and app.live.running:
            app.push_screen(home_question(), lambda yes: app.attempt(self.go_home()) if yes else None)
        else:
            app.attempt(self.go_home())

    async def go_home(self) -> None:
        """Close the session, and show the list of sessions."""
        app = self._app
        await app.close_session()
        home = app.shown("home")
        while app.screen is not home:
            app.pop_screen()

    def ask_to_leave(self) -> None:
        """Leave the app; asks first while a run is going on."""
        app = self._app
        if app.live is None or not app.live.running:
            app.attempt(self._leave())
        elif app.screen is not self._question:
            self._question = question = leave_question(app.live)
            app.push_screen(question, lambda yes: app.attempt(self._leave()) if yes else None)

    async def _leave(self) -> None:
        app = self._app
        if app.live is not None and app.live.running:
            app.live.pause(Pause("leaving", PauseCause.LEAVING))
            app.say("Pausing: work in flight drains …")
            await app.live.wait()
        await app.close_session()
        app.exit(0)

    async def hang_up(self, why: Pause) -> None:
        """Save everything, then leave."""
        if self._app.live is not None:
            self._app.live.pause(why)
        await self._app.close_session()
        self._app.exit(ExitCode.RESUMABLE)
