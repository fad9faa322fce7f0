"""A real program in a real pseudo-terminal: what it writes, as control sequences and as the screen that they make."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pexpect
from rich.cells import cell_len

from tests.support.process import COMMAND, ROOT

_SEQUENCE = re.compile(
    r"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\x1b(?P<string>[\]PX^_])(?P<body>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<esc>[ -/]*[0-OQ-WYZ`-~])"
    r"|(?P<c0>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<c1>[\x80-\x9f])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
_STRINGS = {"]": "osc", "P": "dcs", "X": "sos", "^": "pm", "_": "apc"}
# Escape is written the way the kitty protocol has it, so that what follows cannot be taken for its rest.
KEYS = {
    "enter": "\r", "escape": "\x1b[27u", "tab": "\t", "backspace": "\x7f", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C",
    "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F", "delete": "\x1b[3~", "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR",
    "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~", "space": " ", "slash": "/",
}  # fmt: skip


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Output as (kind, body): text, csi, osc, dcs, apc, pm, sos, esc, c0, c1; a broken sequence is ``rest``."""
    place = 0
    while place < len(text):
        found = _SEQUENCE.match(text, place)
        if found is None:
            yield "rest", text[place:]
            return
        place = found.end()
        if found["string"]:
            yield _STRINGS[found["string"]], found["body"]
        else:
            kind = str(found.lastgroup)
            yield kind, found[kind]


class Grid:
    """As much of a terminal as Textual uses: cursor addressing, text, modes, two screens."""

    def __init__(self, rows: int, columns: int) -> None:
        self.modes: set[str] = set()
        self._joined = False
        self.keyboards = 0  # how often the kitty keyboard protocol is on
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.clear()

    def clear(self) -> None:
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def take(self, kind: str, body: str) -> None:
        if kind == "text":
            for character in body:
                self._put(character)
        elif kind == "c0":
            if body == "\r":
                self.column = 0
            elif body == "\n":
                self.row += 1
                if self.row >= self.rows:
                    self.cells = [*self.cells[1:], [" "] * self.columns]
                    self.row = self.rows - 1
        elif kind == "csi":
            self._control(body)

    def _put(self, character: str) -> None:
        size = 0 if self._joined else cell_len(character)
        self._joined = character == "\u200d"  # a sequence of emoji is one
        if size and self.row < self.rows and self.column + size <= self.columns:
            self.cells[self.row][self.column] = character
            for extra in range(1, size):
                self.cells[self.row][self.column + extra] = ""
        self.column += size

    def _control(self, body: str) -> None:
        if body[-1] == "H":
            row, _, column = body[:-1].partition(";")
            self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
        elif body[-1] in "hl" and body[0] == "?":
            for mode in body[1:-1].split(";"):
                (self.modes.add if body[-1] == "h" else self.modes.discard)(mode)
            if "1049" in body:
                self.clear()
        elif body[-1] == "u":
            self.keyboards += {">": 1, "<": -1}.get(body[0], 0)
        elif body == "2J":
            self.clear()


