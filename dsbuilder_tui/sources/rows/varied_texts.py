"""A few texts out of many that have as little in common as can be."""

from __future__ import annotations

from collections.abc import Sequence

_LOOKED_AT = 400


def varied_texts(texts: Sequence[str], most: int) -> list[int]:
    """The places of ``most`` texts: the first one, then whichever is least like those that were taken.

    Of many texts ``_LOOKED_AT`` are looked at, spread over all. Two texts are as alike as the share of their words that
    both have.
    """
    step = max(1, len(texts) // _LOOKED_AT)
    places = list(range(0, len(texts), step))[:_LOOKED_AT]
    words = {place: frozenset(texts[place].casefold().split()) for place in places}
    nearest = dict.fromkeys(places, 0.0)
    taken: list[int] = []
    while nearest and len(taken) < most:
        best = min(nearest, key=lambda place: (nearest[place], place))
        if taken and nearest[best] >= 1.0:
            break  # what is left repeats what was taken
        taken.append(best)
        del nearest[best]
        for place in nearest:
            either = len(words[best] | words[place])
            nearest[place] = max(nearest[place], len(words[best] & words[place]) / either if either else 1.0)
    return taken
