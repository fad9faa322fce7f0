"""A lean reader of server-sent events (WHATWG HTML, section 9.2), for the `data` field only."""

from __future__ import annotations


class EventStreamDecoder:
    """Feed it bytes as they arrive; it returns the data of each event that has ended.

    Lines end with LF, CRLF or CR; several ``data`` lines of one event are joined with LF; comments and other fields
    are passed over. It splits bytes, never text, so a character cut in two by the network is whole again.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._data: list[bytes] = []
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        buffer = self._tail + chunk if self._tail else chunk
        if b"\r" in buffer:
            held = b"\r" if buffer.endswith(b"\r") else b""  # its LF may be in the next chunk
            buffer = buffer[: len(buffer) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        lines = buffer.split(b"\n")
        self._tail = lines.pop()
        return self._take(lines)

    def close(self) -> list[bytes]:
        """What is left when the connection ends, for servers that forget the last empty line."""
        lines, self._tail = [self._tail.rstrip(b"\r"), b""], b""
        return self._take(lines)

    def _take(self, lines: list[bytes]) -> list[bytes]:
        if self._first and lines:
            self._first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
            elif not line and self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data.clear()
        return events
