"""The plan as a card: what it holds, what changed against the revision before, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.message import PlanContent, PlanRow
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, frame, length, longest, wrap
from dsbuilder_tui.tui.studio.card_state import CardState

MOST_ROWS = 12
_MOST_NOTES = 8
_ANSWERED: dict[CardState, Span] = {
    CardState.APPROVED: ("✓ approved", "good"),
    CardState.DECLINED: ("↺ sent back", "warn"),
    CardState.OLDER: ("replaced by a later revision", "faint"),
}


_DECLINED: Span = ("✗ declined", "warn")


def question_card(
    text: str, width: int, *, state: CardState, choices: Sequence[str], marked: int | None, focused: bool
) -> list[Line]:
    """A question to be answered with one of the ``choices``; Enter gives the ``marked`` one."""
    inner = width - 4
    lines: list[Line] = [((row, "text"),) for row in wrap(text, max(10, inner))[:MOST_ROWS]]
    is_open = state is CardState.OPEN
    keys = _choices(choices, marked) if is_open else [_DECLINED if state is CardState.DECLINED else _ANSWERED[state]]
    lines.append(cut(tuple(keys), inner))
    title: list[Span] = [("the agent asks", "info")]
    hint = _chords("yes", "no") if is_open else []
    return frame(lines, width, len(lines) + 2, title=title, hint=hint, focused=focused)


def _choices(words: Sequence[str], marked: int | None) -> list[Span]:
    """The answers in a line; the one that Enter gives has its sign."""
    spans: list[Span] = []
    for place, word in enumerate(words):
        action = f"answer({place})"
        here = place == marked
        spans.append((f" ⏎ {word} " if here else f"   {word} ", "key+cursor" if here else "key", action))
    return spans


def _chords(yes: str, other: str) -> list[Span]:
    return [("^Y", "key"), (f" {yes} · ", "muted"), ("^N", "key"), (f" {other}", "muted")]


def card_height(card: PlanContent) -> int:
    """Lines that the card of a plan takes where no note is wrapped."""
    rows = len(card.rows)
    more = (1 if rows > MOST_ROWS else 0) + (1 if card.writing else 0)
    return min(rows, MOST_ROWS) + more + len(card.notes[:_MOST_NOTES]) + 3


def plan_card(
    card: PlanContent, width: int, *, state: CardState, choices: Sequence[str], marked: int | None, focused: bool
) -> list[Line]:
    """A plan, and what can be done with it (one of the ``choices``; Enter does the ``marked`` one) or has become of it."""
    rows = card.rows
    inner = width - 4
    amount = max(4, *(len(_amount(row)) for row in rows)) if rows else 4
    room = inner - amount - 21 if inner > 34 else inner - amount - 5
    name_width = min(longest(row.name for row in rows), max(8, room))
    lines = [_row(row, name_width, amount, inner) for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(((f"and {counted(len(rows) - MOST_ROWS, 'category')} more", "faint"),))
    for note in (*filter(None, [card.writing]), *card.notes[:_MOST_NOTES]):
        for number, row in enumerate(wrap(note, max(10, inner - 2))):
            lines.append(cut((("  " if number else "· ", "faint"), (row, "muted")), inner))
    is_open = state is CardState.OPEN
    lines.append(cut(tuple(_choices(choices, marked) if is_open else [_ANSWERED[state]]), inner))
    head = f"plan · rev {card.revision} · {counted(card.planned, 'case')}"
    room = inner - len(head) - 4
    if card.dataset and room >= 8:
        head += f" · {clip(card.dataset, room)}"
    title: list[Span] = [(head, "info")]
    hint = _chords("approve", "change") if is_open else []
    return frame(lines, width, len(lines) + 2, title=title, hint=hint, focused=focused)


def _amount(row: PlanRow) -> str:
    count, was = row.count, row.was
    return f"{was:,} → {count:,}" if was is not None and was != count else f"{count:,}"


def _row(row: PlanRow, name_width: int, amount: int, inner: int) -> Line:
    count, was = row.count, row.was
    mark, role = ("+", "good")
    if was is not None:
        mark, role = ("−", "bad") if not count else ("~", "warn") if was != count else (" ", "muted")
    spans: list[Span] = [
        (f"{mark} ", role),
        (fit(row.name, name_width), "good" if mark == "+" else "text"),
        (f" {_amount(row):>{amount}}", "text"),
    ]
    if row.case_kind is not CaseKind.SINGLE:
        spans.append((f"   {row.case_kind.value}s", "info"))
    axes = row.axes
    room = inner - length(tuple(spans)) - 3
    ways = counted(row.combinations, "combination")
    words = next((w for w in (f"{axes} axes, {ways}", ways) if axes > 1 and len(w) <= room), "")
    if words:
        spans.append((f"   {words}", "muted"))
    return cut(tuple(spans), inner)
