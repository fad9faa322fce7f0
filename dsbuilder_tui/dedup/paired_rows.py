"""Rows that are partners of others on purpose, by their tags: they may be like their own case."""

from __future__ import annotations

from dsbuilder_tui.diversity.answer import Partner
from dsbuilder_tui.diversity.compared_text import exact_hash
from dsbuilder_tui.domain.case_pair import PairKind, PairSide, pair_of
from dsbuilder_tui.sources.rows.row_parts import Parts


class PairedRows:
    """Knows the originals that have gone by; a dataset of ours has each before its partner."""

    def __init__(self) -> None:
        self._originals: dict[str, int] = {}  # id → hash of the text

    def partner(self, parts: Parts) -> Partner | None:
        """What a row is the partner of; None when it is none, or its original has not come yet."""
        pair = pair_of(parts.tags)
        if pair is None:
            return None
        if pair.side is PairSide.ORIGINAL:
            if parts.id is not None:
                self._originals[parts.id] = exact_hash(parts.text)
            return None
        text = self._originals.get(pair.other)
        return None if text is None else Partner(text, reworded=pair.relation is PairKind.SAME)
