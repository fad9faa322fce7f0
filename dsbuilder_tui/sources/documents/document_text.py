"""A document as text: what every format is read into."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.sources.foreign_text import kept

_MOST_TAGS = 1_000_000


@dataclass(frozen=True, slots=True)
class Heading:
    """``start`` is where the heading's own line begins; ``level`` counts from 1."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """``headings`` are in the order of the text."""

    text: str
    headings: tuple[Heading, ...] = ()


class TextBuilder:
    """Puts a document together out of paragraphs and headings, for formats that are no text themselves.

    Foreign text becomes text that can be kept and shown: no control characters, no keys.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self.length = 0

    def paragraph(self, text: str) -> None:
        """Add a paragraph; one of white space alone is none."""
        if text := kept(text).strip():
            self._add(text)

    def heading(self, title: str, level: int) -> None:
        if title := " ".join(kept(title).split()):
            start = self.length
            self._add(title)
            self._headings.append(Heading(start, max(1, level), title))

    def _add(self, text: str) -> None:
        self._parts.append(text + "\n\n")
        self.length += len(text) + 2

    def document(self) -> DocumentText:
        return DocumentText("".join(self._parts), tuple(self._headings))


def require_few_tags(tags: int) -> None:
    """Raises ``ValueError`` for a page whose tree would take gigabytes: each tag takes some hundred times its text."""
    if tags > _MOST_TAGS:
        raise ValueError(f"it has more than {_MOST_TAGS:,} tags")
