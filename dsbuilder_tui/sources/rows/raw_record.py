"""A record as a container holds it, before anybody asks what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """One record. ``line`` counts from 1: lines of a file of lines, records of anything else.

    ``raw`` is the record as it stands in the file, its ending included, where it can be written again as it is, and else
    its JSON as a line. ``place`` is its first byte in a file where it can be found again. ``problem`` says why there is no
    ``value``.
    """

    line: int
    raw: bytes
    value: Any = None
    problem: str = ""
    place: int | None = None
