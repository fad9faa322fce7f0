"""Templates of cases: a text with placeholders, and fillers that say what comes into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w{0,63})\}")
TEMPLATE_TAG = "template_id"  # the key of a case's tags under which its template is named


class FillerType(StrEnum):
    """What a filler's values are."""

    CHOICE = "choice"  # one of a list of texts
    ATTRIBUTE = "attribute"  # of a list of texts for each value of an axis
    ID = "id"  # in the shape of an example: ORD-48213
    AMOUNT = "amount"  # money, in the shape of an example, between two bounds
    NUMBER = "number"  # a whole number between two bounds
    DATE = "date"  # in the shape of an example
    NAME = "name"  # of a person
    EMAIL = "email"
    CITY = "city"
    COMPANY = "company"
    WEEKDAY = "weekday"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Filler(_Model):
    """What comes into one placeholder.

    ``values`` are those of a choice. ``axis`` is that of an attribute filler, and ``by_value`` its texts for each value of
    the axis. ``example`` shows the shape of an id, an amount or a date; ``low`` and ``high`` bound a number or an amount.
    """

    name: str
    type: FillerType
    values: tuple[str, ...] = ()
    axis: str = ""
    by_value: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    example: str = ""
    low: float | None = None
    high: float | None = None


class CaseTemplate(_Model):
    """A template, with the fillers that it uses.

    ``inputs`` and ``expectations`` are those of a case, with placeholders. ``details`` are sentences that may be added to
    the message without a change of what is expected. ``attributes`` are the values of axes that it is for; of an axis that is not
    named it fits those that do not change what is said.
    """

    inputs: dict[str, Any]
    expectations: dict[str, Any] = Field(default_factory=dict)
    details: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    fillers: tuple[Filler, ...] = ()

    def filler(self, name: str) -> Filler | None:
        """The filler of a placeholder; None where there is none."""
        return next((filler for filler in self.fillers if filler.name == name), None)

    @property
    def needed(self) -> frozenset[str]:
        """The names of the placeholders in its inputs."""
        return frozenset(placeholders(self.inputs))


def placeholders(value: Any) -> Iterator[str]:
    """The names of the placeholders in all texts of a value."""
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from placeholders(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from placeholders(inner)


def shown_inputs(inputs: Mapping[str, Any]) -> str:
    """A template's inputs as one line."""
    return " · ".join(
        " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
        for value in inputs.values()
    )
