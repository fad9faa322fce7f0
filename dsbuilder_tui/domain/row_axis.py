"""Rows of a file as an axis: each slot of a category is handed one of them."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from dsbuilder_tui.domain.writing_mode import WritingMode

ROW = "row"  # among the tags of a case
_LONGEST_PATH, _LONGEST_FIELD, _MOST_FIELDS = 1000, 200, 50


class RowAxis(BaseModel):
    """A file of rows, of whatever format, and the fields of them that count: all (50 at most) where none is named.

    A field may be a dotted path (``inputs.query``). Raises ``pydantic.ValidationError`` for bad values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    fields: tuple[str, ...] = Field((), max_length=_MOST_FIELDS, exclude_if=operator.not_)

    @field_validator("file", mode="before")
    @classmethod
    def _check_file(cls, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError("must be the path of a file; write for example products.csv")
        if len(value) > _LONGEST_PATH or any(ord(c) < 32 for c in value):
            raise ValueError(f"must be a path of at most {_LONGEST_PATH:,} characters on one line")
        return value.strip()

    @field_validator("fields", mode="before")
    @classmethod
    def _check_fields(cls, value: object) -> object:
        names = () if value is None else [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or any(not isinstance(name, str) or not name.strip() for name in names):
            raise ValueError("must be a list of the names of fields; write for example [name, price]")
        if any(len(name) > _LONGEST_FIELD for name in names):
            raise ValueError(f"names a field of more than {_LONGEST_FIELD} characters")
        return tuple(dict.fromkeys(name.strip() for name in names))

    def check(self, name: str, mode: WritingMode, *, has_sources: bool) -> None:
        """Raises ``ValueError`` where the cases of the category ``name`` cannot be written of rows."""
        if has_sources:
            raise ValueError(
                f"rows of {name!r}: a case is written from documents or about a row, since its facts are quoted from the "
                "documents; take `rows` out, or keep the category apart from `sources`"
            )
        if mode is WritingMode.TEMPLATES:
            raise ValueError(
                f"rows of {name!r}: cases that are made of templates are about no row in particular; write `mode: each`, or "
                "take `rows` out"
            )

    @property
    def words(self) -> str:
        """``products.csv (name, price)``."""
        return f"{self.file} ({', '.join(self.fields)})" if self.fields else self.file


def _entry(value: object) -> object:
    if value is None or value == "":
        return None
    if isinstance(value, RowAxis | Mapping):
        return value
    if isinstance(value, str):
        return {"file": value}
    raise ValueError("must be a path, or {file: products.csv, fields: [name, price]}")


RowsEntry = Annotated[RowAxis | None, BeforeValidator(_entry)]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row that a case is about. ``file`` is its name as it is shown; ``number`` counts the rows of the file from 1."""

    file: str
    number: int
    fields: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it stands, in words: ``products.csv, row 17``."""
        return f"{self.file}, row {self.number:,}"

    @property
    def text(self) -> str:
        """Its fields, a line each: what an expectation may take values from."""
        return "\n".join(f"{name}: {_written(value)}" for name, value in self.fields.items())

    def as_tag(self) -> dict[str, Any]:
        return {"file": self.file, "number": self.number, "fields": dict(self.fields)}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def row_of(tags: Mapping[str, Any]) -> SourceRow | None:
    """The row in the tags of a case; None where there is none."""
    found = tags.get(ROW)
    if not isinstance(found, Mapping) or not isinstance(found.get("fields"), Mapping):
        return None
    number = found.get("number")
    return SourceRow(str(found.get("file", "")), number if isinstance(number, int) else 0, found["fields"])
