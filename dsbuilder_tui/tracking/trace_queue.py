"""Model calls that wait to be logged as traces. In memory, with an upper bound: the oldest go first, and are counted.

Not in the session file, as the cases are: prompts stand nowhere in it, and would make each commit of a run several times as
large, for what helps to look into a run and is nobody's result.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from dsbuilder_tui.domain.traced_call import TracedCall

_MOST_CALLS = 5_000
_MOST_CHARACTERS = 16_000_000


class TraceQueue:
    """Takes calls in on the event loop, in next to no time; ``lost`` counts those that will not arrive."""

    def __init__(self, most_calls: int = _MOST_CALLS, most_characters: int = _MOST_CHARACTERS) -> None:
        self._calls: dict[str, TracedCall] = {}
        self._characters = 0
        self._most_calls, self._most_characters = most_calls, most_characters
        self.lost = 0

    def __len__(self) -> int:
        return len(self._calls)

    def put(self, call: TracedCall) -> None:
        """Add a call; where there is no room, the oldest ones make some."""
        self._calls[call.key] = call
        self._characters += call.size
        while len(self._calls) > self._most_calls or self._characters > self._most_characters:
            self._remove(next(iter(self._calls)))
            self.lost += 1

    def first(self, most: int) -> tuple[TracedCall, ...]:
        """The oldest calls, which stay until it is said what became of them."""
        return tuple(islice(self._calls.values(), most))

    def sent(self, calls: Iterable[TracedCall]) -> None:
        """These have arrived, also those that had to make room meanwhile."""
        for call in calls:
            if not self._remove(call.key):
                self.lost -= 1

    def lose(self, calls: Iterable[TracedCall]) -> None:
        """These will not arrive."""
        for call in calls:
            self.lost += self._remove(call.key)

    def _remove(self, key: str) -> bool:
        call = self._calls.pop(key, None)
        if call is not None:
            self._characters -= call.size
        return call is not None
