"""The record of a finished stage: who did it, and what came of it. It stands in the tags of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dsbuilder_tui.domain.writing_stage import EvolveManner, WritingStage

TAG = "stages"  # the key of a case's tags under which its records stand


class StageResult(StrEnum):
    """What came of a stage."""

    DONE = "done"  # it wrote the case
    KEPT = "kept"  # it could not: the text of before is kept
    GOOD = "good"  # the critique found nothing wrong
    BAD = "bad"
    NOT_JUDGED = "not_judged"  # it gave no verdict that is of use


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One finished stage of one case. ``words`` are the critique, or why a text was kept or not judged."""

    stage: WritingStage
    result: StageResult
    model: str
    how: EvolveManner | None = None
    words: str = ""

    def as_tag(self) -> dict[str, Any]:
        """As JSON-ready data; what is empty is left out."""
        told: dict[str, Any] = {"stage": self.stage.value, "result": self.result.value, "model": self.model}
        if self.how is not None:
            told["how"] = self.how.value
        return told | ({"words": self.words} if self.words else {})

    @classmethod
    def from_tag(cls, tag: Mapping[str, Any]) -> StageRecord:
        """Raises ``ValueError`` or ``KeyError`` for what is no record."""
        how = tag.get("how")
        return cls(
            WritingStage(tag["stage"]), StageResult(tag["result"]), str(tag.get("model", "")),
            None if how is None else EvolveManner(how), str(tag.get("words", "")),
        )  # fmt: skip

    @property
    def sentence(self) -> str:
        """``evolve (harder) by big``, ``critique by judge: nothing wrong``."""
        name = f"{self.stage} ({self.how})" if self.how else self.stage.value
        said = {
            StageResult.DONE: "", StageResult.KEPT: f": not done ({self.words}), the text was kept",
            StageResult.GOOD: ": nothing wrong", StageResult.BAD: f": {self.words}",
            StageResult.NOT_JUDGED: f": no verdict ({self.words})",
        }  # fmt: skip
        return f"{name} by {self.model}{said[self.result]}"


def stage_records(tags: Mapping[str, Any]) -> list[StageRecord]:
    """The records in a case's tags, in order; none where it was drafted alone, or where something else stands there."""
    given = tags.get(TAG)
    try:
        return [StageRecord.from_tag(one) for one in given] if isinstance(given, list) else []
    except (ValueError, KeyError, AttributeError, TypeError):
        return []
