"""``python -m tests.support.without_imports FILE ERROR FUNCTION CALL WORDS…``: ``dsbuilder WORDS…``, whose function fails.

At that call an error is raised (or Ctrl+C comes), and from then on nothing can be imported for the first time, as at the end
of open files or of memory. What was tried to be imported all the same goes to the file, a name a line.
"""

from __future__ import annotations

import errno
import functools
import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from dsbuilder_tui.cli.main import main


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


ERRORS: dict[str, Callable[[], None]] = {
    "descriptors": _raise(OSError(errno.EMFILE, "Too many open files")),
    "memory": _raise(MemoryError()),
    "disk": _raise(OSError(errno.ENOSPC, "No space left on device")),
    "bug": _raise(RuntimeError("a bug")),
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
}


class _Nothing:
    """A finder that finds nothing, and lets nobody else look."""

    def __init__(self, asked: Path) -> None:
        self._asked = os.open(asked, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        os.write(self._asked, f"{name}\n".encode())
        raise ImportError(f"{name}: failed to map segment from shared object")


def _at_a_call(function: str, call: int, act: Callable[[], None], *, stays: bool) -> None:
    """Have ``module:Class.name`` begin its n-th call so; what ``stays`` so begins the later ones, too."""
    module, _, path = function.partition(":")
    *holders, name = path.split(".")
    holder: Any = functools.reduce(getattr, holders, importlib.import_module(module))
    wrapped, calls = holder.__dict__[name], itertools.count(1)

    @functools.wraps(wrapped)
    def wrapper(*given: Any, **more: Any) -> Any:
        number = next(calls)
        if number == call or (stays and number > call):
            act()
        return wrapped(*given, **more)

    setattr(holder, name, wrapper)


def _run(asked: Path, error: str, function: str, call: int, words: list[str]) -> int:
    nothing: Any = _Nothing(asked)

    def fail() -> None:
        if nothing not in sys.meta_path:
            sys.meta_path.insert(0, nothing)
        ERRORS[error]()

    _at_a_call(function, call, fail, stays=error == "descriptors")
    return main(words)


if __name__ == "__main__":
    sys.exit(_run(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:]))
