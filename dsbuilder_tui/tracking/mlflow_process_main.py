"""The process that imports MLflow and speaks to it, as it is run: calls come in on its input, answers go out on its output."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from io import FileIO
from typing import BinaryIO

from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure, error_words, fault_of
from dsbuilder_tui.tracking.process_frames import (
    LineEnd,
    ProcessAnswer,
    ProcessCall,
    ProcessState,
    read_frame,
    write_frame,
)

_BEHIND = 5  # how much further back it stands than a run and the app where the processor is short


class MlflowProcessMain:
    """Carries out the calls of each line in order, in a thread of the line's own: one server that hangs holds up no other."""

    def __init__(self, calls: BinaryIO, answers: FileIO) -> None:
        self._calls, self._answers = calls, answers
        self._lines: dict[str, queue.SimpleQueue[ProcessCall | None]] = {}
        self._answering = threading.Lock()
        self._told: set[str] = set(os.environ)

    def serve(self) -> None:
        """Work until the other process closes its end, which the system does for one that is killed."""
        while (told := read_frame(self._calls)) is not None:
            match told:
                case ProcessCall():
                    if told.surroundings is not None:
                        self._enter(told.surroundings)
                    if told.line not in self._lines:
                        waiting = self._lines[told.line] = queue.SimpleQueue()
                        threading.Thread(target=self._work, args=(waiting,), daemon=True).start()
                    self._lines[told.line].put(told)
                case LineEnd():
                    if (ended := self._lines.pop(told.line, None)) is not None:
                        ended.put(None)

    def _enter(self, told: ProcessState) -> None:
        if told.folder is not None:
            with contextlib.suppress(OSError):  # it is gone: an address that needs it says so by itself
                os.chdir(told.folder)
        for name in self._told - set(told.environment):
            os.environ.pop(name, None)
        os.environ.update(told.environment)
        self._told = set(told.environment)

    def _work(self, waiting: queue.SimpleQueue[ProcessCall | None]) -> None:
        while (call := waiting.get()) is not None:
            try:
                answer = ProcessAnswer(number=call.number, value=call.function(*call.args))
            except Exception as error:
                answer = _failed(call, error)
            with self._answering:
                try:
                    write_frame(self._answers, answer)
                except OSError:  # nobody is there any more
                    return
                except Exception as error:  # what was returned cannot be handed over
                    write_frame(self._answers, _failed(call, error))


def _failed(call: ProcessCall, error: Exception) -> ProcessAnswer:
    return ProcessAnswer(number=call.number, failure=MlflowFailure(fault_of(error), error_words(error, call.uri)))


def main() -> None:
    """Serve the process that started this one, and end with it, whatever a call is at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the one that was typed at
    if hasattr(os, "nice"):
        os.nice(_BEHIND)
    calls, answers = os.fdopen(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what MLflow prints belongs to nobody's screen, and not among the answers
        os.dup2(nothing, stream)
    try:
        MlflowProcessMain(calls, answers).serve()
    finally:
        os._exit(0)
