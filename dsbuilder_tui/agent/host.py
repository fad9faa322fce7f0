"""The host of a conversation: an open session, and whoever runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from dsbuilder_tui.domain.events import Event, RunStarted
from dsbuilder_tui.domain.pause_cause import ASKED_TO_PAUSE, Pause, PauseCause
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class Host(Protocol):
    """An open session and its run. The studio has one; so have the command line and the Python API."""

    session: Session

    @property
    def running(self) -> bool:
        """Whether a run is going on."""

    def start(self) -> None:
        """Begin or go on with the run, without waiting for it. Raises ``InputError`` when it cannot."""

    def pause(self, why: Pause = ASKED_TO_PAUSE) -> None:
        """Ask the run to pause."""

    async def wait(self) -> None:
        """Until the run, if there is one, has ended."""

    async def reread(self) -> None:
        """Something changed while nothing ran: whoever watches must look again."""

    def make_model(self, config: DatasetBuilderConfig) -> WorkerModel:
        """A model for a few sample cases; the caller closes it."""

    async def load(self, reference: str) -> str:
        """Open something else that was saved, once the turn is over; returns what will happen in one sentence.

        Raises ``DsbuilderError`` when it cannot be opened.
        """

    def show_review(self, category: str | None, count: int) -> str:
        """Let the person review so many cases once the turn is over; returns where in one sentence."""


class BackgroundRun:
    """What hosts share whose run goes on in a task of its own. ``apply_pause`` is to be called with the session's events."""

    session: Session
    _task: asyncio.Task[Any] | None = None
    _pause_wanted: Pause | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def pause(self, why: Pause = ASKED_TO_PAUSE) -> None:
        self.session.request_pause(why)
        if self.running:
            self._pause_wanted = why  # it may not have begun yet

    def apply_pause(self, event: Event) -> None:
        """A pause that was asked for before the run began takes hold as it begins."""
        if isinstance(event, RunStarted) and self._pause_wanted:
            self.session.request_pause(self._pause_wanted)

    async def wait(self) -> None:
        """Until the run, if there is one, has ended."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def at_rest(host: Host, reason: str) -> AsyncGenerator[None, None]:
    """Nothing runs inside of this; a run that went on before goes on after it, also when an error leaves it."""
    was_running = host.running
    if was_running:
        host.pause(Pause(reason, PauseCause.CHANGE))
        await host.wait()
    try:
        yield
    finally:
        if was_running:
            host.start()
