"""Lines of text with roles. The one way of foreign text into a painted line: ``fit`` makes it visible and cuts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.cells import cell_len, chop_cells, set_cell_size

from dsbuilder_tui.domain.sanitise import visible

# A piece of text and its role (see ``palette.ROLES``); an optional third part is an action, run when it is clicked.
Span = tuple[str, str] | tuple[str, str, str]
Line = tuple[Span, ...]

EMPTY: Line = ()
_EIGHTHS = "▁▂▃▄▅▆▇█"


def plain(text: object) -> str:
    """Foreign text on one line, with control characters shown."""
    return " ".join(visible(str(text)).split())


def fit(text: object, width: int, align: str = "left") -> str:
    """Foreign text as exactly ``width`` terminal cells: cut with an ellipsis, or padded."""
    if width <= 0:
        return ""
    shown = plain(text)
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1).rstrip() + "…" if width > 1 else "…"
    room = width - cell_len(shown)
    return " " * room + shown if align == "right" else shown + " " * room


def clip(text: object, width: int) -> str:
    """Foreign text as at most ``width`` cells, not padded."""
    return fit(text, width).rstrip() if width > 0 else ""


def longest(names: Iterable[object], least: int = 8) -> int:
    """Cells that the longest of these foreign texts takes."""
    return max((cell_len(plain(name)) for name in names), default=least)


def wrap(text: str, width: int) -> list[str]:
    """Foreign text as lines of at most ``width`` cells, broken between words where possible."""
    lines: list[str] = []
    for paragraph in visible(text).expandtabs(4).split("\n"):
        indent = len(paragraph) - len(paragraph.lstrip(" "))
        line = " " * min(indent, width // 2)
        for word in paragraph[indent:].split(" "):
            longer = f"{line} {word}" if line.strip() else line + word
            if cell_len(longer) <= width:
                line = longer
                continue
            if line.strip():
                lines.append(line)
            pieces = chop_cells(word, max(1, width)) or [""]
            lines.extend(pieces[:-1])
            line = pieces[-1]
        lines.append(line)
    return lines


def length(line: Line) -> int:
    """Cells a line takes."""
    return sum(cell_len(span[0]) for span in line)


def cut(line: Line, width: int) -> Line:
    """The line in at most ``width`` cells, with an ellipsis where something was lost."""
    if length(line) <= width:
        return line
    kept: list[Span] = []
    room = width
    for span in line:
        size = cell_len(span[0])
        if size < room:
            kept.append(span)
            room -= size
            continue
        text = set_cell_size(span[0], max(0, room - 1)) + ("…" if room > 0 else "")
        kept.append((text, span[1]) if len(span) == 2 else (text, span[1], span[2]))
        break
    return tuple(kept)


def pad(line: Line, width: int) -> Line:
    """The line in exactly ``width`` cells."""
    line = cut(line, width)
    room = width - length(line)
    return (*line, (" " * room, "text")) if room > 0 else line


def sides(left: Iterable[Span], right: Iterable[Span], width: int) -> Line:
    """One line with something at its left and something at its right end; the right one gives way."""
    head, tail = tuple(left), tuple(right)
    room = width - length(head)
    if room <= 1 or not tail:
        return pad(head, width)
    if length(tail) > room - 1:
        tail = cut(tail, room - 1)
    return (*head, (" " * (room - length(tail)), "text"), *tail)


def bar(done: int, total: int, width: int, role: str = "accent", *, exhausted: int = 0) -> Line:
    """A thin bar with half-cell steps; what is exhausted is shown at its end."""
    if width <= 0:
        return EMPTY
    total = max(1, total)
    halves = min(2 * width, (2 * width * min(done, total)) // total)
    if 0 < done < total:
        halves = min(max(1, halves), 2 * width - 1)
    lost = min(2 * width - halves, -(-2 * width * exhausted // total)) // 2 if exhausted else 0
    lost = max(lost, 1) if exhausted and halves // 2 < width else lost
    full, half = divmod(halves, 2)
    rest = width - full - half - lost
    if rest < 0:
        rest, half = 0, 0
        full = width - lost
    spans: list[Span] = [("━" * full, role)] if full else []
    if half:
        spans.append(("╸", role))
    if rest:
        spans.append(("─" * rest, "track"))  # thinner, too: a terminal may have no colours
    if lost:
        spans.append(("╌" * lost, "warn"))
    return tuple(spans)


def sparkline(arrivals: Sequence[float], now: float, width: int) -> str:
    """When things came, as a little bar chart of ``width`` cells that ends now.

    Its stretch follows what comes: about two arrivals a cell, so that a slow worker shows a rhythm and a fast one, too.
    """
    if not arrivals:
        return "·" * width
    gaps = sorted(b - a for a, b in pairwise(arrivals))
    gap = gaps[len(gaps) // 2] if gaps else 1.0
    stretch = max(2.0, 2 * gap * width)
    counts = [0] * width
    for ts in arrivals:
        place = width - 1 - int((now - ts) / stretch * width)
        if 0 <= place < width:
            counts[place] += 1
    top = max(counts)
    return "".join(_EIGHTHS[min(7, (8 * n - 1) // top)] if n else "·" for n in counts)


def frame(
    body: Sequence[Line],
    width: int,
    height: int,
    *,
    title: Iterable[Span] = (),
    info: Iterable[Span] = (),
    hint: Iterable[Span] = (),
    focused: bool = False,
) -> list[Line]:
    """A box of thin lines around ``body``: ``title`` and ``info`` in its upper edge, ``hint`` in its lower one."""
    edge = "focus" if focused else "edge"
    lines = [_edge("╭", "╮", tuple(title), tuple(info), width, edge)]
    for row in range(height - 2):
        inner = body[row] if row < len(body) else EMPTY
        lines.append((("│ ", edge), *pad(inner, width - 4), (" │", edge)))
    lines.append(_edge("╰", "╯", (), tuple(hint), width, edge))
    return lines[:height]


def _edge(first: str, last: str, left: Line, right: Line, width: int, edge: str) -> Line:
    room = width - 2
    head: Line = (("─ ", edge), *cut(left, room - 4), (" ", edge)) if left else ()
    free = room - length(head)
    tail: Line = ((" ", edge), *cut(right, free - 4), (" ─", edge)) if right and free > 8 else ()
    return ((first, edge), *head, ("─" * max(0, free - length(tail)), edge), *tail, (last, edge))
