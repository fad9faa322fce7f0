"""How many requests a second an endpoint takes, found out from which of them it refuses (429)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

_SPAN, _LONGEST_SPAN = 0.5, 3.0  # seconds of sending that one look takes in
_WINDOW = 1.0  # seconds: endpoints count by the second, and let a second's worth in at once
_ENOUGH, _FEWEST_SENT = 20, 6  # requests for a look: fewer where it would take longer than the longest span
_FEW, _FEWEST = 3, 2  # refusals below which nothing is concluded: in general, and about a rate that is only tried
_TOLERATED = 0.02  # share of refusals that is lived with
_CHANCE = 2.5  # standard deviations that are taken for chance
_CERTAIN = 8, 0.25, 0.2  # so many refusals, that share of them, after so many seconds: no need to look any longer
_DEEPEST_CUT = 0.5  # a short look may have fallen into a gap
_MARGIN = 0.97  # of what an endpoint was seen to take
_FIRST_STEP, _LARGEST_STEP = 0.04, 0.5  # by how much the rate grows when it is tried whether there is more
_FEWEST_HELD, _MOST_HELD = 40, 120  # requests between two such tries
_HOLD, _LONGEST_HOLD = 7.0, 60.0  # seconds between two of them, in the end
_MORE = 1.1  # a try that raised the rate to this multiple found something, and the next comes soon
_USED = 0.7  # share of the rate that must be used before it is raised
_MOST_KEPT = 4096
_MUCH_SLOWER = 0.8  # at this share of a rate its refusals would have ended if they hung on the rate;
_STILL_REFUSED = 0.1  # where this share of those is left, they do not
_SAMPLE = 60  # requests to tell that from
_CLEAN = 0.015  # share of refusals that is as good as none
_MOST_BACKGROUND = 0.4
_AS_MANY = 1.5  # times as many refusals may be chance
_SLOWEST = 0.02  # requests a second
_SHORTEST = 1e-3  # seconds


class _Outcome(Enum):
    PENDING, ADMITTED, REFUSED, FAILED = range(4)


@dataclass(slots=True)
class SentRequest:
    """A request that is on its way, or was; ``at`` is when it was sent, in monotonic seconds."""

    at: float
    outcome: _Outcome = _Outcome.PENDING


class _Mode(Enum):
    UNPACED, HOLDING, PROBING = range(3)


@dataclass(frozen=True, slots=True)
class _Look:
    sent: int
    refused: int
    seconds: float

    @property
    def share(self) -> float:
        return self.refused / self.sent if self.sent else 0.0

    def __add__(self, other: _Look) -> _Look:
        return _Look(self.sent + other.sent, self.refused + other.refused, self.seconds + other.seconds)

    @property
    def offered(self) -> float:
        return self.sent / self.seconds

    @property
    def taken(self) -> float:
        return (self.sent - self.refused) / self.seconds


_NOTHING = _Look(0, 0, 0.0)


@dataclass(slots=True)
class _Doubted:
    """Refusals that may hang on the rate or not: what share there was at a rate, and is since it is slower."""

    rate: float
    restored: float  # the pace to go back to if they do not
    share: float
    near: _Look = _NOTHING  # since then, at about that rate
    slower: _Look = _NOTHING


class AdaptiveRate:
    """Estimates the rate that an endpoint takes; ``per_second`` is how fast to send now, infinite while nothing says less.

    Refusals make it send as fast as requests were seen to be taken; then it tries again and again, first by little and
    then by more, whether there is more. Refusals that a slower pace does not lessen have another cause (a crowded server
    turns away every tenth, whoever asks): they are taken for granted from then on, and the pace is what it was before.
    """

    def __init__(self) -> None:
        self.per_second = math.inf
        self.background = 0.0  # share of refusals that does not hang on the rate
        self._most_background = 0.0  # of it, as far as it was seen where the rate was no cause
        self._mode = _Mode.UNPACED
        self._sent: deque[SentRequest] = deque(maxlen=_MOST_KEPT)
        self._since = -math.inf  # what was sent before says nothing about the rate of now
        self._refused_after = 0.0  # seconds that a refusal takes to arrive
        self._refused = 0  # since then
        self._proven = self._last_good = self._step = (
            0.0  # the rate before a try for more, and the last that went well in it
        )
        self._hold_until = -math.inf
        self._held = _FEWEST_HELD
        self._at_this_rate = _NOTHING
        self._doubted: _Doubted | None = None

    def sent(self, now: float) -> SentRequest:
        """Note a request that is sent."""
        if self._since == -math.inf:
            self._since = now
        request = SentRequest(now)
        self._sent.append(request)
        return request

    def admitted(self, request: SentRequest, now: float) -> None:
        """Note that a request was let in."""
        request.outcome = _Outcome.ADMITTED
        self._review(now)

    def failed(self, request: SentRequest) -> None:
        """Note that a request ended in a way that says nothing about the rate."""
        request.outcome = _Outcome.FAILED

    def refused(self, request: SentRequest, now: float) -> None:
        """Note a 429."""
        request.outcome = _Outcome.REFUSED
        took = now - request.at
        self._refused_after = took if not self._refused_after else 0.8 * self._refused_after + 0.2 * took
        if request.at >= self._since:
            self._refused += 1
            self._review(now, hurried=True)

    def restart(self, per_second: float, now: float) -> None:
        """Begin again at this rate, after a time in which nothing was taken."""
        self._set(max(per_second, _SLOWEST))
        self._held = min(2 * self._held, _MOST_HELD)
        self._hold(now)

    def last_unrefused(self, now: float) -> float:
        """When the last request was sent that would have been refused by now, had it been to be refused."""
        until = now - 1.5 * self._refused_after
        kept = (_Outcome.PENDING, _Outcome.ADMITTED)
        return next((r.at for r in reversed(self._sent) if r.outcome in kept and r.at < until), -math.inf)

    # -- looking

    def _review(self, now: float, *, hurried: bool = False) -> None:
        # Refusals come sooner than answers do: what could have been refused by now and was not, is in.
        until = now - 1.5 * self._refused_after
        seconds = until - self._since
        enough, share, certain_after = _CERTAIN
        if self._mode is _Mode.PROBING:
            enough = _FEWEST
        if seconds < _SPAN and not (hurried and self._refused >= enough and seconds >= certain_after):
            return
        look = self._look(self._since, until)
        probing = self._mode is _Mode.PROBING
        certain = look.refused >= enough and look.share >= (self._tolerated(look.sent) if probing else share)
        longest = max(_LONGEST_SPAN, _FEWEST_SENT / self.per_second)
        if (seconds < (_WINDOW if probing else _SPAN) or look.sent < _ENOUGH) and seconds < longest and not certain:
            return
        self._conclude(look, now)

    def _look(self, since: float, until: float) -> _Look:
        sent = refused = 0
        for request in reversed(self._sent):
            if request.at < since:
                break
            if request.outcome is _Outcome.FAILED or request.at > until:
                continue
            sent += 1
            refused += request.outcome is _Outcome.REFUSED
        return _Look(sent, refused, max(until - since, _SHORTEST))

    def _conclude(self, look: _Look, now: float) -> None:
        if self._doubted is not None and self._settle_doubt(self._doubted, look):
            self._hold(now)
            return
        probing = self._mode is _Mode.PROBING
        limited = look.refused >= (_FEWEST if probing else _FEW) and look.share > self._tolerated(look.sent)
        if not limited and not self._refuses_slightly(look):
            self._clean(look, now)
        elif probing:
            self._give_up_probe(look, now)
        else:
            self._cut(look, now)
        self._since, self._refused = now, 0

    def _refuses_slightly(self, look: _Look) -> bool:
        """Whether a pace is a little too fast, as it takes more than one look to see."""
        if self._mode is _Mode.UNPACED or self.background > _TOLERATED:
            return False
        self._at_this_rate += look
        known = self._at_this_rate
        if self._mode is _Mode.PROBING:
            return known.refused >= _FEWEST and known.share > _CLEAN
        return known.sent >= _SAMPLE and known.refused >= _FEW and known.share > _CLEAN

    def _tolerated(self, sent: int) -> float:
        usual = max(self.background, _TOLERATED)
        noise = _CHANCE * math.sqrt(usual * (1 - usual) / max(1, sent))
        return self.background + noise + _TOLERATED

    # -- moving

    def _cut(self, look: _Look, now: float) -> None:
        share = max(look.share, self._at_this_rate.share)
        if self._doubted is None and share <= _MOST_BACKGROUND:
            self._doubted = _Doubted(look.offered, self.per_second, share)
        self._held = max(_FEWEST_HELD, self._held // 2)
        until = now - 1.5 * self._refused_after
        taken = look.taken
        if look.seconds < _WINDOW:
            taken = self._look(max(until - _WINDOW, self._sent[0].at), until).taken
        if look.offered < _USED * self.per_second < math.inf:  # it was sent in bursts, each as fast as this
            taken = max(taken, self.per_second * (1 - look.share))
        found = _MARGIN * taken / (1 - self.background)
        self._set(max(found, _DEEPEST_CUT * min(look.offered, self.per_second), _SLOWEST))
        self._hold(now)

    def _settle_doubt(self, doubted: _Doubted, look: _Look) -> bool:
        """Whether it turns out that refusals have nothing to do with the rate, which is then what it was before."""
        if self.per_second > _MUCH_SLOWER * doubted.rate:
            doubted.near += look
            if doubted.near.sent >= _SAMPLE and doubted.near.share < _CLEAN:
                self._doubted = None
            return False
        doubted.slower += look
        if doubted.slower.sent < _SAMPLE:
            return False
        self._doubted = None
        # If the rate were what they hang on, so many would be left.
        expected = max(0.0, 1 - doubted.rate * (1 - doubted.share) / doubted.slower.offered)
        least = max(_TOLERATED, expected + _STILL_REFUSED * (doubted.share - expected))
        # More than before means that a reserve was used up meanwhile, so they do hang on the rate.
        if not least <= doubted.slower.share <= min(_MOST_BACKGROUND, _AS_MANY * doubted.share + _TOLERATED):
            return False
        self.background = self._most_background = doubted.slower.share
        self._set(doubted.restored)
        return True

    def _clean(self, look: _Look, now: float) -> None:
        if self.background:
            self.background += 0.1 * (look.share - self.background)
            if self._mode is not _Mode.UNPACED:  # what is more than was seen at a slower pace may hang on the rate
                self.background = min(self.background, self._most_background)
        used = look.offered >= _USED * self.per_second
        if self._mode is _Mode.PROBING and look.sent >= _FEW:
            if not used:
                if look.offered * 2 < self.per_second:  # something else is the limit
                    self._set(math.inf)
                    self._mode = _Mode.UNPACED
                return
            if look.share > self.background + _CLEAN:
                return
            self._last_good = self.per_second
            self._step = min(_LARGEST_STEP, 2 * self._step)
            self._set(self.per_second * (1 + self._step))
        elif self._mode is _Mode.HOLDING and now >= self._hold_until:
            self._mode, self._step = _Mode.PROBING, _FIRST_STEP
            self._proven = self._last_good = self.per_second
            self._set(self.per_second * (1 + self._step))

    def _give_up_probe(self, look: _Look, now: float) -> None:
        until = now - 1.5 * self._refused_after
        since = [r.outcome for r in self._sent if self._since <= r.at <= until and r.outcome is not _Outcome.FAILED]
        after = since[since.index(_Outcome.REFUSED) :] if _Outcome.REFUSED in since else since
        taken = self.per_second * (1 - after.count(_Outcome.REFUSED) / max(1, len(after)))
        if not taken:  # a window is used up: what it holds is what came before
            taken = self._look(max(until - _WINDOW, self._sent[0].at), until).taken
        found = _MARGIN * taken / (1 - self.background)
        self._set(min(max(found, self._proven), max(self._proven, _MARGIN * self._last_good)))
        more = self.per_second > _MORE * self._proven
        self._held = _FEWEST_HELD if more else min(2 * self._held, _MOST_HELD)
        self._hold(now)

    def _hold(self, now: float) -> None:
        self._mode = _Mode.UNPACED if math.isinf(self.per_second) else _Mode.HOLDING
        self._since, self._refused = now, 0
        seconds = self._held / self.per_second
        if self._held == _MOST_HELD:
            seconds = max(_HOLD, seconds)
        self._hold_until = now + min(seconds, _LONGEST_HOLD)

    def _set(self, per_second: float) -> None:
        self.per_second = per_second
        self._at_this_rate = _NOTHING
