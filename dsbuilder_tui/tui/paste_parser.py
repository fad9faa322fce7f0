"""Pasted text reaches the app as text alone, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
ESCAPE_PICTURE = "␛"


class PasteParser(XTermParser):
    """Textual's reader of terminal input, with the escapes inside a paste written as ``␛``.

    Textual 8 takes an escape sequence inside a paste for keys that were pressed, so that ``ESC ] … Enter`` in a text
    from elsewhere would answer a card. Most terminals take escapes out of a paste, tmux and others do not.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasting = False
        self._read = ""  # the last characters that went through: a mark may come in pieces
        self._held = ""  # in a paste, what may be the beginning of the mark of its end

    def feed(self, data: str) -> Iterable[Message]:
        """The events in the next piece of input; an empty piece is the end of it."""
        return super().feed(safe) if (safe := self._without_escapes(data)) or not data else ()

    def _without_escapes(self, data: str) -> str:
        parts = []
        while data:
            if self._pasting:
                text, mark, data = (self._held + data).partition(_END)
                self._held = "" if mark else _begun(text)
                parts.append(text.removesuffix(self._held).replace("\x1b", ESCAPE_PICTURE) + mark)
                self._pasting = not mark
            else:
                before, mark, after = (self._read + data).partition(_BEGIN)
                passed = len(before + mark) - len(self._read)
                parts.append(data[:passed])
                self._read = "" if mark else before[1 - len(_BEGIN) :]
                self._pasting, data = bool(mark), after
        return "".join(parts)


def _begun(text: str) -> str:
    """What may be the beginning of the mark of a paste's end, at the end of a text."""
    return next((_END[:size] for size in range(len(_END) - 1, 0, -1) if text.endswith(_END[:size])), "")
