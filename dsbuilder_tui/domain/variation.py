"""Variations: slots whose cases vary another case of their category, harder, since the application fails at that one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field


class Variation(BaseModel):
    """``slots`` are to vary the case in the slot ``of``: each has its attributes, its passages and its row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: int = Field(ge=1)
    slots: tuple[int, ...] = Field(min_length=1)


class VariedSlots:
    """Which slots of a category vary which others."""

    def __init__(self, variations: Iterable[Variation]) -> None:
        self._of = {slot: one.of for one in variations for slot in one.slots}

    def __contains__(self, ordinal: object) -> bool:
        return ordinal in self._of

    def __iter__(self) -> Iterator[int]:
        return iter(self._of)

    def __bool__(self) -> bool:
        return bool(self._of)

    def of(self, ordinal: int) -> int | None:
        """The slot whose case it varies; None for one that varies none."""
        return self._of.get(ordinal)

    def root(self, ordinal: int) -> int:
        """The slot that all began with: what is varied may vary another one itself."""
        seen = set[int]()
        while (before := self._of.get(ordinal)) is not None and ordinal not in seen:
            seen.add(ordinal)
            ordinal = before
        return ordinal
