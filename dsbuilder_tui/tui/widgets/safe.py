"""Foreign text in widgets that are not painted: titles, Markdown, and a net under all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from dsbuilder_tui.domain.sanitise import bare, visible
from dsbuilder_tui.tui.colours import COLOURS
from dsbuilder_tui.tui.paint.line import plain


def title(text: object) -> Content:
    """Foreign text for a border: a plain string there would be read as markup."""
    return Content(plain(text))


_PLAIN = Style(color="default", bgcolor="default")
_REVERSED = _PLAIN + Style(reverse=True)


class Net(LineFilter):
    """Takes control characters out of whatever is about to be drawn, should a widget have let one through."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        texts = [bare(segment.text) for segment in segments]
        if all(text is segment.text for text, segment in zip(texts, segments, strict=True)):
            return segments
        return [Segment(text, s.style, s.control) for text, s in zip(texts, segments, strict=True)]


class Colourless(LineFilter):
    """For ``NO_COLOR``: no colour at all; what only its background marks (cursor, selection, scrollbar) is reversed."""

    def __init__(self, marking: Iterable[str]) -> None:
        super().__init__()
        self._marking = {Color.parse(colour).rich_color.triplet for colour in marking}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, style and style + (_REVERSED if self._marks(style) else _PLAIN), control)
            for text, style, control in segments
        ]

    def _marks(self, style: Style) -> bool:
        return style.bgcolor is not None and style.bgcolor.triplet in self._marking


def last_filters(no_color: bool) -> list[LineFilter]:
    """What everything drawn goes through at the end."""
    marks = [colours[mark] for colours in COLOURS.values() for mark in ("selected", "accent", "track", "faint")]
    return [*([Colourless(marks)] if no_color else []), Net()]


class _Parser(MarkdownIt):
    """Entities (``&#x202E;``) and percent signs in addresses (``%1B``) become characters only in the parser."""

    def parse(self, src: str, env: Any = None) -> list[Token]:
        tokens = super().parse(src, env)
        _make_visible(tokens)
        return tokens


def markdown_parser() -> MarkdownIt:
    """Markdown as the conversation reads it, without anything that could act on a terminal."""
    return _Parser("gfm-like", {"html": False})  # tags are shown, not swallowed


def _make_visible(tokens: Sequence[Token]) -> None:
    for token in tokens:
        token.content = visible(token.content)
        token.info = visible(token.info)
        for name, value in token.attrs.items():
            if isinstance(value, str):
                token.attrs[name] = visible(value)
        if token.children:
            _make_visible(token.children)
