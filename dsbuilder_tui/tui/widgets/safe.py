"""Foreign text in widgets that are not painted: titles, Markdown, and a net under all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from dsbuilder_tui.domain.sanitise import bare, visible
from dsbuilder_tui.tui.paint.line import plain


def title(text: object) -> Content:
    """Foreign text for a border: a plain string there would be read as markup."""
    return Content(plain(text))


class Net(LineFilter):
    """Takes control characters out of whatever is about to be drawn, should a widget have let one through."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(bare(text), style, control) for text, style, control in segments]


class _Parser(MarkdownIt):
    """Entities (``&#x202E;``) and percent signs in addresses (``%1B``) become characters only in the parser."""

    def parse(self, src: str, env: Any = None) -> list[Token]:
        tokens = super().parse(src, env)
        _make_visible(tokens)
        return tokens


def markdown_parser() -> MarkdownIt:
    """Markdown as the conversation reads it, without anything that could act on a terminal."""
    return _Parser("gfm-like")


def _make_visible(tokens: Sequence[Token]) -> None:
    for token in tokens:
        token.content = visible(token.content)
        token.info = visible(token.info)
        for name, value in token.attrs.items():
            if isinstance(value, str):
                token.attrs[name] = visible(value)
        if token.children:
            _make_visible(token.children)
