"""The tag of a case that is the partner of another: the pair, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_pair import TAG, CasePair, PairSide
from dsbuilder_tui.domain.sanitise import whole_characters

CHANGED = "changed"  # the key under which a worker says it
_MOST_WORDS = 200  # characters


def pair_tags(slot: Slot, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Tags of a case that a worker wrote for a partner's slot; none for other slots."""
    pair, original = slot.pair, slot.original
    if pair is None or original is None:
        return {}
    given = raw.get(CHANGED)
    words = " ".join(str(whole_characters(given)).split())[:_MOST_WORDS] if isinstance(given, str) else ""
    own = CasePair(
        id=original.case_id, kind=pair.kind, side=PairSide.PARTNER, other=original.case_id, change=pair.change,
        changed=words,
    )  # fmt: skip
    return {TAG: own.as_tag()}
