"""Links in painted lines: the parts of a text that name a place become what a click or a label goes to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.tui.paint.line import Line, Span
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.places.references import ALL_KINDS, TextLink

if TYPE_CHECKING:
    from textual.widget import Widget

    from dsbuilder_tui.tui.places.finder import PlaceFinder

LINK = "link"
"""The role that a link has besides that of its text."""


def visit_action(place: Place) -> str:
    """What a click on a link runs: it goes to the place, and does nothing else."""
    return f"screen.visit('{place.token}')"


def link_span(text: str, role: str, place: Place) -> Span:
    """A part of a painted line that is a link."""
    return text, f"{role}+{LINK}", visit_action(place)


def links_in(
    widget: Widget, text: str, kinds: Collection[PlaceKind] = ALL_KINDS, *, asks: bool = True
) -> Sequence[TextLink]:
    """The links of a text on the screen that a widget is on; none where no session is shown. Unless it ``asks``, those alone
    that are known."""
    finder: PlaceFinder | None = getattr(widget.screen, "places", None)
    return finder.links(text, kinds, asks=asks) if finder is not None else ()


def linked(line: Line, find: Callable[[str], Sequence[TextLink]]) -> Line:
    """The line with what it names as links."""
    found = find("".join(span[0] for span in line))
    if not found:
        return line
    spans: list[Span] = []
    at = 0
    for span in line:
        text, begin = span[0], 0
        for link in found:
            start, end = max(link.start - at, begin), min(link.end - at, len(text))
            if start < end:
                spans += [_part(span, begin, start), link_span(text[start:end], span[1], link.place)]
                begin = end
        spans.append(_part(span, begin, len(text)))
        at += len(text)
    return tuple(span for span in spans if span[0])


def _part(span: Span, begin: int, end: int) -> Span:
    text = span[0][begin:end]
    return (text, span[1]) if len(span) == 2 else (text, span[1], span[2])
