"""Undo and redo, as any screen about the open session offers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.undo import UndoResult
from dsbuilder_tui.settings.stack import load_config

if TYPE_CHECKING:
    from dsbuilder_tui.tui.live_session import LiveSession
    from dsbuilder_tui.tui.screen_base import FullScreen
    from dsbuilder_tui.tui.services import AppServices


class UndoActions:
    """Undoes and redoes the acts of the open session, whatever screen they were done on, and tells which.

    ``renewed`` is called when it has happened, with what has.
    """

    def __init__(self, screen: FullScreen, renewed: Callable[[UndoResult], None]) -> None:
        self._screen, self._renewed = screen, renewed

    def undo(self) -> None:
        """Undo the last act."""
        self._take(redo=False)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._take(redo=True)

    def _take(self, *, redo: bool) -> None:
        services = self._screen.services

        async def take() -> None:
            if services.live is None:
                raise InputError("No session is open.", "What is done in one can be undone there.")
            result = await take_steps(services.live, 1, redo=redo)
            follow_settings(services, result)
            services.say(result.words)
            if self._screen.is_attached:
                self._renewed(result)

        services.attempt(take())


def follow_settings(services: AppServices, result: UndoResult) -> None:
    """A setting that was undone, or redone, in the open session is so for the others of this sitting, too."""
    for change in result.settings:
        if result.redone or change.name in services.changed:
            said = change.after if result.redone else change.before
            services.flags[change.name] = services.given.get(change.name) if said is None else said
            (services.changed.discard if said is None else services.changed.add)(change.name)
    services.config = load_config(**services.flags)


async def take_steps(live: LiveSession, steps: int, *, redo: bool) -> UndoResult:
    """Undo, or redo, some steps of a session. Raises what ``UndoLog.undo`` does."""
    log = live.session.undo_log
    result = await (log.redo if redo else log.undo)(steps)
    if not live.running:
        await live.reread()
    return result
