"""The memory of a comparing stage that goes by texts: what it is told of the admitted cases, and what it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from dsbuilder_tui.diversity.compared_text import PARTS, masked


@dataclass(frozen=True)
class ComparedCase:
    """A case as a stage sees it. ``text`` has every field of the inputs, a line or more each."""

    text: str
    expectations: Mapping[str, Any]

    @classmethod
    def of(cls, text: str, expectations: Mapping[str, Any]) -> ComparedCase:
        """The case of a compared text, in which a sign that nobody types parts the fields."""
        return cls(text.replace(PARTS, "\n"), expectations)

    @cached_property
    def masked(self) -> str:
        """The text in small letters, with ids, dates, names and addresses masked."""
        return masked(self.text)


class TextIndex(Protocol):
    """The admitted cases of one scope (a category, or the whole dataset), as one stage remembers them.

    It is made empty and told of every admitted case, in the order in which they were admitted, when a session is resumed
    too. Its answers must depend on that alone: then resuming decides as going on would have. It is called in one thread.
    """

    def admit(self, row: int, case: ComparedCase) -> None:
        """A case counts from now on. ``row`` is its number in the comparison; later cases have higher ones."""

    def nearest(self, case: ComparedCase) -> Iterable[tuple[int, float]]:
        """Admitted cases as (row, score from 0 to 1), the most alike first. It is read as far as scores are repeats."""
