"""Times as people say them: “yesterday evening”, “two hours ago”, “on Monday at 18:30”."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BACK = {"today": 0, "yesterday": 1, "the day before yesterday": 2}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "a few": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "half an": 0.5, "half a": 0.5,
}  # fmt: skip
_UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400, "week": 604_800}
# The hour at which each part of a day is over: who says “yesterday evening” means as it was at its end.
_ENDS = {"morning": 12, "noon": 12, "lunchtime": 14, "afternoon": 18, "evening": 24, "night": 24}

_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?|noon|midnight"
_DAY = rf"the day before yesterday|yesterday|today|(?:last |this )?(?:{'|'.join(_DAYS)})|\d{{4}}-\d\d-\d\d"
_COUNT = "|".join(sorted(_NUMBERS, key=len, reverse=True))
MOMENT = (
    rf"(?:\d+|{_COUNT}) ?(?:{'|'.join(_UNITS)})s? ago|last night|(?:this|last) (?:{'|'.join(_ENDS)})|tonight|"
    rf"(?:on )?(?:{_DAY})(?:(?:,? at |, | |T)(?:{_CLOCK}|(?:the )?(?:{'|'.join(_ENDS)})))?|(?:at )?(?:{_CLOCK})"
)

_AGO = re.compile(rf"(\d+|{_COUNT}) ?({'|'.join(_UNITS)})s? ago")
_DATED = re.compile(rf"(?:on )?({_DAY})?(?:,? at |, | |t)?(?:({_CLOCK})|(?:the )?({'|'.join(_ENDS)}))?")
_TIME = re.compile(r"(\d{1,2})(?::(\d\d))?(?::(\d\d))? ?(?:([ap])\.?m\.?)?")


def moment(words: str, now: float) -> float | None:
    """The end of the time that is meant, in seconds, on this machine's clock; None for what is no time. ``now`` is the present.

    A day alone ends at midnight, its evening too; a time of the day without a day is the last one that was.
    """
    text, present = " ".join(words.lower().split()), datetime.fromtimestamp(now)
    if not re.fullmatch(MOMENT, text, re.IGNORECASE):
        return None
    midnight = present.replace(hour=0, minute=0, second=0, microsecond=0)
    if found := _AGO.fullmatch(text):
        count = _NUMBERS[found[1]] if found[1] in _NUMBERS else int(found[1])
        return now - count * _UNITS[found[2]]
    if text == "last night":
        return (midnight + timedelta(hours=6)).timestamp()
    if text == "tonight":
        return (midnight + timedelta(days=1)).timestamp()
    if (found := re.fullmatch(r"(this|last) (\w+)", text)) and found[2] in _ENDS:
        day = midnight - timedelta(days=found[1] == "last")
        return (day + timedelta(hours=_ENDS[found[2]])).timestamp()
    if not (found := _DATED.fullmatch(text.removeprefix("at "))):
        return None
    return _dated(found[1], found[2], found[3], present, midnight)


def local_time(seconds: float) -> str:
    """``2026-11-27 18:30``, on this machine's clock."""
    return datetime.fromtimestamp(seconds).isoformat(" ", "minutes")


def _dated(
    day_words: str | None, clock: str | None, part: str | None, present: datetime, midnight: datetime
) -> float | None:
    day = midnight if day_words is None else _day(day_words, midnight)
    after = (
        timedelta(days=1)
        if clock is None and part is None
        else _time(clock)
        if clock
        else timedelta(hours=_ENDS[str(part)])
    )
    if day is None or after is None:
        return None
    end = day + after
    if day_words is None and end > present:
        end -= timedelta(days=1)
    return end.timestamp()


def _day(words: str, midnight: datetime) -> datetime | None:
    name = words.removeprefix("last ").removeprefix("this ")
    if name in _DAYS:
        back = (midnight.weekday() - _DAYS.index(name)) % 7
        return midnight - timedelta(days=back or (7 if words.startswith("last ") else 0))
    if name in _BACK:
        return midnight - timedelta(days=_BACK[name])
    try:
        return datetime.strptime(name, "%Y-%m-%d")
    except ValueError:
        return None


def _time(clock: str) -> timedelta | None:
    """How far into its day a time of the day is."""
    if clock in ("noon", "midnight"):
        return timedelta(hours=12 if clock == "noon" else 24)
    found = _TIME.fullmatch(clock)
    assert found is not None
    hour, minute, second = (int(found[place] or 0) for place in (1, 2, 3))
    if found[4]:
        hour = hour % 12 + (12 if found[4] == "p" else 0)
    if hour > 24 or minute > 59 or second > 59:
        return None
    # Who says 18:30 means the minute to its end.
    return timedelta(hours=hour, minutes=minute, seconds=second or 59)
