"""A passage: a piece of a document that a case is written from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

HEADINGS_BETWEEN = " › "


@dataclass(frozen=True, slots=True)
class Passage:
    """``start`` and ``end`` are places in the document's text; ``heading`` is the path of headings above it.

    ``document`` is the path that it was read from, as it is shown. ``id`` is made of the text alone, so a passage that
    stands in two documents, or in a document that has moved, is the same passage.
    """

    document: str
    heading: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        return hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()

    @property
    def place(self) -> str:
        """Where it stands, in words: ``refunds.md › Refunds › Late parcels``."""
        return f"{self.document}{HEADINGS_BETWEEN}{self.heading}" if self.heading else self.document
