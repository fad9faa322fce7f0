"""The plan as a card: what it holds, what changed against the revision before, and what can be done with it."""

from __future__ import annotations

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


def question_card(text: str, width: int, *, state: CardState, focused: bool) -> list[Line]:
    """A question to be answered with yes or no."""
    inner = width - 4
    lines: list[Line] = [((row, "text"),) for row in wrap(text, max(10, inner))[:MOST_ROWS]]
    keys: list[Span] = []
    if state is CardState.OPEN:
        for key, words, action in (("a", "yes", "approve"), ("r", "no", "decline")):
            keys += [(f"[{key}]", "key", action), (f" {words}  ", "text", action)]
    else:
        keys = [("✗ declined", "warn") if state is CardState.DECLINED else _ANSWERED[state]]
    lines.append(cut(tuple(keys), inner))
    title: list[Span] = [("the agent asks", "info")]
    return frame(lines, width, len(lines) + 2, title=title, focused=focused)


def card_height(card: PlanContent) -> int:
    """Lines that the card of a plan takes where no note is wrapped."""
    rows = len(card.rows)
    more = (1 if rows > MOST_ROWS else 0) + (1 if card.writing else 0)
    return min(rows, MOST_ROWS) + more + len(card.notes[:_MOST_NOTES]) + 3


def plan_card(card: PlanContent, width: int, *, state: CardState, focused: bool) -> list[Line]:
    """A plan, and what can be done with it or has become of it."""
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
    keys: list[Span] = []
    if state is CardState.OPEN:
        for key, words, action in (("a", "approve", "approve"), ("e", "edit", "edit"), ("r", "ask for changes", "ask")):
            keys += [(f"[{key}]", "key", action), (f" {words}  ", "text", action)]
    else:
        keys = [_ANSWERED[state]]
    lines.append(cut(tuple(keys), inner))
    head = f"plan · rev {card.revision} · {card.planned:,} cases"
    room = inner - len(head) - 4
    if card.dataset and room >= 8:
        head += f" · {clip(card.dataset, room)}"
    title: list[Span] = [(head, "info")]
    return frame(lines, width, len(lines) + 2, title=title, focused=focused)


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
    ways = f"{row.combinations:,} combinations"
    words = next((w for w in (f"{axes} axes, {ways}", ways) if axes > 1 and len(w) <= room), "")
    if words:
        spans.append((f"   {words}", "muted"))
    return cut(tuple(spans), inner)
