"""The text of a case that is compared, and the hash by which texts are the same but for incidental detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xxhash

from dsbuilder_tui.diversity.normalise import compared_texts, normalise
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import MESSAGES, user_turns
from dsbuilder_tui.domain.scenario import CONTEXT

PARTS = "\x1e"  # between the fields of a case
_SIGN = 1 << 63


def compared_text(inputs: Mapping[str, Any], kind: CaseKind = CaseKind.SINGLE) -> str:
    """The text in a case's inputs that a person would compare: every field, of messages what the user says, of a scenario
    what the simulated user is told.
    """
    match kind:
        case CaseKind.CONVERSATION:
            inputs = {**inputs, MESSAGES: user_turns(inputs.get(MESSAGES))}
        case CaseKind.SCENARIO:
            inputs = {field: value for field, value in inputs.items() if field != CONTEXT}
        case CaseKind.SINGLE:
            inputs = {field: user_turns(value) or value for field, value in inputs.items()}
    return PARTS.join(compared_texts(inputs))


def text_hash(masked: str) -> int:
    """A signed 64-bit hash of a masked text, the same in every process and on every machine."""
    return xxhash.xxh3_64_intdigest(masked.encode("utf-8", "surrogatepass")) - _SIGN


def exact_hash(text: str) -> int:
    """As ``text_hash``, of a text as it stands: only white space is not looked at."""
    return text_hash(" ".join(text.split()))


def structure_hash(inputs: Mapping[str, Any], kind: CaseKind = CaseKind.SINGLE) -> int:
    return text_hash(masked(compared_text(inputs, kind)))


def masked(text: str) -> str:
    return PARTS.join(normalise(part) for part in text.split(PARTS))
