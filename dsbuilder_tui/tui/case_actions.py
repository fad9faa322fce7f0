"""Acts on an accepted case that any list of them offers: pin it, turn it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.tui.paint.line import clip
from dsbuilder_tui.tui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from dsbuilder_tui.tui.screen_base import SessionScreen


class CaseActions:
    """Carries out the acts of a screen. What goes wrong is told; ``renewed`` is called when a case is not what it was."""

    def __init__(self, screen: SessionScreen, renewed: Callable[[], None]) -> None:
        self._screen, self._renewed = screen, renewed

    def pin(self, case: AcceptedCase) -> None:
        """Pin a case, or unpin it."""

        async def pin() -> None:
            cases = self._screen.watched.session.cases
            await cases.annotate(case.category, case.ordinal, pinned=not case.tags.get("pinned"))
            self._renewed()

        self._screen.services.attempt(pin())

    def ask_withdraw(self, case: AcceptedCase) -> None:
        """Ask whether a case is to go; after a yes its slot is open again."""
        screen = self._screen

        async def withdraw() -> None:
            await screen.watched.session.cases.withdraw(case.category, case.ordinal)
            running = screen.watched.view.busy
            screen.services.say(
                f"{case.case_id} is turned away. "
                + ("It is written again now." if running else "Resume to have it written again.")
            )
            if not running:
                await screen.live.reread()
            self._renewed()

        question = QuestionDialog(
            "Reject this case and have it written again?",
            f"{clip(display_text(case.inputs), 300)}\n\nIts slot opens again; the same text does not come back.",
            [("reject and regenerate", True), ("keep it", False)],
        )
        screen.ask(question, lambda yes: screen.services.attempt(withdraw()) if yes else None)
