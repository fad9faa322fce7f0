"""Documents cut into passages: at headings, and where a section is too long, between paragraphs and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dsbuilder_tui.domain.passage import HEADINGS_BETWEEN, Passage
from dsbuilder_tui.sources.documents.document_text import DocumentText

LONGEST = 1600  # characters of a passage: a batch of twenty has to fit into a worker's prompt
_SHORTEST = 300  # characters; a section that is shorter is taken together with the next
_LEAST_LETTERS = 40  # with fewer there is nothing to ask about
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]?\s|[。！？]")
_ITEM = re.compile(r"\n(?=[ \t]*(?:\||[-*•+][ \t]|\d{1,3}[.)][ \t]))")
_SPACE = re.compile(r"\s")
_LONGEST_HEADING = 200


def cut(document: str, content: DocumentText) -> list[Passage]:
    """The passages of a document, in order. The same text gives the same passages.

    ``document`` is the name under which it is shown. What holds hardly any letters is left out.
    """
    text, out = content.text, []
    for heading, start, end in _joined(text, list(_sections(content))):
        for first, last in _pieces(text, start, end):
            first, last = _trimmed(text, first, last)
            if sum(map(str.isalpha, text[first:last])) >= _LEAST_LETTERS:
                out.append(Passage(document, heading, first, last, text[first:last]))
    return out


def _sections(content: DocumentText) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(path of headings, start, end) of what stands between headings; a heading's own line belongs to its section."""
    path: list[tuple[int, str]] = []
    starts = [*(heading.start for heading in content.headings), len(content.text)]
    if starts[0] > 0:
        yield (), 0, starts[0]
    for heading, end in zip(content.headings, starts[1:], strict=True):
        while path and path[-1][0] >= heading.level:
            path.pop()
        path.append((heading.level, heading.title))
        yield tuple(title for _, title in path), heading.start, end


def _joined(text: str, sections: Sequence[tuple[tuple[str, ...], int, int]]) -> Iterator[tuple[str, int, int]]:
    """Short sections together with what follows, as far as a passage reaches. They are named by what their paths share."""
    held: tuple[tuple[str, ...], int, int] | None = None
    for path, start, end in sections:
        if held is not None and (held[2] - held[1] >= _SHORTEST or end - held[1] > LONGEST):
            yield _named(held[0]), held[1], held[2]
            held = None
        if held is None:
            held = path, start, end
        else:
            shared = [one for one, other in zip(held[0], path, strict=False) if one == other]
            # A parent without words of its own gives its first child's section its place, and keeps that one's name.
            held = (path if path[: len(held[0])] == held[0] else tuple(shared)), held[1], end
    if held is not None:
        yield _named(held[0]), held[1], held[2]


def _named(path: tuple[str, ...]) -> str:
    return HEADINGS_BETWEEN.join(path)[:_LONGEST_HEADING]


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A section in pieces of at most ``LONGEST`` characters, about equally long."""
    while end - start > LONGEST:
        count = -(-(end - start) // LONGEST)
        wish = start + (end - start) // count
        at = _best_cut(text, start, min(end, start + LONGEST), wish)
        yield start, at
        start = at
    yield start, end


def _best_cut(text: str, start: int, limit: int, wish: int) -> int:
    """The place to cut that is nearest to ``wish``: behind a paragraph, else between the items of a list or the rows of a
    table, else behind a sentence, else a word."""
    least = start + (wish - start) // 2
    for pattern in (_PARAGRAPH, _ITEM, _SENTENCE, _SPACE):
        places = [found.end() for found in pattern.finditer(text, least, limit)]
        if places:
            return min(places, key=lambda place: abs(place - wish))
    return limit


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), end - (len(body) - len(body.rstrip()))
