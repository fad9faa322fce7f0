"""The plan as a card: what it holds, what changed against the revision before, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.message import PlanContent, PlanPart, PlanRow
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, frame, length, longest, plain, wrap
from dsbuilder_tui.tui.studio.card_state import CardState

MOST_ROWS = 12
_MOST_NOTES = 8
_MOST_PARTS = 16
_ANSWERED: dict[CardState, Span] = {
    CardState.APPROVED: ("✓ approved", "good"),
    CardState.DECLINED: ("↺ sent back", "warn"),
    CardState.OLDER: ("replaced by a later revision", "faint"),
}


@dataclass(frozen=True, slots=True)
class CardSamples:
    """Samples of a plan on its card: (category, text). Room is left for the ``awaited`` ones; ``words`` say what they are."""

    cases: tuple[tuple[str, str], ...] = ()
    awaited: int = 0
    words: str = ""


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
    """Lines that the card of a plan takes where it is folded and nothing is wrapped."""
    rows = len(card.rows)
    more = (1 if rows > MOST_ROWS else 0) + (1 if card.writing else 0) + (1 if card.axes or card.differences else 0)
    return min(rows, MOST_ROWS) + more + len(card.notes[:_MOST_NOTES]) + 3


def plan_card(
    card: PlanContent,
    width: int,
    *,
    state: CardState,
    choices: Sequence[str],
    marked: int | None,
    focused: bool,
    folded: bool = True,
    samples: CardSamples | None = None,
) -> list[Line]:
    """A plan, and what can be done with it (one of the ``choices``; Enter does the ``marked`` one) or has become of it.

    ``folded`` it says of the axes only how many values they have, and of what differs what fits in a line.
    """
    rows = card.rows
    inner = width - 4
    amount = max(4, *(len(_amount(row)) for row in rows)) if rows else 4
    room = inner - amount - 21 if inner > 34 else inner - amount - 5
    name_width = min(longest(row.name for row in rows), max(8, room))
    lines = [_row(row, name_width, amount, inner) for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(((f"and {counted(len(rows) - MOST_ROWS, 'category')} more", "faint"),))
    lines += _folded_parts(card, inner) if folded else _part_lines(card, inner)
    lines += _sample_lines(samples, inner, 1 if folded else 2) if samples is not None else []
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


def _is_change(part: PlanPart) -> bool:
    return bool(part.removed or part.added)


def _folded_parts(card: PlanContent, width: int) -> list[Line]:
    """The axes in a line, and before them what differs; whatever is cut off is behind ^O."""
    if not card.axes and not card.differences:
        return []
    spans: list[Span] = []
    for part in (*(axis for axis in card.axes if _is_change(axis)), *card.differences):
        spans += [(f"{plain(part.subject)}: ", "muted"), *_items(part, 16, kept=False), (" · ", "faint")]
    steady = [axis for axis in card.axes if not _is_change(axis)]
    for axis in steady:
        values = len(axis.kept) + axis.more
        spans += [(plain(axis.subject), "muted"), (f" {values}", "text"), (" · ", "faint")]
    hint: Span = ("^O all", "key", "unfold")
    room = max(0, width - 8)
    line = cut(tuple(spans[:-1]), room)
    return [(*line, (" " * (width - 6 - length(line)), "muted"), hint)] if width > 16 else [cut(tuple(spans), width)]


def _part_lines(card: PlanContent, width: int) -> list[Line]:
    """A line or more for each axis with its values, and for whatever else differs."""
    parts = (*(part for part in card.axes if _is_change(part)), *card.differences)
    steady = [part for part in card.axes if not _is_change(part)]
    lines: list[Line] = []
    for part in (*parts[:_MOST_PARTS], *steady[: max(0, _MOST_PARTS - len(parts))]):
        lines += _flowed([(f"{clip(part.subject, 40)}: ", "muted")], _items(part, max(12, width - 6)), width)
    if (left := len(parts) + len(steady) - _MOST_PARTS) > 0:
        lines.append(((f"and {left:,} more", "faint"),))
    return lines


def _sample_lines(samples: CardSamples, width: int, rows: int) -> list[Line]:
    """Each sample in so many rows, so that nothing moves when it comes."""
    lines: list[Line] = [cut((("samples  ", "info"), (clip(samples.words, max(8, width - 9)), "faint")), width)]
    names = min(longest(name for name, _ in samples.cases) if samples.cases else 0, max(6, width // 3))
    for place in range(max(len(samples.cases), samples.awaited)):
        name, text = samples.cases[place] if place < len(samples.cases) else ("", "…")
        shown = wrap(text, max(8, width - names - 4))
        if len(shown) > rows:
            shown = [*shown[: rows - 1], clip(" ".join(shown[rows - 1 :]), max(8, width - names - 4))]
        for row in range(rows):
            head = fit(name if row == 0 else "", names)
            lines.append(cut(((f"  {head}  ", "muted"), (shown[row] if row < len(shown) else "", "text")), width))
    return lines


def _items(part: PlanPart, most: int, *, kept: bool = True) -> list[Span]:
    """“−neutral −polite +angry”, and what stays."""
    items: list[Span] = [(f"−{clip(value, most)} ", "bad") for value in part.removed]
    items += [(f"+{clip(value, most)} ", "good") for value in part.added]
    if kept:
        changed = bool(items)
        items += [
            (f"{clip(value, most)}{' ' if changed else ', '}", "faint" if changed else "text") for value in part.kept
        ]
    if part.more:
        items.append((f"and {part.more:,} more", "faint"))
    if items:
        text, role = items[-1][0].rstrip(", "), items[-1][1]
        items[-1] = (text, role)
    return items


def _flowed(head: list[Span], items: list[Span], width: int) -> list[Line]:
    """Spans in as many lines as they take, those behind the first set in."""
    lines: list[Line] = []
    line = head
    for item in items:
        if length((*line, item)) > width and len(line) > 1:
            lines.append(cut(tuple(line), width))
            line = [("  ", "muted")]
        line = [*line, item]
    return [*lines, cut(tuple(line), width)]


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
