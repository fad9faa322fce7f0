"""A recorded session, played again: the same events, the same reducer, the same screens."""

from __future__ import annotations

import asyncio

from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event, RunStarted
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.tui.watched import Watched
from dsbuilder_tui.view import RunView

# Nobody wants to wait for the night between two runs: a longer silence is cut to this.
_LONGEST_SILENCE = 2.0
_MOST_SPEED, _LEAST_SPEED = 1000.0, 0.1
_STEP = 0.05


class ReplaySession(Watched):
    """Plays a session's events at ``speed`` times their pace. Changes nothing in the session."""

    replaying = True
    acts = False

    def __init__(self, session: Session, clock: Clock, speed: float = 1.0) -> None:
        plan = session.plan
        view = RunView(
            session=session.id,
            dataset_name=plan.dataset_name,
            planned=plan.total_instances,
            categories={c.name: CategoryView(planned=c.count) for c in plan.categories},
            revision=session.plans.revision,
        )
        super().__init__(session, view)
        self.speed, self.halted = speed, False
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._position = 0.0  # recorded time that has been played up to
        self._to_end = False
        self.ended = False

    def now(self) -> float:
        return self._position or self._clock.now()

    @property
    def moving(self) -> bool:
        return self._task is not None and not self.ended and not self.halted

    @property
    def models(self) -> str:
        return "built-in writer" if self.view.provider == OFFLINE else self.view.worker_model

    @property
    def mode(self) -> str:
        if self.ended:
            return "replay · end"
        return "replay · stopped" if self.halted else f"replay ×{self.speed:g}"

    def begin(self) -> None:
        """Start to play; called when the screen is there."""
        if self._task is None:
            self._task = asyncio.create_task(self._play())

    def halt(self, halted: bool) -> None:
        self.halted = halted
        self.tell_of(Event(ts=self.now()))

    def set_speed(self, speed: float) -> None:
        self.speed = max(_LEAST_SPEED, min(_MOST_SPEED, speed))
        self.tell_of(Event(ts=self.now()))

    def skip_to_end(self) -> None:
        self._to_end, self.halted = True, False

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.session.aclose()

    def feed(self, event: Event) -> None:
        """Take one event in, now."""
        self._position = max(self._position, event.ts)
        self.take(event)

    async def _play(self) -> None:
        fed = 0
        async for event in recorded_events(self.session):
            if not self._position or isinstance(event, RunStarted):
                self._position = max(self._position, event.ts)
            await self._wait_for(event.ts)
            self.feed(event)
            fed += 1
            if fed % 200 == 0:
                await asyncio.sleep(0)
        self.ended = True
        self.tell_of(Event(ts=self.now()))

    async def _wait_for(self, ts: float) -> None:
        """Let the played time run up to ``ts``, in small steps, so that clocks move and keys act at once."""
        if ts - self._position > _LONGEST_SILENCE:
            self._position = ts - _LONGEST_SILENCE
        while self.halted or (ts > self._position and not self._to_end):
            before = self._clock.monotonic()
            await asyncio.sleep(_STEP if self.halted else min(_STEP, (ts - self._position) / self.speed))
            if not self.halted:
                self._position += max(1e-4, self._clock.monotonic() - before) * self.speed
        if self._to_end:
            self._position = max(self._position, ts)
