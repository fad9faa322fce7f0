"""The worker calls in flight and the last that ended, for whoever watches. Kept in memory alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.events import RetryScheduled
from dsbuilder_tui.models.protocol import Thought

_MOST_ANSWER = 1024 * 1024  # bytes of an answer that are kept while its call goes on, as UTF-8
_MOST_SHOWN = 64 * 1024  # and once it has ended
_MOST_THOUGHTS = 16 * 1024  # characters of thoughts that are kept
_MOST_FINISHED = 100


@dataclass(slots=True)
class CallTrace:
    """One call of a worker, or of the judge, as it goes.

    ``started`` and ``ended`` are wall times, ``first_text`` seconds from the start.

    ``outcome`` is None while the call is in flight. After a retry the answer is that of the latest try.
    """

    batch: int
    worker: int
    category: str
    model: str
    slots: tuple[int, ...]
    attempt: int
    started: float
    role: CallRole = CallRole.WORKER
    system: str = ""
    prompt: str = ""
    answer_cut: bool = False
    retries: list[RetryScheduled] = field(default_factory=list)
    ended: float | None = None
    first_text: float | None = None
    outcome: CallOutcome | None = None
    arrivals: list[float] = field(default_factory=list)  # when each delivered case came, wall time
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False  # the tokens
    batched: bool = False  # made in a batch job, which costs less
    detail: str = ""
    _pieces: list[str] = field(default_factory=list)
    _room: int = _MOST_ANSWER
    _thoughts: list[str] = field(default_factory=list)
    _room_for_thoughts: int = _MOST_THOUGHTS

    @property
    def delivered(self) -> int:
        return len(self.arrivals)

    @property
    def answer(self) -> str:
        """What the model has written, as it came; the beginning of it when ``answer_cut``."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def receive(self, piece: str | Thought, now: float) -> None:
        """Take in what comes in the stream, at the wall time ``now``."""
        if self.first_text is None:
            self.first_text = now - self.started
        if isinstance(piece, Thought):
            self.thought(piece.text)
        else:
            self.heard(piece)

    def heard(self, piece: str) -> None:
        """Take in a piece of the answer. Costs next to nothing: there is one for every few words."""
        if self.answer_cut:
            return
        size = len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogatepass"))
        if size > self._room:
            piece = piece.encode("utf-8", "surrogatepass")[: self._room].decode("utf-8", "ignore")
            self.answer_cut = True
        self._room -= size
        self._pieces.append(piece)

    @property
    def thoughts(self) -> str:
        """What the model thought before it answered, where the endpoint keeps that apart; the beginning of it."""
        return "".join(self._thoughts)

    def thought(self, piece: str) -> None:
        """Take in a piece of the thoughts."""
        if self._room_for_thoughts > 0:
            self._thoughts.append(piece[: self._room_for_thoughts])
            self._room_for_thoughts -= len(piece)

    def shorten(self) -> None:
        """Keep of a long answer what is shown of a call that has ended."""
        whole = self.answer
        if len(whole) > _MOST_SHOWN:
            self._pieces, self._room, self.answer_cut = [whole[:_MOST_SHOWN]], 0, True

    def try_again(self) -> None:
        """Forget what a failed try has written."""
        self._thoughts, self._room_for_thoughts = [], _MOST_THOUGHTS
        self._pieces, self._room, self.answer_cut, self.first_text = [], _MOST_ANSWER, False, None


class CallLog:
    """The calls in flight, and the last 100 that ended. ``listeners`` are told of each that has ended."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[CallTrace], None]] = []
        self._open: dict[int, CallTrace] = {}
        self._ended: deque[CallTrace] = deque(maxlen=_MOST_FINISHED)

    def begin(self, trace: CallTrace) -> None:
        self._open[trace.batch] = trace

    def end(self, trace: CallTrace, now: float, outcome: CallOutcome) -> None:
        self._open.pop(trace.batch, None)
        trace.ended, trace.outcome = now, outcome
        self._ended.append(trace)
        for listener in self.listeners:
            listener(trace)

    def calls(self) -> list[CallTrace]:
        """Those in flight, then those that ended, each the newest first."""
        return [*reversed(self._open.values()), *reversed(self._ended)]
