"""The metadata of our own exports for other tools: with it a row is read back as the case that it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.question_answer import QuestionAnswer
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of

_MARKS = ("case_id", "category", "slot")


def own_metadata(record: Mapping[str, Any], name: str = "metadata") -> dict[str, Any] | None:
    """The tags of a case of ours in a record's metadata; None in a record of somebody else's."""
    metadata = record.get(name)
    return dict(metadata) if isinstance(metadata, Mapping) and all(mark in metadata for mark in _MARKS) else None


def own_parts(inputs: Mapping[str, Any], expectations: Mapping[str, Any], tags: Mapping[str, Any]) -> Parts:
    """The parts of a row that is a case of ours. Raises ``Unusable`` where there is nothing to compare."""
    return parts_of({"expectations": expectations, "tags": tags}, inputs, expectations, ("expectations",))


def own_pair(question: Any, answer: Any, metadata: dict[str, Any]) -> Parts:
    """As ``own_parts``, of a question, an answer (None or empty where there was none) and the metadata of both."""
    said = answer if isinstance(answer, str) and (answer or "expectation_key" in metadata) else None
    pair = QuestionAnswer(question=question if isinstance(question, str) else "", answer=said, metadata=metadata)
    return own_parts(pair.inputs, pair.expectations, pair.tags)


def unpacked(variables: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """Variables of which some were written as JSON."""
    packed = {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    found = dict(variables)
    for name in packed & found.keys():
        try:
            found[name] = json.loads(found[name])
        except (TypeError, ValueError, RecursionError):
            continue  # changed meanwhile: it stays the text that it is now
    return found
