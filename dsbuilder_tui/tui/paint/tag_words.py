"""The tags of a case in words: which stand under which name, and how their values are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.case_pair import PAIR_NAMES, CasePair, PairKind
from dsbuilder_tui.domain.case_pair import TAG as PAIR
from dsbuilder_tui.domain.case_template import TEMPLATE_TAG
from dsbuilder_tui.domain.evaluation import EASY
from dsbuilder_tui.domain.evidence import EVIDENCE, SOURCES
from dsbuilder_tui.domain.flags import COMPARED_BEGINNING
from dsbuilder_tui.domain.judging import TAG
from dsbuilder_tui.domain.row_axis import ROW
from dsbuilder_tui.domain.stage_record import TAG as STAGES

# Tags that a field of their own shows: attributes, flags, verdict, stages, pair, passages, row, a person's marks.
_SHOWN_ELSEWHERE = frozenset(
    {"attributes", "flags", "note", "pinned", "edited", TAG, STAGES, PAIR, SOURCES, EVIDENCE, ROW}
)
# What a tag is called for a person; one that is not here is called by its own name.
_NAMES = {
    "model": "written by",
    "template": "made from",
    "perturbation": "disturbed by",
    TEMPLATE_TAG: "template",
    EASY: "passes each time",
    COMPARED_BEGINNING: "compared by its first characters",
}
_NOTHING: Sequence[Any] = (None, "", "none", [], {})


def tag_words(tags: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of the tags that no field of their own shows, in order. Foreign text in them is not made visible."""
    return [
        (_NAMES.get(name, _plain_name(name)), value_words(value))
        for name, value in tags.items()
        if name not in _SHOWN_ELSEWHERE and value not in _NOTHING
    ]


def value_words(value: Any) -> str:
    """The value of a tag, on one line: parts of a mapping with their names, items of a list one behind the other."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " · ".join(f"{_plain_name(str(name))}: {value_words(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(value_words(inner) for inner in value)
    return str(value)


def _plain_name(name: str) -> str:
    return name.replace("_", " ")


def pair_words(pair: CasePair) -> str:
    """A pair as a sentence: with which case, and what differs. Foreign text in it is not made visible."""
    if pair.relation is PairKind.SAME:
        return f"{PAIR_NAMES[pair.relation]} with {pair.other}: other words, the same expectations."
    differs = f"the {pair.change} differs" if pair.change is not None else "one thing differs"
    changed = f" ({pair.changed})" if pair.changed else ""
    return f"{PAIR_NAMES[pair.relation]} with {pair.other}: {differs}{changed}, and so do the expectations."
