"""Text in pieces of different roles, wrapped as one."""

from __future__ import annotations

from collections.abc import Sequence

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import Line, Span, wrap


def flow(pieces: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """The pieces, each a text and its role, as lines of at most ``width`` cells. Their text may be foreign."""
    shown = [(visible(text).replace("\t", "    "), role) for text, role in pieces]
    roles: list[str] = []
    for text, role in shown:
        roles.extend("text" if c.isspace() else role for c in text)
    whole = "".join(text for text, _ in shown)
    lines: list[Line] = []
    place = 0
    for row in wrap(whole, width):
        found = whole.find(row[:1], place) if row else place
        spans: list[Span] = []
        at = found if found >= 0 else place
        for character in row:
            while at < len(whole) and whole[at] != character:
                at += 1
            role = roles[at] if at < len(roles) else "text"
            if spans and spans[-1][1] == role:
                spans[-1] = (spans[-1][0] + character, role)
            else:
                spans.append((character, role))
            at += 1
        place = at
        lines.append(tuple(spans))
    return lines
