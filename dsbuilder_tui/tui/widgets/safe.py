"""Foreign text in widgets that are not painted: titles, Markdown, and a net under all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


_OF_TEXT = ("text", "code_inline")  # types of Markdown's tokens
FindLinks = Callable[[str], Sequence[tuple[int, int, str]]]
"""The links in a piece of text: where each begins and ends, and the address that a click on it gives."""


class _Parser(MarkdownIt):
    """Entities (``&#x202E;``) and percent signs in addresses (``%1B``) become characters only in the parser."""

    find: FindLinks | None = None

    def parse(self, src: str, env: Any = None) -> list[Token]:
        tokens = super().parse(src, env)
        _make_visible(tokens)
        if self.find is not None:
            for token in tokens:
                if token.children:
                    token.children = _with_links(token.children, self.find)
        return tokens


def markdown_parser(find: FindLinks | None = None) -> MarkdownIt:
    """Markdown as the conversation reads it, without anything that could act on a terminal; with what ``find`` gives as links."""
    parser = _Parser("gfm-like", {"html": False})  # tags are shown, not swallowed
    parser.find = find
    return parser


def _with_links(tokens: Sequence[Token], find: FindLinks) -> list[Token]:
    """The pieces of a paragraph, those of text and code cut where a link begins and ends; links stay what they are."""
    pieces: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        begin = 0
        for start, end, address in find(token.content) if depth == 0 and _is_text(token) else ():
            pieces.append(_piece(token, begin, start))
            pieces.append(Token("link_open", "a", 1, attrs={"href": address}))
            pieces.append(_piece(token, start, end))
            pieces.append(Token("link_close", "a", -1))
            begin = end
        pieces.append(_piece(token, begin, len(token.content)) if begin else token)
    return [piece for piece in pieces if piece.content or not _is_text(piece)]


def _is_text(token: Token) -> bool:
    return token.type in _OF_TEXT


def _piece(token: Token, start: int, end: int) -> Token:
    return Token(token.type, token.tag, token.nesting, content=token.content[start:end], markup=token.markup)


def _make_visible(tokens: Sequence[Token]) -> None:
    for token in tokens:
        token.content = visible(token.content)
        token.info = visible(token.info)
        for name, value in token.attrs.items():
            if isinstance(value, str):
                token.attrs[name] = visible(value)
        if token.children:
            _make_visible(token.children)
