"""Rows of a file as the cases of a plan."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dsbuilder_tui.domain.case import IMPORTED_FROM
from dsbuilder_tui.sources.rows.imported_rows import ImportedRows, Numbers
from dsbuilder_tui.sources.rows.record_fields import storable
from dsbuilder_tui.sources.rows.row_parts import Parts
from dsbuilder_tui.store.imports.import_format import ImportedCase
from dsbuilder_tui.store.imports.lazy_cases import LazyCases

_OWN_TAGS = frozenset({"case_id", "category", "slot"})


class RowCases(LazyCases):
    """Rows as the cases of a plan, in the first slots of their categories; each is read when it is asked for."""

    def __init__(
        self, rows: ImportedRows, groups: Mapping[str, Numbers], fields: Mapping[str, str], origin: str
    ) -> None:
        """``groups`` has the rows by category; ``fields`` the name in the plan of each input, ``origin`` that of the file."""
        self._rows, self._groups, self._fields, self._origin = rows, groups, fields, origin
        self._names = list(groups)
        self._begins = np.cumsum([0, *map(len, groups.values())]).tolist()

    def __len__(self) -> int:
        return int(self._begins[-1])

    def _case_at(self, place: int) -> ImportedCase:
        group = bisect_right(self._begins, place) - 1
        name = self._names[group]
        number = place - self._begins[group]
        return self._case(name, number + 1, self._rows[int(self._groups[name][number])])

    def __iter__(self) -> Iterator[ImportedCase]:
        for name, numbers in self._groups.items():
            for ordinal, number in enumerate(numbers, 1):
                yield self._case(name, ordinal, self._rows[int(number)])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def _case(self, name: str, ordinal: int, parts: Parts) -> ImportedCase:
        inputs, expectations = inputs_of(parts, self._fields), cleaned(parts.expectations)
        return ImportedCase(name, ordinal, inputs, expectations, _tags(parts, self._origin))


def inputs_of(parts: Parts, fields: Mapping[str, str]) -> dict[str, Any]:
    """A row's inputs under the plan's fields; one that it has not is empty."""
    return {new: storable(parts.inputs.get(name, "")) for name, new in fields.items()}


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values under names that are text, as a session keeps them."""
    return {str(key): value for key, value in storable(values).items()}


def _tags(parts: Parts, origin: str) -> dict[str, Any]:
    tags = {key: value for key, value in cleaned(parts.tags).items() if key not in _OWN_TAGS}
    if parts.id is not None:
        tags["imported_case_id"] = parts.id
    return {**tags, IMPORTED_FROM: origin}
