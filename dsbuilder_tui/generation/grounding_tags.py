"""Tags of a case that is written from documents: its passages, and where its quotations stand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.evidence import EVIDENCE, SOURCES, Evidence
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.quality.quotation import QuotedText

_MOST_QUOTES, _LONGEST_QUOTE = 12, 1000


@lru_cache(maxsize=256)
def _quoted(text: str) -> QuotedText:
    return QuotedText(text)


def grounding_tags(slot: Slot, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Tags of a case that a worker wrote for a slot with passages; none for other slots."""
    if not slot.passages:
        return {}
    sources = [
        {"document": p.document, "heading": p.heading, "passage": p.id, "start": p.start, "end": p.end}
        for p in slot.passages
    ]
    quotes = _quotes(raw.get("evidence"))
    if not quotes:
        return {SOURCES: sources}
    return {SOURCES: sources, EVIDENCE: [_located(slot, quote).as_tag() for quote in quotes]}


def _quotes(given: object) -> list[str]:
    """The quotations, in whatever shape a model gives them: texts, or objects with a text in them."""
    found = []
    for one in given if isinstance(given, list) else [given]:
        text = one.get("quote", one.get("evidence")) if isinstance(one, Mapping) else one
        if isinstance(text, str) and text.strip():
            found.append(str(whole_characters(text)).strip()[:_LONGEST_QUOTE])
    return found[:_MOST_QUOTES]


def _located(slot: Slot, quote: str) -> Evidence:
    for passage in slot.passages:
        if place := _quoted(passage.text).find(quote):
            start, end = place
            return Evidence(passage.text[start:end], passage.id, passage.start + start, passage.start + end)
    return Evidence(quote)
