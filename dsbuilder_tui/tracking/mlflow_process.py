"""The process beside this one that imports MLflow and speaks to it: neither takes the interpreter from a run or the app."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure, TrackingFault
from dsbuilder_tui.tracking.process_frames import (
    LineEnd,
    ProcessAnswer,
    ProcessCall,
    ProcessState,
    read_frame,
    write_frame,
)

P = ParamSpec("P")
T = TypeVar("T")

_BEGIN = "import sys; sys.path[:] = {path!r}; from dsbuilder_tui.tracking.mlflow_process_main import main; main()"
_PATIENCE = 2.0  # seconds for it to end when it is told to
_ENDED = "the process that sends to MLflow has ended"


@dataclass(frozen=True, slots=True)
class MlflowLine:
    """Calls that are carried out one after another, beside those of other lines. ``uri`` is what errors name."""

    uri: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who waits for an answer."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def answer(self, value: Any, failure: MlflowFailure | None) -> None:
        def settle() -> None:
            if not self.future.done():
                self.future.set_result(value) if failure is None else self.future.set_exception(failure)

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(settle)


class _Child:
    """One start of the process, and the calls that it was handed."""

    def __init__(self) -> None:
        """Raises ``OSError`` where none can be had."""
        if not sys.executable:
            raise OSError("Python's own command is not known")
        environment = {**os.environ, "PYTHONUTF8": "1"}
        windows = sys.platform == "win32"
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BEGIN.format(path=list(sys.path))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0,
            start_new_session=not windows,  # Ctrl+C in the terminal is not for it
            creationflags=_windows_flags() if windows else 0,
        )  # fmt: skip
        assert isinstance(self.process.stdin, FileIO) and isinstance(self.process.stdout, FileIO)
        self.calls, self.answers = self.process.stdin, BufferedReader(self.process.stdout)
        self.callers: dict[int, _Caller] = {}
        self.told: ProcessState | None = None
        self.ended = False


class MlflowProcess:
    """Begun with the first call, begun again when it has died; it ends with this process. One serves all sessions."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[
            tuple[_Caller, MlflowLine, Callable[..., Any], tuple[Any, ...], ProcessState] | LineEnd
        ]
        self._waiting = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._writing: threading.Thread | None = None
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        child = self._child
        return child.process.pid if child is not None and not child.ended else None

    async def call(self, line: MlflowLine, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """What a function of a module returns there. Raises ``MlflowFailure`` for whatever it raises, and where the process dies.

        Arguments and result are pickled. A caller that goes away does not stop it; the event loop never waits.
        """
        assert not named
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._writing is None:
                self._writing = threading.Thread(target=self._write, name="mlflow-calls", daemon=True)
                self._writing.start()
        self._waiting.put((_Caller(loop, future), line, function, args, _surroundings()))
        return await future

    def end(self, line: MlflowLine) -> None:
        """No more calls come on this line; what is at work goes on to its end by itself."""
        if self._writing is not None:
            self._waiting.put(LineEnd(line.key))

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            child.calls.close()
        try:
            child.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

    def _write(self) -> None:
        while True:
            match self._waiting.get():
                case LineEnd() as told:
                    if (child := self._child) is not None and not child.ended:
                        with contextlib.suppress(OSError, ValueError):
                            write_frame(child.calls, told)
                case caller, line, function, args, surroundings:
                    try:
                        self._hand_over(caller, line, function, args, surroundings)
                    except Exception as error:  # it cannot be started, or not be told
                        failure = MlflowFailure(
                            TrackingFault.UNREACHABLE, f"the process that sends to MLflow cannot be used: {error}"
                        )
                        caller.answer(None, failure)

    def _hand_over(
        self, caller: _Caller, line: MlflowLine, function: Callable[..., Any], args: tuple[Any, ...], now: ProcessState
    ) -> None:
        child = self._child
        if child is None or child.ended:
            child = self._child = _Child()
            threading.Thread(target=self._read, args=(child,), name="mlflow-answers", daemon=True).start()
        number = next(self._numbers)
        with self._lock:
            if child.ended:
                raise OSError(_ENDED)
            child.callers[number] = caller
        call = ProcessCall(
            number=number, line=line.key, uri=line.uri, function=function, args=args,
            surroundings=None if child.told == now else now,
        )  # fmt: skip
        try:
            write_frame(child.calls, call)
        except OSError:
            return  # who reads its answers sees its end, too, and tells all that wait
        except Exception:
            child.callers.pop(number, None)
            raise
        child.told = now

    def _read(self, child: _Child) -> None:
        with contextlib.suppress(OSError, ValueError):
            while isinstance(answer := read_frame(child.answers), ProcessAnswer):
                if (caller := child.callers.pop(answer.number, None)) is not None:
                    caller.answer(answer.value, answer.failure)
        with self._lock:
            child.ended = True
        child.process.kill()  # it may live on without an output
        child.process.wait()
        for caller in tuple(child.callers.values()):
            caller.answer(None, MlflowFailure(TrackingFault.UNREACHABLE, _ENDED))
        child.callers.clear()


_shared = MlflowProcess()


def mlflow_process() -> MlflowProcess:
    """The one of this process."""
    return _shared


def _begin_anew() -> None:
    """A process that was forked off has no threads that read its answers, and the other's must not get its calls."""
    global _shared
    _shared = MlflowProcess()


def _end() -> None:
    _shared.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
atexit.register(_end)


def _surroundings() -> ProcessState:
    try:
        folder = str(Path.cwd())
    except OSError:
        folder = None
    return ProcessState(folder=folder, environment=dict(os.environ))


def _windows_flags() -> int:
    return int(subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW)  # type: ignore[attr-defined]
