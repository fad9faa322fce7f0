"""A host without a display: for the Python API, where a run goes on in the background, and for the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dsbuilder_tui.agent.host import BackgroundRun
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.pause_cause import ASKED_TO_PAUSE, Pause, PauseCause
from dsbuilder_tui.domain.session_state import RunResult
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import worker_model
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import saved_as
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class HeadlessHost(BackgroundRun):
    """Runs a session in the background. With ``hold`` it only notes that a run is wanted; whoever holds it runs it."""

    def __init__(
        self,
        session: Session,
        *,
        hold: bool = False,
        make_model: Callable[[DatasetBuilderConfig], WorkerModel] = worker_model,
    ) -> None:
        self.session, self._hold, self._make_model = session, hold, make_model
        self.wanted = False  # a run was asked for, and is held back
        self.next_session: str | None = None  # to be opened in the place of this one
        self._task: asyncio.Task[RunResult] | None = None
        self._unsubscribe = session.subscribe(self.apply_pause)

    def start(self) -> None:
        if self.running:
            raise InputError("The session is running already.", "Pause it first.")
        if self._hold:
            self.wanted = True
        else:
            self._pause_wanted = None
            self._task = asyncio.create_task(self.session.run())

    def pause(self, why: Pause = ASKED_TO_PAUSE) -> None:
        self.wanted = False
        super().pause(why)

    async def result(self) -> RunResult | None:
        """How the last run ended, None when there was none. Raises what it ended with."""
        return await self._task if self._task is not None else None

    async def reread(self) -> None:
        return None

    def make_model(self, config: DatasetBuilderConfig) -> WorkerModel:
        return self._make_model(config)

    async def load(self, reference: str) -> str:
        name = await asyncio.to_thread(saved_as, reference, self.session.config)
        self.next_session = reference
        return f"{name} is opened next; this session is saved and closed."

    def show_review(self, category: str | None, count: int) -> str:
        return f"F8 in the app (`dsbuilder resume {self.session.id}`) shows them one by one."

    async def close(self) -> None:
        """Pause, and wait for the end of the run."""
        self.pause(Pause("closing", PauseCause.CLOSING))
        await self.wait()
        self._unsubscribe()
