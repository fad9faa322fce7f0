"""A session as the screens see it, whether it is at work, played again or followed from outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.session import Session
from dsbuilder_tui.tui.places.finder import PlaceFinder
from dsbuilder_tui.view import RunView, opening_view, reduce


class Watched(ABC):
    """Takes events into its view and hands them on."""

    replaying = False  # whether what is shown lies before what the session holds
    acts = True  # whether anything can be changed here

    def __init__(self, session: Session, view: RunView) -> None:
        self.session, self.view = session, view
        self.error: DsbuilderError | None = None  # what the last run stopped with
        self.places = PlaceFinder(session)
        self.pace = 0.0  # cases a second of the built-in writer; 0 is as fast as it goes
        self._listeners: list[Callable[[Event], None]] = []

    def begin(self) -> None:  # noqa: B027, most have nothing to begin
        """The screen is there: let it move, if it is one that moves by itself."""

    @abstractmethod
    def now(self) -> float:
        """The wall time that clocks show, in seconds."""

    @property
    @abstractmethod
    def models(self) -> str:
        """Who plans and who writes, for the header."""

    @property
    def refusal(self) -> InputError:
        """What to say to whoever wants to change something where nothing can be changed."""
        return InputError("This is a replay: nothing in it can be changed.", "^Q leaves it.")

    @property
    def has_agent_model(self) -> bool:
        """Whether a model listens, and not the built-in planner, which takes plain requests alone."""
        return False

    @property
    def mode(self) -> str:
        """What the header says besides; empty for a session at work."""
        return ""

    @property
    def moving(self) -> bool:
        """Whether its time passes though nothing runs."""
        return False

    @property
    def shown(self) -> RunView:
        """The view with whatever is known beyond the events."""
        return self.view

    @property
    def interval(self) -> int | None:
        """Cases between checkpoints, None when they are switched off."""
        config = self.session.config
        return config.checkpoint_interval if config.enable_checkpointing else None

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every event after the view took it in; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def take(self, event: Event) -> None:
        """Take one event into the view, and hand it on."""
        self.view = reduce(self.view, event)
        self.tell_of(event)

    def tell_of(self, event: Event) -> None:
        """Hand an event on; a bare ``Event`` says that something else than the view has changed."""
        self.places.heard(event)
        for listener in tuple(self._listeners):
            listener(event)


async def view_of(session: Session) -> RunView:
    """Where a session at rest stands; costs the same at any size."""
    view = opening_view(
        await session.settle(),
        await session.checkpoints.line(),
        await session.rejections.newest(),
        revision=session.plans.revision,
        workers_limit=session.config.workers,
    )
    branches = await session.branches.all()
    forks = {branch.begun_at for branch in branches}
    points = tuple(replace(point, forked=point.number in forks) for point in view.points)
    current = next(branch.name for branch in branches if branch.current)
    jobs = {job.number: job for job in await session.batch_jobs.waiting()}
    return replace(view, points=points, branch=current if len(branches) > 1 else "", batch_jobs=jobs)
