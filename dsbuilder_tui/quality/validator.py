"""A validator: one rule that every case of a category has to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import Slot, display_text
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCase:
    """A candidate as a validator reads it: in the plan's shape, for the slot that it was written for."""

    slot: Slot
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The inputs as one line: the values, in the plan's field order."""
        return display_text(self.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A row of the registry ``dsbuilder.validators``; plans name it by the row's name.

    Attributes:
        words: what it sees to, in a few words: ``the order id of the expectation stands in the input``.
        check: why a case is not good enough, as the beginning of no sentence but a whole reason that a writer can go by
            (``the id 12345 is not in the input``), or None. It must depend on its arguments alone, change nothing and
            cost nothing: no clock, no chance, no network. It is called in a thread beside the event loop.
    """

    words: str
    check: Callable[[CheckedCase, DatasetCategory, DatasetPlanInput], str | None]
