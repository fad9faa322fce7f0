"""The fields that a person names: what goes in, what is expected, and the category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.diversity.normalise import compared_texts
from dsbuilder_tui.sources.rows.expected import as_expectations, expectations_of
from dsbuilder_tui.sources.rows.record_fields import MISSING, at
from dsbuilder_tui.sources.rows.row_parts import TEXT_BREAK, Parts, category_of, checked_text, id_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """Where to look, in place of where the shape of a file has it.

    Paths are dotted: ``messages.0.content``; ``fields`` may also lie in the record's inputs.
    """

    fields: tuple[str, ...] = ()
    category_field: str | None = None
    expectations_field: str | None = None

    @property
    def named(self) -> bool:
        """Whether anything is named."""
        return bool(self.fields or self.category_field or self.expectations_field)

    def parts(self, record: Any, shape: RowShape) -> Parts:
        """The parts of a record: what is named here, and by the shape what is not. Raises ``Unusable`` with the reason."""
        if not isinstance(record, dict | list) or (isinstance(record, list) and not self.fields):
            raise Unusable("not a JSON object")
        try:
            return self._parts(record, shape)
        except RecursionError:
            raise Unusable("nested too deeply") from None

    def _parts(self, record: Any, shape: RowShape) -> Parts:
        category = None if self.category_field is None else _required(record, self.category_field)
        expected = None if self.expectations_field is None else _required(record, self.expectations_field)
        found = self._named(record, shape) if self.fields else shape.parts(record)
        return Parts(
            inputs=found.inputs,
            text=found.text,
            expectations=found.expectations if expected is None else self._expectations(expected),
            category=found.category if category is None else category_of({"category": category}),
            id=found.id,
            tags=found.tags,
            answer_decides=found.answer_decides if expected is None else self.expectations_field != "expectations",
        )

    def _named(self, record: Any, shape: RowShape) -> Parts:
        inputs = {path: _input(record, path) for path in self.fields}
        text = TEXT_BREAK.join(text for value in inputs.values() for text in compared_texts(value))
        expectations: Mapping[str, Any] = {}
        if self.expectations_field is None and isinstance(record, Mapping):
            try:
                expectations = shape.parts(record).expectations
            except Unusable:
                expectations = expectations_of({key: value for key, value in record.items() if key not in self.fields})
        return Parts(
            inputs=inputs,
            text=checked_text(text, ", ".join(self.fields)),
            expectations=expectations,
            category=category_of(record),
            id=id_of(record),
            tags=_tags(record),
        )

    def _expectations(self, value: Any) -> Mapping[str, Any]:
        return as_expectations(str(self.expectations_field), value)


def _required(record: Any, path: str) -> Any:
    value = at(record, path)
    if value is MISSING:
        raise Unusable(f"no field {path}")
    return value


def _input(record: Any, path: str) -> Any:
    """The value at a path, in the record or in its inputs."""
    for place in (path, *(f"{name}.{path}" for name in ("inputs", "input", "vars"))):
        value = at(record, place)
        if value is not MISSING:
            return value
    raise Unusable(f"no field {path}")


def _tags(record: Any) -> Mapping[str, Any]:
    tags = record.get("tags") if isinstance(record, Mapping) else None
    return tags if isinstance(tags, Mapping) else {}
