"""The rows of files that cases are about: how many of them have one. Pure, and as short as there are categories with rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.figures import share_words
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import EMPTY, Line, clip, plain, sides, wrap

if TYPE_CHECKING:
    from dsbuilder_tui.session.documents import RowUse

_MOST = 8  # categories that are told one by one


def row_lines(uses: Sequence[RowUse], category: str | None, width: int) -> list[Line]:
    """For each category with rows, the chosen one first: the file, a bar, how many of its rows have a case."""
    if not uses:
        return []
    lines: list[Line] = [((clip("Rows of files", width), "info"),)]
    order = sorted(uses, key=lambda use: use.category != category)
    for use in order[:_MOST]:
        lines += _use_lines(use, width)
    if len(order) > _MOST:
        lines.append(((f"… {counted(len(order) - _MOST, 'category')} more", "muted"),))
    return [*lines, EMPTY]


def _use_lines(use: RowUse, width: int) -> list[Line]:
    name = (plain(use.category), "strong")
    if use.rows is None:
        return [
            sides([name], [("not read yet", "muted")], width),
            *(((row, "muted"),) for row in wrap(use.axis.words, width)),
        ]
    share = min(1.0, use.used / use.rows) if use.rows else 1.0
    filled = int(width * share) or (1 if use.used else 0)
    told = f"{use.axis.words}: {use.used:,} of {counted(use.rows, 'row')} have a case, {counted(use.cases, 'case')} in all."
    return [
        sides([name], [(share_words(use.used, use.rows), "accent")], width),
        (("━" * filled, "good" if share == 1.0 else "accent"), ("─" * (width - filled), "faint")),
        *(((row, "muted"),) for row in wrap(told, width)),
    ]
