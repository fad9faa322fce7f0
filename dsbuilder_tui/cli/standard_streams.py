"""The standard streams of a process: there whatever it was started with, and at its end written to the last byte."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class _Unfailing(io.TextIOWrapper):
    """Standard error. When it takes nothing more there is nobody left to tell, and no reason to stop."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def open_standard_streams() -> None:
    """See to it that there are three, whatever whoever started the process has closed, and that telling of an error is none.

    Else a file that is opened later would become standard output, and be written into.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the process's life
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        binary = open(2, "wb", buffering=0, closefd=False)  # noqa: SIM115
        encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
        sys.stderr = _Unfailing(binary, encoding=encoding, errors="backslashreplace", write_through=True)


def show_any_character() -> None:
    """A character that a terminal cannot show must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_output() -> None:
    """What standard output did not take is dropped; the interpreter would complain of it in its own words."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: it is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
