"""Evidence: quotations from passages, by which an expected fact is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SOURCES, EVIDENCE = "sources", "evidence"  # among the tags of a case


@dataclass(frozen=True, slots=True)
class Evidence:
    """``start`` and ``end`` are places in the document's text; ``passage`` is empty for a quotation that stands nowhere."""

    quote: str
    passage: str = ""
    start: int = 0
    end: int = 0

    def as_tag(self) -> dict[str, Any]:
        return asdict(self)


def evidence_of(tags: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """The evidence in the tags of a case; what is none is left out."""
    found = tags.get(EVIDENCE)
    if not isinstance(found, list):
        return ()
    return tuple(
        Evidence(one["quote"], str(one.get("passage", "")), _number(one.get("start")), _number(one.get("end")))
        for one in found
        if isinstance(one, Mapping) and isinstance(one.get("quote"), str)
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
