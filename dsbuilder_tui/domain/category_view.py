"""The counts of a category as displays show them, and which categories there is room for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CategoryView:
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0


def fitting(categories: Mapping[str, CategoryView], rows: int, at_work: Collection[str] = ()) -> tuple[list[str], int]:
    """The categories to show in so many rows, and how many are left out. Keeps their order.

    When there is no room for all, those ``at_work`` come first, then those begun, then those not begun, then the rest.
    """
    if len(categories) <= rows:
        return list(categories), 0

    def rank(name: str) -> int:
        c = categories[name]
        done = c.accepted + c.exhausted >= c.planned
        return 0 if name in at_work else 3 if done else 1 if c.accepted + c.rejected else 2

    chosen = set(sorted(categories, key=rank)[: max(0, rows - 1)])
    return [name for name in categories if name in chosen], len(categories) - len(chosen)
