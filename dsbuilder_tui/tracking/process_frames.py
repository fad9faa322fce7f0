"""Calls and answers as this process and the one that speaks to MLflow hand them over: pickles with their length before them.

Both ends are dsbuilder, started by one another: nothing from elsewhere is ever unpickled.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import FileIO
from typing import Any, BinaryIO

from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What calls find around them: the folder that relative addresses start from (none where it is gone), and the environment."""

    folder: str | None
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCall:
    """A function of a module, to be called behind those before it on its line. ``surroundings`` where they have changed."""

    number: int
    line: str
    uri: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    surroundings: ProcessState | None


@dataclass(frozen=True, slots=True)
class LineEnd:
    """No more calls come on this line."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessAnswer:
    """What a call returned, or why it did not."""

    number: int
    value: Any = None
    failure: MlflowFailure | None = None


def write_frame(file: FileIO, told: ProcessCall | LineEnd | ProcessAnswer) -> None:
    """Hand over one. Raises ``OSError`` where the other end is gone, and what pickling raises, before anything is written."""
    text = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
    left = memoryview(_LENGTH.pack(len(text)) + text)
    while left:
        left = left[file.write(left) :]  # a pipe may take a part


def read_frame(file: BinaryIO) -> ProcessCall | LineEnd | ProcessAnswer | None:
    """The next one; None at the end, also at one in the midst of a frame."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    text = file.read(length)
    if len(text) < length:
        return None
    found: ProcessCall | LineEnd | ProcessAnswer = pickle.loads(text)
    return found
