"""Waiting for Ray. What it never answers, since its cluster is gone, keeps neither the event loop nor the process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class RayThread:
    """One thread that does one thing after the other, and ends with the process, whatever it waits for.

    A process that Ray starts is ended by the system with the thread that started it: so it is one, and stays.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._acts: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], Any]]]
        self._acts = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def do(self, act: Callable[[], T]) -> T:
        """What ``act`` gives, or raises, in its turn. Cancelled, it goes on there, and nobody hears of it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._take(act, lambda found, error: loop.call_soon_threadsafe(_settle, future, found, error))
        return await future

    def wait(self, act: Callable[[], T], seconds: float) -> T:
        """As ``do``, for who has no event loop. Raises ``TimeoutError`` after so many seconds; it goes on there."""
        future: Future[T] = Future()
        self._take(act, partial(_settle, future))
        return future.result(seconds)

    def _take(self, act: Callable[[], Any], settle: Callable[[Any, BaseException | None], Any]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._acts.put((act, settle))

    def _work(self) -> None:
        while True:
            act, settle = self._acts.get()
            try:
                found, error = act(), None
            except BaseException as raised:
                found, error = None, raised
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
                settle(found, error)


async def answer_of(reference: Any) -> Any:
    """What the call behind one of Ray's references gives, or raises. Cancelled, Ray's own future stays as it is: the thread
    of a client connection ends with a traceback where it cannot settle one."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def settled(future: concurrent.futures.Future[Any]) -> None:
        error = future.exception()
        with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, None if error else future.result(), error)

    reference.future().add_done_callback(settled)
    return await answer


def _settle(future: asyncio.Future[Any] | Future[Any], found: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(found)
    else:
        future.set_exception(error)
