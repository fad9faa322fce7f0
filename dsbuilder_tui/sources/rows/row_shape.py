"""One shape of a record: how it is recognised, and where in it the parts of a row are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.sources.rows.row_parts import Parts


def _itself(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (record,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShape:
    """A row of the registry ``dsbuilder.row_shapes``.

    ``label`` is what such a file is called in a sentence. ``recognises`` is asked of each of a file's first records;
    ``parts`` gives what a record says, and raises ``Unusable`` with a reason. ``unfold`` takes a record that holds several
    rows apart into records, of which ``parts`` is then asked.
    """

    label: str
    recognises: Callable[[Mapping[str, Any]], bool]
    parts: Callable[[Mapping[str, Any]], Parts]
    unfold: Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]] = _itself
