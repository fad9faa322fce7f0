"""Tool calls and thoughts of the agent: one line each, and what is behind it when it is opened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice

from rich.cells import cell_len

from dsbuilder_tui.domain.message import ThoughtsContent, ToolContent
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, length, plain, wrap

_MOST_ROWS = 24  # of one opened tool line


def tool_lines(text: str, content: ToolContent, width: int, *, busy: bool, opened: bool) -> list[Line]:
    """``✓ Wrote 60 cases to out.csv · export dataset 0.2 s``, with a mark that says whether it can be opened."""
    name = content.tool.replace("_", " ")
    if busy:
        return [cut((("◌ ", "accent"), (clip(text, width - 2), "muted")), width)]
    ok = content.ok
    mark: Span = ("✓ ", "good", "unfold") if ok else ("✗ ", "bad", "unfold")
    took = f" {content.seconds:.1f} s" if content.seconds >= 0.1 else ""
    fold: Span = (" ▾" if opened else " ▸", "faint", "unfold")
    tails: list[Line] = [((f" · {clip(name, 30)}{took}", "faint", "unfold"), fold), ((took, "faint", "unfold"), fold)]
    # What was done is worth more than which tool did it.
    tail = next((t for t in tails if length(t) + 2 + cell_len(plain(text)) <= width), tails[1])
    room = width - 2 - length(tail)
    head: Line = (mark, (clip(text, room), "muted" if ok else "text", "unfold"), *tail)
    lines = [cut(head, width)]
    if opened:
        rows = [f"given    {_pretty(content.arguments)}", f"answered {_pretty(content.answer)}"]
        lines += _behind(rows, width)
    return lines


def thoughts_lines(content: ThoughtsContent, width: int, *, opened: bool) -> list[Line]:
    """``· thought for 4 s ▸``, and the thoughts behind it."""
    took = f" for {content.seconds:.0f} s" if content.seconds >= 1 else ""
    fold = " ▾" if opened else " ▸"
    lines = [cut(((f"· thought{took}", "faint", "unfold"), (fold, "faint", "unfold")), width)]
    return lines + (_behind(content.thoughts.splitlines(), width) if opened else [])


def _behind(rows: Iterable[str], width: int) -> list[Line]:
    wrapped = (line for row in rows for line in wrap(row, max(10, width - 2)))
    lines: list[Line] = [(("  ", "text"), (line, "faint")) for line in islice(wrapped, _MOST_ROWS)]
    return lines if len(lines) < _MOST_ROWS else [*lines[: _MOST_ROWS - 2], (("  …", "faint"),)]


def _pretty(text: str) -> str:
    try:
        return (
            json.dumps(json.loads(text), ensure_ascii=False, indent=1) if text[:1] in ("{", "[") else text or "nothing"
        )
    except (ValueError, RecursionError):
        return text
