"""Limits as an endpoint's headers tell them: how many requests and tokens are left, and until when.

OpenAI's ``x-ratelimit-remaining-requests``, Anthropic's ``anthropic-ratelimit-…``, and ``ratelimit-…`` as the
IETF drafts have it, in fields of their own or in one. The unit of a limit is told by none of them, so what counts is what
is left and until when.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dsbuilder_tui.models.error_report import duration_seconds
from dsbuilder_tui.models.rate_limit import RequestPace

_LONGEST = 120.0  # seconds: what is left until later need not be spread evenly, it is there to be used
_LONGEST_WAIT = 300.0  # seconds until a reset that are waited for without being refused
_MINUTE = 60.0
_LEAST = 0.5  # share of a limit by the minute that may be used whatever is said to be left
_SHORTEST, _ROUNDED = 0.02, 0.5  # seconds; … that may be missing from whole ones
_MOST_EMPTY = 2  # times that nothing at all was left after a wait: then it means nothing
_EPOCH, _EPOCH_MS = 1e9, 1e12  # a larger number of seconds is a date
_NUMBER = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)(?![\w.])")
_PARAMETER = re.compile(r"(?:^|[;,\s])(r|t|q|w|limit|remaining|reset)\s*=\s*(\d{1,15})(?!\w)", re.I)
_NAMES = {
    "requests": (
        "x-ratelimit-{}-requests", "anthropic-ratelimit-requests-{}", "ratelimit-{}", "x-ratelimit-{}", "x-rate-limit-{}",
    ),
    "tokens": (
        "x-ratelimit-{}-tokens", "anthropic-ratelimit-tokens-{}", "anthropic-ratelimit-output-tokens-{}",
        "anthropic-ratelimit-input-tokens-{}",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many are ``left`` of ``limit`` (None: not told) until it is whole again, in so many seconds (None: not told)."""

    limit: float | None
    left: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Advertised:
    """What one answer's headers say."""

    requests: Allowance | None = None
    tokens: Allowance | None = None

    @property
    def words(self) -> str:
        """For a person, such as ``600 requests, 90,000 tokens``; empty when nothing is told."""
        told = ((self.requests, "requests"), (self.tokens, "tokens"))
        return ", ".join(f"{each.limit:,.0f} {name}" for each, name in told if each is not None and each.limit)


def read_limits(headers: Mapping[str, str], now: datetime | None = None) -> Advertised:
    """The limits in an answer's headers; what is nonsense is left out. ``now`` is for dates without one beside them."""
    lower = {str(name).lower(): str(value) for name, value in headers.items() if "rate" in str(name).lower()}
    if not lower:
        return Advertised()
    date = _date(headers.get("date") or headers.get("Date") or "") or now or datetime.now(UTC)
    return Advertised(_structured(lower) or _allowance(lower, "requests", date), _allowance(lower, "tokens", date))


def _allowance(headers: Mapping[str, str], kind: str, now: datetime) -> Allowance | None:
    """The one of which the least is left, where several are told."""
    found = []
    for name in _NAMES[kind]:
        left, limit = _number(headers.get(name.format("remaining"))), _number(headers.get(name.format("limit")))
        if left is not None and (limit is None or 0 < limit >= left):
            found.append(Allowance(limit, left, _seconds(headers.get(name.format("reset")), now)))
    return min(found, key=lambda each: each.left / each.limit if each.limit else 1.0, default=None)


def _structured(headers: Mapping[str, str]) -> Allowance | None:
    """``RateLimit: "default";r=50;t=30`` with ``RateLimit-Policy: "default";q=100;w=60``, or all in one with longer names."""
    own = {name.lower(): float(value) for name, value in _PARAMETER.findall(headers.get("ratelimit", ""))}
    policy = {name.lower(): float(value) for name, value in _PARAMETER.findall(headers.get("ratelimit-policy", ""))}
    left = own.get("r", own.get("remaining"))
    limit = own.get("limit", own.get("q", policy.get("q")))
    if left is None or (limit is not None and not 0 < limit >= left):
        return None
    return Allowance(limit, left, own.get("t", own.get("reset")))


def _number(value: str | None) -> float | None:
    found = _NUMBER.match(value or "")
    return float(found[1]) if found else None


def _seconds(value: str | None, now: datetime) -> float | None:
    """Seconds of ``6m0s``, ``20ms``, ``59``, or until a date in any of the usual ways to write one."""
    text = (value or "").strip()
    if not text:
        return None
    number = duration_seconds(text)
    if number is not None and math.isfinite(number):
        if number < _EPOCH:
            return number
        return max(0.0, (number / 1000 if number >= _EPOCH_MS else number) - now.timestamp())
    moment = _date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _date(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text.strip())
        except (TypeError, ValueError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


class AdvertisedLimits:
    """Keeps to what the headers said last: what is left is spread over the time until it is whole again.

    For a limit by windows that is exact; with one that is refilled all the time it comes to rest at its rate. Where nothing is
    left, nothing is sent until the reset. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self.last = Advertised()
        self._pace = RequestPace()
        self._blocked_until = -math.inf
        self._empty = 0  # answers in a row that said so, after each wait
        self._tokens_a_call = 0.0

    def read(self, headers: Mapping[str, str], now: float) -> None:
        """Take in the headers of an answer, or of a refusal, that came in now."""
        self.take_in(read_limits(headers), now)

    def take_in(self, told: Advertised, now: float) -> None:
        """Take in what the headers of an answer said that came in now."""
        if told.requests is None and told.tokens is None:
            return
        self.last = told
        paces = [_pace(told.requests, 1.0), _pace(told.tokens, max(1.0, self._tokens_a_call))]
        self._pace.change(min(paces), now)
        waits = [_wait(told.requests), _wait(told.tokens)]
        if not any(waits):
            self._empty = 0
        elif now >= self._blocked_until and self._empty <= _MOST_EMPTY:
            self._empty += 1
            if self._empty <= _MOST_EMPTY:
                self._blocked_until = now + max(waits)

    def delay(self, now: float) -> float:
        """Seconds until the next request may be sent."""
        return max(0.0, self._blocked_until - now, self._pace.delay(now))

    def take(self, tokens: int, now: float) -> None:
        """Note that a request is sent, which is expected to use so many tokens."""
        self._pace.take(now)
        self._tokens_a_call += 0.1 * (tokens - self._tokens_a_call) if self._tokens_a_call else tokens


def _pace(allowance: Allowance | None, a_call: float) -> float:
    """Calls a second that what is left is enough for."""
    if allowance is None or allowance.seconds is None or allowance.seconds > _LONGEST or not allowance.left:
        return math.inf
    least = _LEAST * (allowance.limit or 0.0) / _MINUTE
    return max(allowance.left / max(_until(allowance.seconds), _SHORTEST), least) / a_call


def _wait(allowance: Allowance | None) -> float:
    if allowance is None or allowance.left >= 1 or allowance.seconds is None or allowance.seconds > _LONGEST_WAIT:
        return 0.0
    return _until(allowance.seconds)


def _until(seconds: float) -> float:
    return seconds + _ROUNDED if seconds == int(seconds) else seconds
