"""Findings of a judge on the rows of a file, known from an earlier run, in a few bytes a row."""

from __future__ import annotations

from dsbuilder_tui.diversity.compared_text import text_hash
from dsbuilder_tui.diversity.exact_index import ExactIndex
from dsbuilder_tui.domain.judging import Judgement

_FINDINGS = tuple(Judgement)


class KnownFindings:
    """Findings by the number of a line and the digest of what stands there; about 12 bytes each."""

    def __init__(self) -> None:
        self._places = ExactIndex()

    def add(self, line: int, digest: str, finding: Judgement) -> None:
        self._places.add(_key(line, digest), _FINDINGS.index(finding))

    def find(self, line: int, digest: str) -> Judgement | None:
        place = self._places.find(_key(line, digest))
        return None if place is None else _FINDINGS[place]


def _key(line: int, digest: str) -> int:
    return text_hash(f"{line} {digest}")
