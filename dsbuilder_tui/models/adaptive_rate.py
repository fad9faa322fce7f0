"""How many requests a second an endpoint takes, found out from which of them it refuses (429)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from itertools import takewhile

# Looking
_SPAN, _LONGEST_SPAN = 0.5, 3.0  # seconds of sending that one look takes in
_ENOUGH, _FEWEST_SENT = 20, 6  # requests for a look: fewer where it would take longer than the longest span
_GAP, _GAP_OF_CALLS = 6.0, 3.0  # seconds, and requests at the rate, that were not sent
_CERTAIN, _CERTAIN_AFTER = 8, 0.2  # so many refusals, after so many seconds: no need to look any longer
_MOST_KEPT = 4096
# Telling refusals that mean something from those of chance: log likelihoods of the one against the other
_LEAST_CHANCE = 0.005  # share of refusals that there may always be
_EXCESS, _EXCESS_OF_CHANCE = 0.035, 0.7  # what is looked for beyond chance: a share of its own, or of chance
_PROOF, _PROOF_IN_PROBE = 5.0, 3.0
_DOUBT_PROOF, _DOUBT_SAMPLE, _LARGEST_DOUBT_SAMPLE = 3.5, 80, 160
_LONG = 20.0  # seconds in which less than the largest sample has to be enough
_MOST_DOUBTED = 0.3  # share of refusals that chance is thought capable of
_MUCH = 0.22  # … at once: more has to be seen twice
_AS_MANY = 1.5  # times as many refusals may be the same
_CHANCE = 2.5  # standard deviations that are taken for chance
_NEARLY = 0.93  # share of a pace at which it was not too fast
_MOST_CALM = 1000  # requests that chance is reckoned from
_FIRST_RECHECK, _LAST_RECHECK = 10.0, 120.0  # seconds after which it is tried whether refusals still are by chance
_WORTH_CHECKING, _RECHECK_CUT = 0.01, 0.05
# Moving
_WINDOW, _LONGEST_WINDOW = 1.0, 300.0  # seconds: endpoints count by the second, and let a second's worth in at once
_MOST_OF_WINDOW = 0.8  # a longer stop shows that the window is longer than it was thought to be
_MARGIN = 0.97  # of what an endpoint was seen to take
_DEEP_CUT = 0.7  # after which all that was thought of chance is thought over
_DEEPEST_CUT = 0.5  # a short look may have fallen into a gap
_FIRST_STEP, _LARGEST_STEP = 0.04, 0.5  # by how much the rate grows when it is tried whether there is more
_FEWEST_HELD, _MOST_HELD = 40, 120  # requests between two such tries
_WINDOWS_HELD, _MOST_WINDOWS_HELD = 1, 4  # … where the endpoint counts by longer stretches than a second
_HOLD, _LONGEST_HOLD = 5.0, 60.0  # seconds between two of them, in the end
_MORE = 1.1  # a try that raised the rate to this multiple found something, and the next comes soon
_USED = 0.7  # share of the rate that must be used before it is raised
_SLOWEST = 0.02  # requests a second
_SHORTEST = 1e-3  # seconds


class _Outcome(Enum):
    PENDING, ADMITTED, REFUSED, FAILED = range(4)


@dataclass(slots=True)
class SentRequest:
    """A request that is on its way, or was; ``at`` is when it was sent, in monotonic seconds."""

    at: float
    outcome: _Outcome = _Outcome.PENDING


@dataclass(frozen=True, slots=True)
class Stop:
    """A time in which nothing was taken, and for how much of it, at its end, nobody asked; in seconds."""

    seconds: float
    unknown: float


class _Mode(Enum):
    UNPACED, HOLDING, PROBING = range(3)


@dataclass(frozen=True, slots=True)
class _Look:
    sent: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        return self.refused / self.sent if self.sent else 0.0

    def __add__(self, other: _Look) -> _Look:
        return _Look(self.sent + other.sent, self.refused + other.refused, self.seconds + other.seconds)

    @property
    def offered(self) -> float:
        return self.sent / max(self.seconds, _SHORTEST)

    @property
    def taken(self) -> float:
        return (self.sent - self.refused) / max(self.seconds, _SHORTEST)

    def favours(self, share: float, against: float) -> float:
        """The logarithm of how much likelier this is with one share of refusals than with another."""
        share, against = max(share, _LEAST_CHANCE), max(against, _LEAST_CHANCE)
        admitted = self.sent - self.refused
        return self.refused * math.log(share / against) + admitted * math.log((1 - share) / (1 - against))


@dataclass(slots=True, kw_only=True)
class _Doubt:
    """Refusals that may hang on the rate or not; the pace is slower until it is known.

    ``share`` is what there was of them, and ``taken`` so many a second were not refused; if the rate is their cause, so many
    are taken still, and no smaller share than ``otherwise`` is refused. ``restored`` is the pace to go back to if it is not.
    """

    share: float
    offered: float
    taken: float
    otherwise: float
    restored: float
    again: bool = False
    since: _Look = _Look()


class AdaptiveRate:
    """Estimates the rate that an endpoint takes; ``per_second`` is how fast to send now, infinite while nothing says less.

    Where more is refused than chance explains, the endpoint is at its limit, and what it takes then is the limit: this is
    the pace from then on. Later it is tried, first by little and then by more, whether there is more. Refusals that a slower
    pace does not lessen have another cause (a crowded server turns away every tenth, whoever asks): their share is taken for
    chance (``background``), and the pace is what it was before. ``window`` is the stretch over which the endpoint counts, as
    far as it has shown: what it takes is reckoned over no less.
    """

    def __init__(self) -> None:
        self.per_second = math.inf
        self.background = 0.0
        self.window = _WINDOW
        self._calm = _Look()  # at paces that were no cause of refusals
        self._recheck_at, self._recheck_after = -math.inf, _FIRST_RECHECK
        self._mode = _Mode.UNPACED
        self._sent: deque[SentRequest] = deque(maxlen=_MOST_KEPT)
        self._since = -math.inf  # what was sent before says nothing about the rate of now
        self._resumed = -math.inf  # after a stop, when
        self._settled = True  # something was let in since
        self._refused_after = 0.0  # seconds that a refusal takes to arrive
        self._refused = 0  # since then
        self._suspicion, self._suspect = 0.0, _Look()  # that the rate is too high, and the looks that it rests on
        self._suspicion_held = self._suspicion, self._suspect  # when the try for more began
        self._proven = self._last_good = self._step = 0.0  # before a try for more; the last that went well in it
        self._first_step = _FIRST_STEP
        self._hold_until = self._probe_until = -math.inf
        self._held, self._windows_held = _FEWEST_HELD, _WINDOWS_HELD
        self._doubt: _Doubt | None = None

    def sent(self, now: float) -> SentRequest:
        """Note a request that is sent."""
        last = self._sent[-1].at if self._sent else -math.inf
        if now - last > max(_GAP, _GAP_OF_CALLS / self.per_second):  # a time in which nothing was sent says nothing
            self._since, self._refused = math.nextafter(now, 0.0), 0
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

    def go_on(self, now: float) -> None:
        """Begin again as before, after a time in which nothing was taken for a reason that is not the rate."""
        self._resumed = now
        self._set(self.per_second)
        self._hold(now)

    def go_on_after_limit(self, taken: int, seconds: float, stop: Stop, now: float) -> None:
        """Begin again after a stop at a limit. Since the last one, or the beginning, so many requests were taken in so many
        seconds, of which the stop is a part."""
        least = max(seconds - stop.unknown, _SHORTEST)
        likely = math.sqrt(least * seconds)
        if (
            self.window == _WINDOW
            or likely < self.window
            or stop.seconds - stop.unknown > _MOST_OF_WINDOW * self.window
        ):
            self.window = min(max(_WINDOW, likely), _LONGEST_WINDOW)
        adjacent = seconds < 2 * self.window or stop.seconds > self.window / 2
        found = _MARGIN * (taken / likely if adjacent else self.taken(self.window, now)) / (1 - self.background)
        if self._mode is _Mode.PROBING:
            found = max(found, self._proven)
        self._doubt, self._resumed = None, now
        self._first_step = min(_LARGEST_STEP, max(_FIRST_STEP, seconds / likely - 1))
        self._set(max(found, _SLOWEST))
        self._hold_longer()
        self._hold(now)

    def last_unrefused(self, now: float) -> float:
        """When the last request was sent that would have been refused by now, had it been to be refused."""
        until = now - 1.5 * self._refused_after
        kept = (_Outcome.PENDING, _Outcome.ADMITTED)
        return next((r.at for r in reversed(self._sent) if r.outcome in kept and r.at < until), -math.inf)

    def taken(self, seconds: float, now: float) -> float:
        """Requests a second that were let in during the last seconds, as far as they are since a stop."""
        until = now - 1.5 * self._refused_after
        first = self._sent[0].at if self._sent else until
        return self._look(max(until - seconds, first, min(self._resumed, until - _SPAN)), until).taken

    # -- looking

    def _review(self, now: float, *, hurried: bool = False) -> None:
        # Refusals come sooner than answers do: what could have been refused by now and was not, is in.
        until = now - 1.5 * self._refused_after
        if not self._settled and not self._settle_down(until):
            return
        seconds = until - self._since
        certain = hurried and self._refused >= _CERTAIN and seconds >= _CERTAIN_AFTER
        if seconds < _SPAN and not certain:
            return
        look = self._look(self._since, until)
        if look.sent < _ENOUGH and not certain and seconds < max(_LONGEST_SPAN, _FEWEST_SENT / self.per_second):
            return
        self._since, self._refused = (
            until,
            sum(r.outcome is _Outcome.REFUSED for r in takewhile(lambda r: r.at > until, reversed(self._sent))),
        )
        self._conclude(look, now)

    def _settle_down(self, until: float) -> bool:
        """Pass over refusals that only go on from before the pace was changed."""
        first = None
        for request in takewhile(lambda r: r.at > self._since, reversed(self._sent)):
            if request.at <= until and request.outcome in (_Outcome.PENDING, _Outcome.ADMITTED):
                first = request
        if first is None:
            return False
        self._settled, self._since, self._refused = True, math.nextafter(first.at, 0.0), 0
        return True

    def _look(self, since: float, until: float) -> _Look:
        sent = refused = 0
        for request in reversed(self._sent):
            if request.at <= since:
                break
            if request.outcome is _Outcome.FAILED or request.at > until:
                continue
            sent += 1
            refused += request.outcome is _Outcome.REFUSED
        return _Look(sent, refused, max(until - since, _SHORTEST))

    def _conclude(self, look: _Look, now: float) -> None:
        if self._doubt is not None and self._settle(self._doubt, look, now):
            return
        probing = self._mode is _Mode.PROBING
        chance = max(self.background, _LEAST_CHANCE)
        if self._doubt is not None:
            chance = max(chance, self._doubt.share)
        excess = chance + max(_EXCESS, _EXCESS_OF_CHANCE * chance)
        self._suspicion += look.favours(excess, chance)
        if self._suspicion <= 0:
            self._suspicion, self._suspect = 0.0, _Look()
        else:
            self._suspect += look
        if self._suspicion < (_PROOF_IN_PROBE if probing else _PROOF):
            self._go_on(look, now)
        elif probing:
            self._give_up_probe(self._suspect, now)
        else:
            self._cut(self._suspect, now)

    def _settle(self, doubt: _Doubt, look: _Look, now: float) -> bool:
        """Take in a look at the slower pace. Returns whether the pace has been changed for what it showed."""
        doubt.since += look
        seen = doubt.since
        if seen.offered < _USED * self.per_second:
            self._doubt = None  # too little is sent to know
            return False
        otherwise = max(doubt.otherwise, 1 - doubt.taken / seen.offered)
        by_chance = seen.favours(doubt.share, otherwise)
        usual = _CHANCE * math.sqrt(doubt.share * (1 - doubt.share) / seen.sent)
        if seen.sent >= _ENOUGH and seen.share > min(_AS_MANY * doubt.share, _MOST_DOUBTED) + usual:
            self._cut(seen, now)  # it is the rate, which has meanwhile become less
            return True
        if (
            seen.sent >= 2 * _ENOUGH and seen.share > _MUCH and not doubt.again
        ):  # so many by chance are rare; what a limit refuses may just have grown
            self._cut(seen, now)
            if self._doubt is not None:
                self._doubt = replace(self._doubt, restored=doubt.restored, again=True)
            return True
        undecided = abs(by_chance) < _DOUBT_PROOF
        if undecided and seen.sent >= _DOUBT_SAMPLE and otherwise > doubt.otherwise + _EXCESS:
            self._cut(seen, now)  # a pace that would still be refused by the limit tells nothing
            return True
        clear = by_chance > 2 * _DOUBT_PROOF and seen.seconds >= _LONG
        if (seen.sent < _DOUBT_SAMPLE and not clear) or (undecided and seen.sent < _LARGEST_DOUBT_SAMPLE):
            return False
        if by_chance < -_DOUBT_PROOF / 2:
            self._doubt = None
            self._recheck_after = _FIRST_RECHECK
            if not doubt.otherwise and self.background:  # what was thought to be chance was not, or is over
                self.background, self._calm = seen.share, seen
                self._set(max(self.per_second, _MARGIN * doubt.restored * (1 - doubt.share)))
            elif self.background:
                self._learn_background(seen)
            return False
        if seen.sent < _LARGEST_DOUBT_SAMPLE and not clear:
            return False
        self._doubt = None
        self._learn_background(seen)
        self._recheck_at, self._recheck_after = now + self._recheck_after, min(2 * self._recheck_after, _LAST_RECHECK)
        possible = doubt.taken / (1 - self.background)  # where it was refused as well for its rate, it was too fast
        self._set(doubt.restored if possible > _NEARLY * doubt.offered else _MARGIN * possible)
        self._hold(now)
        return True

    # -- moving

    def _cut(self, look: _Look, now: float) -> None:
        if look.taken < _DEEP_CUT * look.offered:
            if self.background > _MUCH:
                self.background, self._calm = 0.0, _Look()
            self._recheck_at = now
        steady = look.offered >= _USED * self.per_second or math.isinf(self.per_second)
        lately = look.taken if look.seconds >= self.window else self.taken(self.window, now)
        if steady and look.share <= _MOST_DOUBTED:
            self._doubt = _Doubt(
                share=look.share, offered=look.offered, taken=min(lately, look.taken), otherwise=self.background,
                restored=self.per_second,
            )  # fmt: skip
        else:
            self._doubt = None
        self._held, self._windows_held = max(_FEWEST_HELD, self._held // 2), _WINDOWS_HELD
        taken = max(look.taken, lately)
        if look.offered < _USED * self.per_second < math.inf:  # it was sent in bursts, each as fast as this
            taken = max(taken, self.per_second * (1 - look.share))
        found = _MARGIN * taken / (1 - self.background)
        self._set(max(found, _DEEPEST_CUT * min(look.offered, self.per_second), _SLOWEST))
        self._hold(now)

    def _go_on(self, look: _Look, now: float) -> None:
        if self.background and self._mode is _Mode.UNPACED:
            self._learn_background(look)
        if self._mode is _Mode.PROBING:
            if look.offered < _USED * self.per_second:
                if look.offered * 2 < self.per_second:  # something else is the limit
                    self._set(math.inf)
                    self._mode = _Mode.UNPACED
            elif now >= self._probe_until and self._is_good():
                self._last_good = self.per_second
                self._step = min(_LARGEST_STEP, 2 * self._step)
                self._probe(self.per_second * (1 + self._step), now)
        elif self._mode is _Mode.HOLDING and now >= self._hold_until and self._doubt is None:
            if self.background > _WORTH_CHECKING and now >= self._recheck_at:
                self._doubt = _Doubt(
                    share=self.background,
                    offered=look.offered,
                    taken=look.taken,
                    otherwise=0.0,
                    restored=self.per_second,
                )
                self._set(self.per_second * (1 - self.background - _RECHECK_CUT))
                self._hold(now)
                return
            self._suspicion_held = self._suspicion, self._suspect
            self._step, self._proven, self._last_good = self._first_step, self.per_second, self.per_second
            self._probe(self.per_second * (1 + self._step), now)

    def _is_good(self) -> bool:
        """Whether a rate that is tried has done well."""
        return not self._suspicion or (self._suspect.sent >= _DOUBT_SAMPLE and self._suspicion < _PROOF_IN_PROBE / 2)

    def _learn_background(self, look: _Look) -> None:
        """Take in what was refused at a pace that is no cause of it."""
        known = self._calm
        noise = _CHANCE * math.sqrt(
            max(known.share, look.share, _LEAST_CHANCE) * (1 / max(1, known.sent) + 1 / look.sent)
        )
        self._calm = known + look if abs(known.share - look.share) <= noise else look
        if self._calm.sent > _MOST_CALM:
            self._calm = _Look(self._calm.sent // 2, self._calm.refused // 2, self._calm.seconds / 2)
        self.background = self._calm.share

    def _probe(self, per_second: float, now: float) -> None:
        self._mode = _Mode.PROBING
        self._set(per_second)
        self._probe_until = now + self.window

    def _give_up_probe(self, look: _Look, now: float) -> None:
        self._first_step = _FIRST_STEP
        until = now - 1.5 * self._refused_after
        if self.window > _WINDOW:
            taken = self.taken(self.window, now)
        else:
            since = [
                r.outcome
                for r in self._sent
                if until - look.seconds <= r.at <= until and r.outcome is not _Outcome.FAILED
            ]
            after = since[since.index(_Outcome.REFUSED) :] if _Outcome.REFUSED in since else since
            taken = self.per_second * (1 - after.count(_Outcome.REFUSED) / max(1, len(after)))
            if not taken:  # a window is used up: what it holds is what came before
                taken = self.taken(_WINDOW, now)
        found = _MARGIN * taken / (1 - self.background)
        self._set(min(max(found, self._proven), max(self._proven, _MARGIN * self._last_good)))
        if self.per_second == self._proven:
            self._suspicion, self._suspect = self._suspicion_held
        if self.per_second > _MORE * self._proven:
            self._held, self._windows_held = _FEWEST_HELD, _WINDOWS_HELD
        else:
            self._hold_longer()
        self._hold(now)

    def _hold_longer(self) -> None:
        self._held = min(2 * self._held, _MOST_HELD)
        self._windows_held = min(2 * self._windows_held, _MOST_WINDOWS_HELD)

    def _hold(self, now: float) -> None:
        self._mode = _Mode.UNPACED if math.isinf(self.per_second) else _Mode.HOLDING
        self._settled = False
        self._since, self._refused = now, 0
        seconds = self._held / self.per_second
        if self._held == _MOST_HELD:
            seconds = max(_HOLD, seconds)
        seconds = min(seconds, _LONGEST_HOLD)
        if self.window > _WINDOW:
            seconds = max(seconds, self._windows_held * self.window)
        self._hold_until = now + seconds

    def _set(self, per_second: float) -> None:
        self.per_second = per_second
        self._suspicion, self._suspect = 0.0, _Look()
