"""A lean reader of server-sent events (WHATWG HTML, section 9.2): the data of each, and what is said of an error."""

from __future__ import annotations

_FIELDS = (b"data", b"event", b"id", b"retry", b"error", b":")


def is_event_stream(head: bytes) -> bool:
    """Whether a body that begins so is a stream of events. An empty one is, too: with none in it."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return not start or start.startswith(_FIELDS)


class EventStreamDecoder:
    """Feed it bytes as they arrive; it returns the data of each event that has ended.

    Lines end with LF, CRLF or CR; several ``data`` lines of one event are joined with LF; comments and other fields
    are passed over. It splits bytes, never text, so a character cut in two by the network is whole again.

    ``error`` is what an event of the type ``error`` holds, or a field of that name, or a line that is a bare JSON object:
    servers that fail in mid-stream are not choosy. Nothing behind it is returned.
    """

    def __init__(self) -> None:
        self._tail = b""
        self._data: list[bytes] = []
        self._first = True
        self._failed = False
        self.error: bytes | None = None

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
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
            elif not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data.clear()
                if self._failed:
                    self.error = events.pop() if events else b""
            elif line.startswith((b"event:", b"error:", b"{")):
                self._failed = self._failed or line[6:].strip() == b"error"
                if not line.startswith(b"event:"):
                    self.error = line.removeprefix(b"error:").strip()
            if self.error is not None:
                break
        return events
