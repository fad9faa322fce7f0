"""The plan as a card: what it holds, what changed against the revision before, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, frame, length, longest, wrap

MOST_ROWS = 12
_MOST_NOTES = 8
ANSWERED: dict[str, Span] = {
    "approved": ("✓ approved", "good"),
    "declined": ("↺ sent back", "warn"),
    "older": ("replaced by a later revision", "faint"),
}


def question_card(text: str, width: int, *, state: str, focused: bool) -> list[Line]:
    """A question to be answered with yes or no; ``state`` as in ``plan_card``."""
    inner = width - 4
    lines: list[Line] = [((row, "text"),) for row in wrap(text, max(10, inner))[:MOST_ROWS]]
    keys: list[Span] = [ANSWERED.get(state, ("not asked any more", "faint"))]
    if state == "declined":
        keys = [("✗ declined", "warn")]
    elif state == "open":
        keys = []
        for key, words, action in (("a", "yes", "approve"), ("r", "no", "decline")):
            keys += [(f"[{key}]", "key", action), (f" {words}  ", "text", action)]
    lines.append(cut(tuple(keys), inner))
    title: list[Span] = [("the agent asks", "info")]
    return frame(lines, width, len(lines) + 2, title=title, focused=focused)


def is_card(data: Mapping[str, Any]) -> bool:
    """Whether data from a session file is a card: somebody may have edited the file."""
    rows = data.get("rows")
    numbers = [data.get("revision", 1), data.get("planned", 0)]
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "name" in row for row in rows):
        return False
    numbers += [row.get(key) for row in rows for key in ("count", "axes", "combinations")]
    numbers += [row["was"] for row in rows if row.get("was") is not None]
    return all(isinstance(number, int) for number in numbers)


def has_card(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether a message is shown as a card that can be answered."""
    return kind == "question" or (kind == "plan" and is_card(data))


def card_height(data: Mapping[str, Any]) -> int:
    rows = len(data.get("rows", ()))
    return min(rows, MOST_ROWS) + (1 if rows > MOST_ROWS else 0) + len(_notes(data)) + 3


def _notes(data: Mapping[str, Any]) -> list[str]:
    notes = data.get("notes")
    return [str(note) for note in notes[:_MOST_NOTES]] if isinstance(notes, list) else []


def plan_card(data: Mapping[str, Any], width: int, *, state: str, focused: bool) -> list[Line]:
    """``state``: open, approved, declined, or older (a later revision replaced it)."""
    rows: Sequence[Mapping[str, Any]] = data.get("rows", ())
    inner = width - 4
    amount = max(4, *(len(_amount(row)) for row in rows)) if rows else 4
    room = inner - amount - 21 if inner > 34 else inner - amount - 5
    name_width = min(longest(row["name"] for row in rows), max(8, room))
    lines = [_row(row, name_width, amount, inner) for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(((f"and {counted(len(rows) - MOST_ROWS, 'category')} more", "faint"),))
    for note in _notes(data):
        for number, row in enumerate(wrap(note, max(10, inner - 2))):
            lines.append(cut((("  " if number else "· ", "faint"), (row, "muted")), inner))
    keys: list[Span] = []
    if state == "open":
        for key, words, action in (("a", "approve", "approve"), ("e", "edit", "edit"), ("r", "ask for changes", "ask")):
            keys += [(f"[{key}]", "key", action), (f" {words}  ", "text", action)]
    else:
        keys = [ANSWERED.get(state, ANSWERED["older"])]
    lines.append(cut(tuple(keys), inner))
    head = f"plan · rev {data.get('revision', 1)} · {data.get('planned', 0):,} cases"
    room = inner - len(head) - 4
    if data.get("dataset") and room >= 8:
        head += f" · {clip(data['dataset'], room)}"
    title: list[Span] = [(head, "info")]
    return frame(lines, width, len(lines) + 2, title=title, focused=focused)


def _amount(row: Mapping[str, Any]) -> str:
    count, was = int(row["count"]), row.get("was")
    return f"{was:,} → {count:,}" if was is not None and was != count else f"{count:,}"


def _row(row: Mapping[str, Any], name_width: int, amount: int, inner: int) -> Line:
    count, was = int(row["count"]), row.get("was")
    mark, role = ("+", "good")
    if was is not None:
        mark, role = ("−", "bad") if not count else ("~", "warn") if was != count else (" ", "muted")
    spans: list[Span] = [
        (f"{mark} ", role),
        (fit(row["name"], name_width), "good" if mark == "+" else "text"),
        (f" {_amount(row):>{amount}}", "text"),
    ]
    axes = int(row["axes"])
    room = inner - length(tuple(spans)) - 3
    ways = f"{int(row['combinations']):,} combinations"
    words = next((w for w in (f"{axes} axes, {ways}", ways) if axes > 1 and len(w) <= room), "")
    if words:
        spans.append((f"   {words}", "muted"))
    return cut(tuple(spans), inner)
