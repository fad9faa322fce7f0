"""Faults that a process brings on itself: it dies at an instant, its disk is full, its clock steps, nothing is left to open."""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dsbuilder_tui.domain.clock import SystemClock
from tests.support import warm_process


class Fault(Protocol):
    def begin(self) -> None:
        """From now on it can happen in this process."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL at one call of a function: as it begins, so many seconds later, or as it returns."""

    function: str  # module:name or module:Class.name
    call: int = 1
    seconds: float = 0.0
    at_its_end: bool = False

    def begin(self) -> None:
        module, _, path = self.function.partition(":")
        *holders, name = path.split(".")
        holder: Any = functools.reduce(getattr, holders, importlib.import_module(module))
        found = holder.__dict__[name]
        wrapped = self._wrapped(found.__func__ if isinstance(found, classmethod) else found)
        setattr(holder, name, classmethod(wrapped) if isinstance(found, classmethod) else wrapped)

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        calls = itertools.count(1)

        if asyncio.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapped(*given: Any, **more: Any) -> Any:
                mine = next(calls) == self.call
                if mine and not self.at_its_end:
                    self._die()
                result = await function(*given, **more)
                if mine:
                    _kill()
                return result

            return wrapped

        @functools.wraps(function)
        def plain(*given: Any, **more: Any) -> Any:
            mine = next(calls) == self.call
            if mine and not self.at_its_end:
                self._die()
            result = function(*given, **more)
            if mine and self.at_its_end:
                _kill()
            return result

        return plain

    def _die(self) -> None:
        if not self.seconds:
            _kill()

        def later() -> None:
            time.sleep(self.seconds)
            _kill()

        threading.Thread(target=later, daemon=True).start()


@dataclass(frozen=True)
class Limit:
    """A limit of the system: on the size of files (a full disk), on open files, on memory. ``more`` than is used now."""

    what: int  # resource.RLIMIT_…
    more: int

    def begin(self) -> None:
        used = 0
        if self.what == resource.RLIMIT_NOFILE:
            used = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 1
        elif self.what == resource.RLIMIT_AS:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(self.what, (used + self.more, resource.getrlimit(self.what)[1]))


@dataclass(frozen=True)
class ClockSteps:
    """A wall clock that steps back and forth by up to so many hours, each time that it is looked at."""

    seed: int
    hours: float

    def begin(self) -> None:
        rng = random.Random(self.seed)

        def now(clock: SystemClock) -> float:
            return time.time() + rng.uniform(-self.hours, self.hours) * 3600

        SystemClock.now = now  # type: ignore[method-assign]


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Faulty:
    """What a process does, with faults."""

    faults: tuple[Fault, ...] = ()
    work: Callable[[list[str]], None] = warm_process.command

    def __call__(self, arguments: list[str]) -> None:
        for fault in self.faults:
            fault.begin()
        self.work(arguments)


def reject(arguments: list[str]) -> None:
    """Turn the first cases of a session away, edit and pin the next ones; says so when that is done."""
    from dsbuilder_tui import DatasetBuilderConfig, Session

    async def act() -> None:
        (folder,) = arguments
        async with await Session.open(Path(folder), DatasetBuilderConfig()) as session:
            first, second, third = await session.cases.page(0, 3)
            await session.cases.withdraw(first.category, first.ordinal, "no")
            await session.cases.edit(second.category, second.ordinal, {**second.inputs, "query": "Said otherwise"}, {})
            await session.cases.annotate(third.category, third.ordinal, pinned=True)
            print("rejected", flush=True)

    asyncio.run(act())


def revise(arguments: list[str]) -> None:
    """Give a session a plan with more cases; says so when that is done."""
    from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session

    async def act() -> None:
        folder, more = arguments
        async with await Session.open(Path(folder), DatasetBuilderConfig(max_dataset_size=100_000)) as session:
            data = session.plan.model_dump(mode="json")
            data["categories"][0]["count"] += int(more)
            data.pop("total_instances", None)
            await session.plans.revise(DatasetPlanInput.model_validate(data))
            print("revised", flush=True)

    asyncio.run(act())
