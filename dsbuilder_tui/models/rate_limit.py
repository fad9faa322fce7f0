"""Keeping to a rate: a pace for requests, and an allowance for tokens, each as a generic cell rate algorithm (GCRA)."""

from __future__ import annotations

import math

_LATE = 0.03  # seconds by which a timer or a busy loop may be late without a request being lost for it
_TOKENS_AHEAD = 1.0  # seconds' worth of tokens that may be used at once
_SECONDS_A_MINUTE = 60.0
_A_TOKEN = 1.0
_CHARACTERS_A_TOKEN = 4.0
_TOKENS_A_CASE = 150.0  # before an answer was seen
_LEARNED = 0.2  # weight of the newest answer


class RequestPace:
    """Spaces requests evenly: so many a second, without bursts. Times are monotonic seconds."""

    def __init__(self, per_second: float = math.inf) -> None:
        self.per_second = per_second
        self._next = -math.inf

    def delay(self, now: float) -> float:
        """Seconds until the next request may be sent."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """Note that a request is sent."""
        self._next = max(self._next, now - _LATE) + 1.0 / self.per_second

    def change(self, per_second: float, now: float) -> None:
        """Go on at another rate; a wait that was reckoned with the old one is as long as the new one makes it."""
        if self._next > now:
            self._next = now + min(self._next - now, 1.0 / per_second)
        self.per_second = per_second


class TokenAllowance:
    """So many tokens a minute. Requests are charged what they are expected to use, and corrected when that is known.

    One that costs more than is left may go while anything is left; those after it wait until that is paid back, so that
    no request is too large to be sent, and the average holds.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / _SECONDS_A_MINUTE
        self._most = self._per_second * _TOKENS_AHEAD
        self._left, self._as_of = self._most, -math.inf

    def delay(self, now: float) -> float:
        """Seconds until the next request may be sent."""
        self._refill(now)
        return -self._left / self._per_second if self._left <= -_A_TOKEN else 0.0

    def take(self, tokens: int, now: float) -> None:
        """Charge a request that is sent, or, with a number below 0, give back what it did not use."""
        self._refill(now)
        self._left = min(self._most, self._left - tokens)

    def _refill(self, now: float) -> None:
        if now > self._as_of:
            earned = (now - self._as_of) * self._per_second
            self._left, self._as_of = min(self._most, self._left + earned), now


class TokenForecast:
    """How many tokens a request will use: its characters, and as many a case as the answers so far took."""

    def __init__(self) -> None:
        self._per_case = _TOKENS_A_CASE

    def expected(self, characters: int, cases: int) -> int:
        return int(characters / _CHARACTERS_A_TOKEN + cases * self._per_case)

    def learn(self, completion_tokens: int, cases: int) -> None:
        """Take in what an answer has used."""
        if completion_tokens > 0:
            self._per_case += _LEARNED * (completion_tokens / cases - self._per_case)


def pace_of(requests_per_minute: int | None) -> RequestPace:
    """The pace that a setting asks for; none when it is not set."""
    return RequestPace(requests_per_minute / _SECONDS_A_MINUTE if requests_per_minute else math.inf)
