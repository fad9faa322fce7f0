"""The tag of a case that is the partner of another: the pair, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_pair import CHANGE, CHANGED, TAG, CasePair, ContrastChange, PairSide
from dsbuilder_tui.domain.sanitise import whole_characters

_MOST_WORDS = 200  # characters


def pair_tags(slot: Slot, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Tags of a case that a worker wrote for a partner's slot; none for other slots."""
    pair, original = slot.pair, slot.original
    if pair is None or original is None:
        return {}
    given = raw.get(CHANGED)
    words = " ".join(str(whole_characters(given)).split())[:_MOST_WORDS] if isinstance(given, str) else ""
    change = raw.get(CHANGE) if pair.change is not None else None
    own = CasePair(
        id=original.case_id, relation=pair.relation, side=PairSide.PARTNER, other=original.case_id,
        change=ContrastChange(change) if change in set(ContrastChange) else pair.change,
        changed=words,
    )  # fmt: skip
    return {TAG: own.as_tag()}
