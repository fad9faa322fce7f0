"""One pass through a review queue: where it stands, and what was decided on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.review import DEFAULT_QUEUE, ReviewDecision, ReviewItem, ReviewLabel, ReviewTally
from dsbuilder_tui.domain.sanitise import one_line


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What is to be reviewed: of which category (None is all), and at most how many."""

    category: str | None = None
    most: int = DEFAULT_QUEUE


def read_request(words: str, categories: Sequence[str]) -> ReviewRequest:
    """``refunds``, ``20``, ``20 refunds`` or ``refunds 20``. Raises ``InputError`` for what is neither number nor category."""
    rest, most = words.split(), DEFAULT_QUEUE
    for place in (0, -1):
        if rest and rest[place].isdecimal() and " ".join(rest) not in categories:
            most = int(rest.pop(place))
            break
    wanted = " ".join(rest)
    known = next((name for name in categories if name.casefold() == wanted.casefold()), None)
    if wanted and known is None:
        raise InputError(
            f"There is no category {one_line(wanted, 60)!r}.",
            f"/review takes a number, and one of {', '.join(categories)}.",
        )
    return ReviewRequest(known, most)


class ReviewPass:
    """The items in order, with a cursor. At its end the cursor is behind the last one."""

    def __init__(self, items: Sequence[ReviewItem]) -> None:
        self._items, self.at = list(items), 0
        self._labels: dict[int, ReviewLabel] = {}  # by place in the queue

    def __len__(self) -> int:
        return len(self._items)

    @property
    def item(self) -> ReviewItem | None:
        """What is to be looked at now; None at the end."""
        return self._items[self.at] if self.at < len(self._items) else None

    @property
    def label(self) -> ReviewLabel | None:
        """What was decided before about what is looked at now."""
        return self._labels.get(self.at)

    @property
    def tally(self) -> ReviewTally:
        return ReviewTally(tuple(self._labels[place] for place in sorted(self._labels)))

    @property
    def is_over(self) -> bool:
        return self.at >= len(self._items)

    def step(self, by: int) -> bool:
        """Go back (-1), or on (1) over what was decided. Whether that was possible."""
        if not 0 <= self.at + by <= len(self._items) or (by > 0 and self.label is None):
            return False
        self.at += by
        return True

    def decided(self, item: ReviewItem, decision: ReviewDecision, judged: Judgement | None, note: str = "") -> None:
        """Take a decision down, and go on to what is not decided yet. ``item`` is what is there now in the place of the one
        that was looked at.
        """
        self._items[self.at] = item
        self._labels[self.at] = ReviewLabel(
            seq=item.seq, category=item.category, ordinal=item.ordinal, decision=decision, reason=item.reason,
            judged=judged, note=note,
        )  # fmt: skip
        behind = range(self.at + 1, len(self._items))
        self.at = next((place for place in behind if place not in self._labels), len(self._items))

    def drop(self) -> None:
        """Leave out what is not there any more, unless it was rejected here."""
        del self._items[self.at]
        self._labels = {place - (place > self.at): label for place, label in self._labels.items()}
