"""Problems of a case that a person is changing: what does not fit the plan, and what its rules say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CaseProblems:
    """``inputs`` and ``expectations`` say by field why it cannot be saved so; ``rules`` are what the validators find,
    each its name and a reason: a person may save it all the same.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    expectations: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it can be saved."""
        return not self.inputs and not self.expectations