class Terminal:
    """Runs a command (by default ``dsbuilder …``) in a pseudo-terminal. Wait for what it shows, never for time."""

    def __init__(
        self, *arguments: str, rows: int = 36, columns: int = 120, argv: Sequence[str] | None = None, **env: str
    ) -> None:
        whole = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        for name in ("COLUMNS", "LINES"):  # the size is that of the terminal
            whole.pop(name, None)
        if "NO_COLOR" not in env:
            whole.pop("NO_COLOR", None)
        command = [*(argv or COMMAND), *arguments]
        self.child = pexpect.spawn(
            command[0], command[1:], cwd=str(Path.cwd()), env=whole, dimensions=(rows, columns), timeout=60
        )
        self.child.delaybeforesend = None
        self.child.delayafterclose = self.child.delayafterterminate = 0
        self.grid = Grid(rows, columns)
        self.raw = ""
        self.ended = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._open = ""  # the beginning of a sequence whose end has not come yet

    @property
    def screen(self) -> str:
        return self.grid.text

    @property
    def plain(self) -> str:
        """All that was written, without control sequences."""
        return "".join(body if kind in ("text", "c0") else "" for kind, body in tokens(self.raw))

    def read(self, patience: float = 0.1) -> bool:
        """Take in what has been written; says whether there was anything."""
        try:
            data = self.child.read_nonblocking(65536, patience)
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            self.ended = True
            return False
        text = self._decoder.decode(data)
        self.raw += text
        whole, self._open = self._open + text, ""
        for kind, body in tokens(whole):
            if kind == "rest":
                self._open = body
            else:
                self.grid.take(kind, body)
        return True

    def wait(self, wanted: str | Callable[[str], object], patience: float = 60.0) -> str:
        """Until the screen holds a text (or meets a condition); returns the screen. Fails with what is there instead."""
        meets = (lambda screen: wanted in screen) if isinstance(wanted, str) else wanted
        end = time.monotonic() + patience
        while not meets(self.screen):
            if self.ended or time.monotonic() > end:
                raise AssertionError(
                    f"{wanted!r} did not appear; ended: {self.ended}\n{self.screen}\n{self.plain[-2000:]}"
                )
            self.read()
        return self.screen

    def leave(self, key: str, gone: str) -> None:
        """Press a key that takes something away, and wait until it is gone: what is typed next is for what is below."""
        self.press(key)
        self.wait(lambda screen: gone not in screen)

    def insist(self, key: str, wanted: str) -> None:
        """Press a key until it has done what it does: one that comes before the screen has the keys goes nowhere."""
        for _ in range(19):
            self.press(key)
            with contextlib.suppress(AssertionError):
                self.wait(wanted, patience=3.0)
                return
        self.wait(wanted)

    def until(self, wanted: str, patience: float = 60.0) -> str:
        """Until a text was written anywhere in the output, as plain lines are; returns all of it."""
        end = time.monotonic() + patience
        while wanted not in self.plain:
            if self.ended or time.monotonic() > end:
                raise AssertionError(f"{wanted!r} was not written; ended: {self.ended}\n{self.plain[-3000:]}")
            self.read()
        return self.plain

    def press(self, *keys: str) -> None:
        """Keys by name (``enter``, ``f2``, ``ctrl+p``) or as the text that they type."""
        for key in keys:
            if key.startswith("ctrl+"):
                self.child.send(chr(ord(key[-1]) & 0x1F))
            else:
                self.child.send(KEYS.get(key, key))

    def paste(self, text: str) -> None:
        self.child.send(f"\x1b[200~{text}\x1b[201~")

    def click(self, row: int, column: int) -> None:
        """Press and release the left button on a cell, counted from 0."""
        at = f"{column + 1};{row + 1}"
        self.child.send(f"\x1b[<35;{at}M\x1b[<0;{at}M\x1b[<0;{at}m")

    def resize(self, rows: int, columns: int) -> None:
        self.read()
        self.grid.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def finish(self, patience: float = 60.0) -> int | None:
        """Read to the end of the output; returns the exit code, or minus the signal that ended the process."""
        end = time.monotonic() + patience
        while not self.ended:
            assert time.monotonic() < end, f"it does not end\n{self.screen}\n{self.plain[-2000:]}"
            self.read()
        self.child.wait()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def hang_up(self) -> int:
        """Close the terminal's other end, as the window does that is closed; returns how the process ended by itself."""
        # Once, and through the object that owns it: its number may be another file's by the time that one is collected.
        self.child.ptyproc.fileobj.close()
        _, status = os.waitpid(self.child.pid, 0)
        self.child.ptyproc.terminated = self.child.ptyproc.closed = True
        self.child.ptyproc.fd = self.child.child_fd = -1
        self.child.terminated = self.child.closed = True
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Make an end of it, whatever state it is in."""
        if not self.child.closed:
            self.child.close(force=True)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def left_on(self) -> set[str]:
        """Modes that a program must not leave behind: alternate screen, mouse, focus reports, bracketed paste …"""
        kept = self.grid.modes & {
            "1049",
            "1000",
            "1002",
            "1003",
            "1004",
            "1006",
            "1015",
            "1016",
            "2004",
            "2048",
            "2026",
        }
        hidden = {"cursor hidden"} if "?25l" in self.raw and self.raw.rfind("?25h") < self.raw.rfind("?25l") else set()
        wrapping = {"no wrap"} if "?7l" in self.raw and self.raw.rfind("?7h") < self.raw.rfind("?7l") else set()
        keyboard = {"kitty keyboard"} if self.grid.keyboards > 0 else set()
        return kept | hidden | wrapping | keyboard


def python(script: str | Path, *arguments: str) -> list[str]:
    """A command that runs one of our own scripts with this interpreter."""
    return [sys.executable, str(script), *arguments]
