"""A page of the manual as painted lines: headings, paragraphs, lists, blocks of code, and no more of Markdown."""

from __future__ import annotations

import re

from rich.cells import cell_len

from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, wrap
from dsbuilder_tui.tui.places.links import link_span
from dsbuilder_tui.tui.places.place import Place, PlaceKind

_WIDEST = 100  # longer lines are hard to read
_ITEM = re.compile(r"- |\d+\. ")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\*(?P<word>[^*]+)\*|\[(?P<link>[^\[\]]+)\]\((?P<page>[^()]*)\)"
)
_ROLES = {"code": "accent", "bold": "strong", "word": "info"}


def guide_lines(markdown: str, width: int) -> list[Line]:
    """The page in lines of at most ``width`` cells."""
    width = min(width, _WIDEST)
    lines: list[Line] = []
    said = ""  # the paragraph or list item that is being read
    fenced = False
    for row in [*markdown.splitlines(), ""]:
        begins = row.startswith(("#", "```")) or _ITEM.match(row) is not None
        if said and (fenced or begins or not row.strip()):
            lines += _paragraph(said, width)
            said = ""
        if row.startswith("```"):
            fenced = not fenced
        elif fenced:
            lines += [(("  ", "text"), (part, "muted")) for part in wrap(row, width - 2)]
        elif row.startswith("#"):
            lines.append(((row.lstrip("# "), "strong"),))
        elif row.strip():
            said = f"{said} {row.strip()}" if said else row
        else:
            lines.append(EMPTY)
    while lines and lines[-1] == EMPTY:
        lines.pop()
    return lines


def _paragraph(text: str, width: int) -> list[Line]:
    """Words with roles, broken between them; an item of a list keeps its sign to itself."""
    found = _ITEM.match(text)
    sign = found.group() if found else ""
    indent = " " * len(sign)
    lines: list[Line] = []
    line: list[Span] = [(sign.replace("- ", "· "), "muted")] if sign else []
    used = len(sign)
    for word in _words(text[len(sign) :]):
        size = sum(cell_len(part[0]) for part in word)
        blank = 1 if used > len(sign) else 0
        if blank and used + blank + size > width:
            lines.append(tuple(line))
            line, used, blank = [(indent, "text")], len(indent), 0
        line += [*[(" ", "text")] * blank, *word]
        used += blank + size
    return [*lines, tuple(line)]


def _words(text: str) -> list[list[Span]]:
    """The words of a paragraph, each in pieces of one role."""
    words: list[list[Span]] = [[]]
    place = 0
    for found in [*_INLINE.finditer(text), None]:
        pieces: list[Span] = [(text[place : found.start() if found else len(text)], "text")]
        if found:
            pieces.append(_marked(found))
            place = found.end()
        for piece in pieces:
            for index, word in enumerate(piece[0].split(" ")):
                if index:
                    words.append([])
                if word:
                    words[-1].append((word, piece[1]) if len(piece) == 2 else (word, piece[1], piece[2]))
    return [word for word in words if word]


def _marked(found: re.Match[str]) -> Span:
    """What is marked in a paragraph; a link to another page goes there."""
    if (name := found["page"]) is not None:
        if not name.endswith(".md"):
            return found["link"], "info"
        return link_span(found["link"], "info", Place(kind=PlaceKind.PAGE, name=name.removesuffix(".md")))
    kind = found.lastgroup or ""
    return found[kind], _ROLES[kind]
