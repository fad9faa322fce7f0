"""Rows of the newest cases: what was accepted, and for a moment what was turned away between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.case import AcceptedCase, display_text, slot_of
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.paint.case_marks import marks_of, telling_mark
from dsbuilder_tui.tui.paint.category_looks import role_of
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, length, longest, plain
from dsbuilder_tui.tui.paint.stages import stage_words
from dsbuilder_tui.tui.places.links import link_span
from dsbuilder_tui.tui.places.place import case_place
from dsbuilder_tui.view import RunView, Turned

FLASH = 4.0
"""Seconds that what was turned away stands among the cases."""
_BRIGHT = 1.0  # of these, seconds in which it stands out most
_MOST_NAME, _MOST_MARK = 18, 12
_MARKED, _ATTRIBUTED = 48, 64  # cells from which on a mark stands beside the text, and from which on any mark does

NewestRow = AcceptedCase | Turned


@dataclass(frozen=True, slots=True)
class RowColumns:
    """Cells of the columns that all rows share; ``mark`` is 0 where there is no room for one."""

    number: int = 0
    category: int = 0
    mark: int = 0


def mingled(cases: Sequence[AcceptedCase], view: RunView, now: float, rows: int, seen: int) -> list[NewestRow]:
    """At most so many rows, the newest first: cases, and while a run is at work what was turned away just now.

    Of those there are never so many that they push the cases out of the rows that are ``seen``.
    """
    told = [turned for turned in view.feed[-max(1, seen // 4) :] if view.busy and now - turned.ts < FLASH]
    since = cases[min(rows, len(cases)) - 1].seq if cases else 0
    found: list[NewestRow] = [*cases[:rows], *(turned for turned in told if turned.seq > since)]
    return sorted(found, key=lambda row: row.seq, reverse=True)[:rows]


def columns_of(rows: Sequence[NewestRow], width: int) -> RowColumns:
    """What the columns need for these rows in so many cells."""
    category = min(longest((row.category for row in rows), 0), _MOST_NAME, max(6, width // 4))
    cases = [row for row in rows if isinstance(row, AcceptedCase)]
    told = [words for words, role in map(telling_mark, cases) if role != "faint" or width >= _ATTRIBUTED]
    number = max((len(str(case.ordinal)) for case in cases), default=1) + 1
    return RowColumns(max(number, 4), category, min(longest(told, 0), _MOST_MARK) if width >= _MARKED else 0)


def case_line(
    case: AcceptedCase, width: int, columns: RowColumns, number: int, *, chosen: bool, repeated: bool
) -> Line:
    """``#273 refunds  It came with a crack …  2 quotes``; ``number`` is that of its category, by which it has its colour.

    One that was ``repeated`` just now stands out.
    """
    head: list[Span] = [
        (fit(f"#{case.ordinal}", columns.number, "right") + " ", "bad+bold" if repeated else "faint"),
        (fit(case.category, columns.category) + " ", role_of(number)),
    ]
    if case.damaged:
        return cut((*head, ("damaged: its checksum does not match", "bad")), width)
    if marks := marks_of(case):
        head.append((f"{marks} ", "warn"))
    words, role = telling_mark(case)
    aside = columns.mark + 2 if columns.mark else 0
    room = width - length(tuple(head)) - aside
    text: Span = (fit(display_text(case.inputs), room), "strong" if chosen else "text")
    tail: list[Span] = [("  ", "text"), (fit(words, columns.mark, "right"), role)] if aside else []
    return cut((*head, text, *tail), width)


def turned_line(turned: Turned, width: int, columns: RowColumns, now: float) -> Line:
    """``✗ refunds  structural = #143  "I was charged twice …"``: what it repeats, or what was found wrong with it."""
    bright = "bad+bold" if now - turned.ts < _BRIGHT else "bad"
    spans: list[Span] = [
        (fit("✗", columns.number, "right") + " ", bright),
        (fit(turned.category, columns.category) + " ", bright),
    ]
    near = slot_of(turned.nearest) if turned.nearest else None
    if near is not None:
        sign = "=" if turned.score is None or turned.score >= 1 else "≈"
        spans.append((f"{plain(stage_words(turned.stage, turned.score))} {sign} ", bright))
        spans += [link_span(f"#{near[1]}", bright, case_place(*near)), ("  ", "text")]
    elif turned.reason:
        room = width - length(tuple(spans)) - 2
        room = room * 3 // 5 if turned.text and room > 40 else room
        spans.append((clip(f"{turned.stage}: {plain(turned.reason)}", room) + "  ", bright))
    text = turned.text
    spans.append((f"“{clip(text, max(4, width - length(tuple(spans)) - 2))}”" if text else "", "muted"))
    return cut(tuple(spans), width)


def repeated_now(rows: Sequence[NewestRow]) -> set[str]:
    """The cases that those repeat which are shown as turned away."""
    return {row.nearest for row in rows if isinstance(row, Turned) and row.nearest}


def no_cases_words(view: RunView) -> str:
    """What stands where the cases will be."""
    if view.busy:
        return "The first ones are being written: they come here as they are accepted, the newest on top."
    if not view.planned:
        return "No case yet. They come here when there is a plan and you approve it."
    if view.state is RunState.IDLE:
        return "No case yet. Approve the plan, or press ^P, and they come here as they are accepted."
    return "No case is accepted yet. ^P goes on."


def folded_words(cases: Sequence[AcceptedCase], width: int) -> list[Span]:
    """The newest case, for a list that is folded to a line."""
    if not cases:
        return [("none yet", "muted")]
    newest = cases[0]
    text = display_text(newest.inputs) if not newest.damaged else ""
    return [(f"#{newest.ordinal} {clip(newest.category, 20)}  ", "muted"), (clip(text, width), "faint")]
