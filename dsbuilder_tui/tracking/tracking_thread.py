"""The one thread that imports MLflow and speaks to it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class TrackingThread:
    """Runs functions one after another. It is a daemon: a call that hangs does not keep the process from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def call(self, function: Callable[[], T]) -> T:
        """What the function returns or raises. A caller that goes away does not stop it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="mlflow-tracking", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(act: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                act(value)

        def run() -> None:
            try:
                told = (future.set_result, function())
            except BaseException as error:
                told = (future.set_exception, error)  # type: ignore[assignment]
            try:
                loop.call_soon_threadsafe(settle, *told)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

        self._calls.put(run)
        return await future

    def end(self) -> None:
        """Take no more calls; what is at work goes on to its end by itself."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread = None

    def _work(self) -> None:
        while (run := self._calls.get()) is not None:
            run()
