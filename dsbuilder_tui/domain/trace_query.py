"""Which traces of an application are wanted: of an experiment, since when, and which of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from dsbuilder_tui.domain.errors import InputError

TRACES = "traces:"  # before an experiment's name, where a file could stand too
MOST_TRACES = 10_000
_SPAN = re.compile(r"(\d{1,5}) ?(m|min|h|d|w|minutes?|hours?|days?|weeks?|months?)", re.IGNORECASE)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_MONTH = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """Traces of an ``experiment`` (name or id).

    ``since`` is a span ("7d", "12h") or a date ("2026-11-20"), empty for all; ``filter`` is in MLflow's words for traces. The
    newest ``most`` are read. ``keep_personal_data`` leaves names, numbers and addresses as they are.
    """

    experiment: str
    since: str = ""
    filter: str = ""
    keep_personal_data: bool = False
    most: int = MOST_TRACES

    def begin(self, now: float) -> int | None:
        """From when on, in milliseconds since 1970; None for from the beginning. Raises ``InputError``."""
        return None if not self.since.strip() else int(1000 * begin_of(self.since, now))


def begin_of(since: str, now: float) -> float:
    """The time, in seconds since 1970, that a span before ``now`` or a date begins at. Raises ``InputError``."""
    text = since.strip()
    if found := _SPAN.fullmatch(text):
        unit = found[2].casefold()
        seconds = _MONTH if unit.startswith("mo") else _SECONDS[unit[0]]
        return now - int(found[1]) * seconds
    try:
        begin = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--since {text!r} is neither a span nor a date.", "Write for example 7d, 12h or 2026-11-20."
        ) from None
    if begin.tzinfo is None:
        begin = begin.astimezone() if begin.year > 1970 else begin.replace(tzinfo=UTC)
    return begin.timestamp()
