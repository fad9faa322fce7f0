"""Judging: which cases a judge reads, and what it says of one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

TAG = "verdict"  # the key of a case's tags under which its verdict stands


class JudgeMode(StrEnum):
    """Which cases a judge reads."""

    AUTO = "auto"  # of a category: as the setting says; of the setting: a sample where a model writes, else none
    OFF = "off"
    SAMPLE = "sample"  # some, after they were let in: they count at once, and an estimate grows
    ALL = "all"  # each, before it is let in


class Judgement(StrEnum):
    """What a judge makes of a case."""

    GOOD = "good"
    BAD = "bad"
    NOT_JUDGED = "not_judged"  # the judge was asked, and gave no verdict that is of use


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's word on one case. ``failed`` are the criteria that it does not meet, ``quote`` stands in the case.

    Where it was not judged, ``reason`` says why not.
    """

    finding: Judgement
    reason: str = ""
    quote: str = ""
    failed: tuple[str, ...] = ()
    model: str = ""

    @property
    def critique(self) -> str:
        """What is wrong with the case, for whoever writes it again."""
        words = f"{', '.join(self.failed)}: {self.reason}" if self.failed else self.reason
        return f"{words} (“{self.quote}”)" if self.quote else words

    def as_tag(self) -> dict[str, Any]:
        """What stands in the case's tags; what is empty is left out."""
        told: dict[str, Any] = {"finding": self.finding.value}
        if self.failed:
            told["failed"] = list(self.failed)
        told |= {key: value for key in ("reason", "quote", "model") if (value := getattr(self, key))}
        return told


def verdict_of(tags: Mapping[str, Any]) -> Verdict | None:
    """The verdict in a case's tags; None when there is none, or when something else stands there."""
    told = tags.get(TAG)
    if not isinstance(told, Mapping):
        return None
    try:
        finding = Judgement(str(told.get("finding")))
    except ValueError:
        return None
    failed = told.get("failed")
    return Verdict(
        finding,
        reason=str(told.get("reason", "")),
        quote=str(told.get("quote", "")),
        failed=tuple(map(str, failed)) if isinstance(failed, list) else (),
        model=str(told.get("model", "")),
    )


LEAST_GOOD = 0.9  # share of good cases below which a category is to be judged whole
_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True, slots=True)
class JudgedCounts:
    """How many cases of a category were found good and bad, and how many the judge gave no usable verdict on.

    ``cases`` are all that there are. Cases that were not judged are neither good nor bad.
    """

    good: int = 0
    bad: int = 0
    not_judged: int = 0
    cases: int = 0

    @property
    def judged(self) -> int:
        return self.good + self.bad

    @property
    def share(self) -> float | None:
        """The share of good cases among those judged; None before there is one."""
        return self.good / self.judged if self.judged else None

    def interval(self) -> tuple[float, float] | None:
        """The share of good cases among all, between which values it lies with 95 % confidence (Wilson's interval).

        When every case was judged it is no estimate: both ends are the share.
        """
        n = self.judged
        if not n:
            return None
        share = self.good / n
        if n >= self.cases > 0:
            return share, share
        spread = _Z * _Z / n
        middle = (share + spread / 2) / (1 + spread)
        half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
        low, high = max(0.0, middle - half), min(1.0, middle + half)
        return (0.0 if not self.good else low), (1.0 if not self.bad else high)

    @property
    def words(self) -> str:
        """``91–97 % good``, or ``94 % good`` when all were judged; empty before there is a verdict."""
        interval = self.interval()
        if interval is None:
            return ""
        low, high = _percent(interval[0]), _percent(interval[1])
        return f"{low} % good" if low == high else f"{low}–{high} % good"

    @property
    def is_doubtful(self) -> bool:
        """Whether so many are bad that all of them should be judged."""
        return self.share is not None and self.share < LEAST_GOOD and self.judged < self.cases

    @property
    def sentence(self) -> str:
        """``91–97 % good: 112 of 120 judged``, and how many gave no verdict."""
        parts = [f"{self.words}: {self.good:,} of {self.judged:,} judged" if self.judged else "none judged"]
        if self.not_judged:
            parts.append(f"{self.not_judged:,} not judged")
        return ", ".join(parts)

    def __add__(self, other: JudgedCounts) -> JudgedCounts:
        return JudgedCounts(
            self.good + other.good, self.bad + other.bad, self.not_judged + other.not_judged, self.cases + other.cases
        )

    def with_one(self, finding: Judgement) -> JudgedCounts:
        """The counts after one more verdict."""
        one = {finding: 1}
        return JudgedCounts(
            self.good + one.get(Judgement.GOOD, 0), self.bad + one.get(Judgement.BAD, 0),
            self.not_judged + one.get(Judgement.NOT_JUDGED, 0), self.cases,
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data; shares as numbers from 0 to 1, None before there is a verdict."""
        low, high = self.interval() or (None, None)
        return {
            "good": self.good, "bad": self.bad, "not_judged": self.not_judged, "cases": self.cases,
            "share": None if self.share is None else round(self.share, 4),
            "low": None if low is None else round(low, 4), "high": None if high is None else round(high, 4),
        }  # fmt: skip


def _percent(share: float) -> int:
    """0 and 100 only for none and all."""
    percent = round(100 * share)
    return min(99, max(1, percent)) if 0 < share < 1 else percent
