"""A lean reader of server-sent events (WHATWG HTML, section 9.2): the data of each, and what is said of an error."""

from __future__ import annotations

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.protocol import TransientError

MOST_EVENT_BYTES = 8 * 1024 * 1024  # of one event; the longest answers come whole, in one of some hundred kilobytes
_FIELDS = (b"data", b"event", b"id", b"retry", b"error", b":")


def is_event_stream(head: bytes) -> bool:
    """Whether a body that begins so is a stream of events. An empty one is, too: with none in it."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return not start or start.startswith(_FIELDS)


class EventStreamDecoder:
    """Feed it bytes as they arrive; it returns the data of each event that has ended.

    Takes time in proportion to what comes, however it is cut, and raises ``TransientError`` when an event is longer than
    8 MB: a line without an end would have to fit into memory.

    Lines end with LF, CRLF or CR; several ``data`` lines of one event are joined with LF; comments and other fields
    are passed over. It splits bytes, never text, so a character cut in two by the network is whole again.

    ``error`` is what an event of the type ``error`` holds, or a field of that name, or a line that is a bare JSON object:
    servers that fail in mid-stream are not choosy. Nothing behind it is returned.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []  # pieces of the line that has not ended
        self._data: list[bytes] = []
        self._waiting = self._held = 0  # bytes of the one, and of the lines of the other
        self._first = True
        self._failed = False
        self.error: bytes | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        if b"\n" not in chunk and b"\r" not in chunk and not (self._tail and self._tail[-1].endswith(b"\r")):
            self._tail.append(chunk)
            self._waiting += len(chunk)
            self._bound()
            return []
        buffer = b"".join((*self._tail, chunk)) if self._tail else chunk
        if b"\r" in buffer:
            held = b"\r" if buffer.endswith(b"\r") else b""  # its LF may be in the next chunk
            buffer = buffer[: len(buffer) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        lines = buffer.split(b"\n")
        rest = lines.pop()
        self._tail = [rest] if rest else []
        events = self._take(lines)
        self._waiting = len(rest)
        self._bound()
        return events

    @property
    def waiting(self) -> int:
        """The bytes of an event that has not ended."""
        return self._waiting + self._held

    def drop(self) -> None:
        """Let go of what waits for its end."""
        self._tail.clear()
        self._data.clear()

    def _bound(self) -> None:
        if self.waiting > MOST_EVENT_BYTES:
            raise TransientError(
                FailureKind.SERVER, f"the endpoint sent an event longer than {MOST_EVENT_BYTES // 2**20} MB"
            )

    def close(self) -> list[bytes]:
        """What is left when the connection ends, for servers that forget the last empty line."""
        lines, self._tail = [b"".join(self._tail).rstrip(b"\r"), b""], []
        return self._take(lines)

    def _take(self, lines: list[bytes]) -> list[bytes]:
        if self._first and lines:
            self._first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data"):
                self._held += len(line)
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
            elif not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data.clear()
                    self._held = 0
                if self._failed:
                    self.error = events.pop() if events else b""
            elif line.startswith((b"event:", b"error:", b"{")):
                self._failed = self._failed or line[6:].strip() == b"error"
                if not line.startswith(b"event:"):
                    self.error = line.removeprefix(b"error:").strip()
            if self.error is not None:
                break
        return events
