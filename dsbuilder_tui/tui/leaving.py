"""The questions before a run that is going on is left."""

from __future__ import annotations

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.live_session import LiveSession
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog


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
