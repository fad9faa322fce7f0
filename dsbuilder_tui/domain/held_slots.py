"""Slots that are held to values of their category's axes: how one cell of the coverage gets more cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field


class HeldSlots(BaseModel):
    """``slots`` have these values of ``attributes`` (axis to value), and take turns in those of the other axes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attributes: dict[str, str] = Field(min_length=1)
    slots: tuple[int, ...] = Field(min_length=1)


class HeldValues:
    """What each slot of a category is held to, as far as its axes have it."""

    def __init__(self, held: Iterable[HeldSlots], axes: Mapping[str, Iterable[str]]) -> None:
        self._of: dict[int, tuple[tuple[tuple[str, str], ...], int]] = {}
        known = {axis: frozenset(values) for axis, values in axes.items()}
        turns: dict[tuple[tuple[str, str], ...], int] = {}
        for one in held:
            cell = tuple(sorted((a, v) for a, v in one.attributes.items() if v in known.get(a, ())))
            for slot in one.slots if cell else ():
                self._of[slot] = cell, turns.get(cell, 0)
                turns[cell] = turns.get(cell, 0) + 1

    def __contains__(self, ordinal: object) -> bool:
        return ordinal in self._of

    def __iter__(self) -> Iterator[int]:
        return iter(self._of)

    def __bool__(self) -> bool:
        return bool(self._of)

    def first(self) -> int:
        """The lowest slot that is held; all slots before it are as they were when the first was."""
        return min(self._of, default=0)

    def of(self, ordinal: int) -> tuple[tuple[tuple[str, str], ...], int] | None:
        """The values (axis, value) that a slot is held to, and how many slots before it are held to the same."""
        return self._of.get(ordinal)
