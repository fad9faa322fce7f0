"""Leaving a session or the app: asks while a run is going on, saves everything first."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from dsbuilder_tui.domain.batch_job_words import jobs_words
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.live_session import LiveSession
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from dsbuilder_tui.tui.app import StudioApp


class WayOut(Enum):
    """How a run is left: batch jobs that a provider has are kept for the next run to collect, or cancelled there."""

    PAUSE = auto()
    CANCEL_JOBS = auto()


def home_question(live: LiveSession) -> QuestionDialog:
    """Whether to pause, and go back to the list. The answer is a ``WayOut``, or None to stay."""
    return _with_jobs(live, "Pause and go home?") or QuestionDialog(
        "Pause and go home?",
        "The run is paused: work in flight is cut off, everything accepted is saved. It can be resumed from the list.",
        [("pause and go home", WayOut.PAUSE), ("stay", None)],
    )


def leave_question(live: LiveSession) -> QuestionDialog:
    """Whether to pause, and leave the app. The answer is a ``WayOut``, or None to stay."""
    view = live.view
    return _with_jobs(live, "Pause and quit?") or QuestionDialog(
        "Pause and quit?",
        f"{view.accepted:,} of {counted(view.planned, 'case')} saved. {counted(view.workers_busy, 'call')} in flight may "
        f"finish within {live.session.config.drain_timeout:g} s, the rest of them is written again when you "
        "resume. The run cannot go on without the app (for that there is `dsbuilder run`).",
        [("pause and quit", WayOut.PAUSE), ("stay", None)],
    )


def _with_jobs(live: LiveSession, heading: str) -> QuestionDialog | None:
    """The question where a provider has batch jobs of the run, and nobody has cancelled them yet."""
    view = live.view
    jobs = [job for job in view.batch_jobs.values() if job.is_waiting and not job.cancelled]
    if not jobs:
        return None
    them, cost = ("it", "it costs") if len(jobs) == 1 else ("them", "they cost")
    return QuestionDialog(
        heading,
        f"{view.accepted:,} of {counted(view.planned, 'case')} saved. {jobs_words(jobs, live.now())}: the provider works on "
        f"when this is closed, and the next run collects what is done. Cancelled, {cost} what is done by now, which the next "
        "run collects, too.",
        [
            (f"leave, and keep {them}", WayOut.PAUSE),
            (f"leave, and cancel {them} at the provider", WayOut.CANCEL_JOBS),
            ("stay", None),
        ],
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
            app.push_screen(home_question(app.live), self._by(self.go_home))
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
            app.push_screen(question, self._by(self._leave))

    def _by(self, leave: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[WayOut | None], None]:
        """What an answer does: it leaves, having seen to the batch jobs."""

        async def go() -> None:
            live = self._app.live
            if live is not None and live.running:
                count = await live.session.batch_jobs.cancel()
                self._app.say(f"{counted(count, 'batch job')} will be cancelled; the next run collects what is done.")
            await leave()

        def answered(way: WayOut | None) -> None:
            if way is not None:
                self._app.attempt(go() if way is WayOut.CANCEL_JOBS else leave())

        return answered

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
