"""Signals on the event loop, on every platform."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def handled(names: Sequence[str], handle: Callable[[str], None]) -> Iterator[None]:
    """Call ``handle`` with a signal's name, on the running event loop, while the block lasts.

    Names that this platform does not have are passed over.
    """
    loop, installed = asyncio.get_running_loop(), []
    previous: dict[Any, Any] = {}
    for name in names:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, handle, name)
            installed.append(number)
        except NotImplementedError:  # Windows
            previous[number] = signal.signal(number, lambda *_, name=name: loop.call_soon_threadsafe(handle, name))
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)
        for number, handler in previous.items():
            signal.signal(number, handler)
