"""The turns of calls in a process of a node: so many are made at once, and the next begins when one of them ends.

The process keeps them; the driver, whose messages come there in their order, follows them and knows which calls have begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class CallTurn:
    """The turn of one call. ``decided`` is called once: with True when it is come, with False when it will not come."""

    decided: Callable[[bool], None]
    come: bool = False


class CallTurns:
    """Gives turns in the order of coming."""

    def __init__(self) -> None:
        self._at_once = 0
        self._inside: set[CallTurn] = set()
        self._waiting: deque[CallTurn] = deque()
        self._turned_away = False

    @property
    def inside(self) -> int:
        """Calls whose turn it is."""
        return len(self._inside)

    @property
    def waiting(self) -> int:
        """Calls whose turn is not yet come."""
        return len(self._waiting)

    def take(self, at_once: int, decided: Callable[[bool], None]) -> CallTurn:
        """A turn, as one of so many ``at_once`` from now on; with 0 it is come, whatever others wait for."""
        turn = CallTurn(decided)
        if not at_once:
            self._come(turn)
        elif self._turned_away:  # it was sent before, and overtaken on its way
            decided(False)
        else:
            self._at_once = at_once
            self._waiting.append(turn)
            self._let_in()
        return turn

    def end(self, turn: CallTurn) -> None:
        """A call has ended, or is not to be made any more."""
        if turn in self._inside:
            self._inside.discard(turn)
        elif turn in self._waiting:
            self._waiting.remove(turn)
        self._let_in()

    def turn_away(self) -> None:
        """None of those that wait, or come to wait, will have its turn."""
        self._turned_away = True
        while self._waiting:
            self._waiting.popleft().decided(False)

    def _let_in(self) -> None:
        while self._waiting and len(self._inside) < self._at_once:
            self._come(self._waiting.popleft())

    def _come(self, turn: CallTurn) -> None:
        self._inside.add(turn)
        turn.come = True
        turn.decided(True)
