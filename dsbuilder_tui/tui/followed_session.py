"""A session that is open in another window, as it looks from this one: what is accepted there is seen here a moment later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.events import (
    BatchFinished,
    BatchStarted,
    CaseAccepted,
    CaseRejected,
    ConcurrencyChanged,
    Event,
    RetryScheduled,
    RunStarted,
)
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.session.follower import SessionFollower
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.watched import Watched, view_of
from dsbuilder_tui.view import RunView, reduce, sampled

_LOOK = 0.5  # seconds between two looks into the file
_OF_WORKERS = (BatchStarted, BatchFinished, CaseAccepted, CaseRejected, RetryScheduled, ConcurrencyChanged)


class FollowedSession(Watched):
    """Shows what another process writes. Changes nothing, holds no lock, and the writer does not know of it."""

    acts = False

    def __init__(self, follower: SessionFollower, view: RunView) -> None:
        super().__init__(follower.session, view)
        self._follower = follower
        self._unsubscribe = self.session.subscribe(self.take)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, reference: str | Path, config: DatasetBuilderConfig, clock: Clock) -> FollowedSession:
        """Open a session to be watched. Raises ``SessionNotFound``, ``SessionDamaged`` or ``StorageError``."""
        follower = await SessionFollower.open(reference, config, clock=clock)
        try:
            return cls(follower, await _opening_view(follower))
        except BaseException:
            await follower.session.aclose()
            raise

    async def messages(self) -> list[Message]:
        """The conversation so far."""
        return await self.session.chat.messages()

    def begin(self) -> None:
        """Look into the file from now on; called when the screen is there."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._unsubscribe()
        await self.session.aclose()

    def now(self) -> float:
        return self.session.clock.now()

    @property
    def models(self) -> str:
        return "built-in writer" if self.view.provider == OFFLINE else self.view.worker_model

    @property
    def mode(self) -> str:
        return "watching"

    @property
    def owner(self) -> int | None:
        """The process that works on the session, None when it has left it."""
        return self._follower.owner

    @property
    def refusal(self) -> InputError:
        if self.owner is None:
            return InputError("This window only watches, and nobody has the session open now.", "o opens it here.")
        return InputError(
            "This window only watches: the session is open in another one.",
            "Change it there, or here once that is closed.",
        )

    def take(self, event: Event) -> None:
        """Take in what events alone tell. What can be counted is counted in the file, which may be ahead of them."""
        told = reduce(self.view, event)
        self.view = replace(
            self.view,
            workers=told.workers,
            workers_limit=told.workers_limit,
            limit_reason=told.limit_reason,
            notice=told.notice,
            notice_level=told.notice_level,
            tracking=told.tracking,
        )
        if isinstance(event, RunStarted):
            self.view = replace(
                self.view, state=told.state, started=told.started, began_with=told.began_with, samples=told.samples
            )
        self.tell_of(event)

    async def _follow(self) -> None:
        while True:
            try:
                if await self._follower.look():
                    self.view = await _counted(self._follower, self.view)
                    self.error = None
                    self.tell_of(Event(ts=self.now()))
            except DsbuilderError as error:  # it may be moved at this moment, or deleted: it is looked for again
                if self.error is None or str(error) != str(self.error):
                    self.error = error
                    self.tell_of(Event(ts=self.now()))
            await asyncio.sleep(_LOOK)


async def _opening_view(follower: SessionFollower) -> RunView:
    """Where the session stands, with the workers that are at it and the rate from now on."""
    view = await view_of(follower.session)
    now = began = follower.session.clock.now()
    for event in follower.recent:
        if isinstance(event, RunStarted):
            began = event.ts
        if isinstance(event, _OF_WORKERS):
            there = reduce(view, event)
            view = replace(view, workers=there.workers, workers_limit=there.workers_limit)
    if not view.busy:
        return replace(view, workers={})
    return replace(view, began_with=view.accepted, samples=((now, view.accepted),), started=began)


async def _counted(follower: SessionFollower, view: RunView) -> RunView:
    """The view as the file has it, with what the events alone have told."""
    counted = await view_of(follower.session)
    return replace(
        counted,
        workers=view.workers if counted.busy else {},
        workers_limit=view.workers_limit,
        limit_reason=view.limit_reason,
        notice=view.notice,
        notice_level=view.notice_level,
        calls=view.calls,
        started=view.started,
        began_with=view.began_with,
        samples=sampled(view.samples, follower.session.clock.now(), counted.accepted) if counted.busy else (),
        tracking=view.tracking,
    )
