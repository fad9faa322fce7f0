"""Imported cases that are not held: each is read when it is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from dsbuilder_tui.store.imports.import_format import ImportedCase


class LazyCases(Sequence[ImportedCase]):
    """A sequence of which ``_case_at`` makes one case at a time."""

    @overload
    def __getitem__(self, place: int) -> ImportedCase: ...
    @overload
    def __getitem__(self, place: slice) -> list[ImportedCase]: ...
    def __getitem__(self, place: int | slice) -> ImportedCase | list[ImportedCase]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return self._case_at(range(len(self))[place])

    @abstractmethod
    def _case_at(self, place: int) -> ImportedCase:
        """The case at a place from 0 on."""
