"""A tool call of the agent: one line, and what is behind it when it is opened."""

from __future__ import annotations

import json

from rich.cells import cell_len

from dsbuilder_tui.domain.message import ToolContent
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
        for row in rows:
            lines += [(("  ", "text"), (line, "faint")) for line in wrap(row, max(10, width - 2))]
    if len(lines) > _MOST_ROWS:
        lines = [*lines[: _MOST_ROWS - 1], (("  …", "faint"),)]
    return lines


def _pretty(text: str) -> str:
    try:
        return (
            json.dumps(json.loads(text), ensure_ascii=False, indent=1) if text[:1] in ("{", "[") else text or "nothing"
        )
    except (ValueError, RecursionError):
        return text
