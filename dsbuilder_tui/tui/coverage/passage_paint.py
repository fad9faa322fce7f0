"""The passages of the plan's documents: how many cases each has, and the request for more from one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.tui.coverage.paint import MORE
from dsbuilder_tui.tui.paint.line import Line, clip, cut, fit, plain

if TYPE_CHECKING:
    from dsbuilder_tui.session.documents import PassageUse

_COUNT = 4  # cells


def passage_row(use: PassageUse, width: int, chosen: bool) -> Line:
    """``  12 refunds.md › Late parcels``; one without a case stands out."""
    role = "accent" if use.cases else "warn"
    passage = use.passage
    heading = passage.heading or " ".join(passage.text.split())
    room = width - _COUNT - 1
    # Where both do not fit, the heading is what tells passages apart.
    document = clip(passage.document, max(8, room - len(plain(heading)) - 3)) if room > 30 else ""
    return cut(
        (
            (fit(f"{use.cases:,}", _COUNT, "right") + " ", role),
            (f"{document} › " if document else "", "faint"),
            (clip(heading, width), "strong" if chosen else "text" if use.cases else "warn"),
        ),
        width,
    )


def passages_title(uses: Sequence[PassageUse]) -> str:
    """``Passages · 3 of 4 have cases``"""
    used = sum(1 for use in uses if use.cases)
    return f"Passages · {used:,} of {len(uses):,} have cases"


def passage_request(use: PassageUse, category: str | None) -> str:
    """What is drafted for a passage: more cases as ``category`` has them, or else the first that is written from it."""
    like = category if category in use.categories else use.categories[0]
    source = plain(use.source)
    quoted = f"`{source}`" if "`" not in source else f"“{source}”"
    return f"Write {MORE} more `{plain(like)}` cases from {quoted}"
