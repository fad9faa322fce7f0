"""How many cases of a session came with a file, by category: a plan may hold so many more than its limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class ImportedCounts:
    """The name of the file of rows, empty for any other file, and its cases by category; ``asked`` is how often users have
    asked these, where it was oftener; else empty."""

    KEY: ClassVar[str] = "imported_cases"  # of the session's ``meta``

    name: str = ""
    cases: Mapping[str, int] = field(default_factory=dict)
    asked: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: Any) -> Self:
        """What was kept; nothing in sessions that were not imported, or by an earlier version."""
        if not isinstance(kept, Mapping):
            return cls()
        cases, asked = (
            {str(name): int(count) for name, count in dict(kept.get(key, {})).items()} for key in ("cases", "asked")
        )
        return cls(str(kept.get("name", "")), cases, asked)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.cases.values())

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        asked = {"asked": dict(self.asked)} if self.asked and self.asked != self.cases else {}
        return {"name": self.name, "cases": dict(self.cases), **asked}
