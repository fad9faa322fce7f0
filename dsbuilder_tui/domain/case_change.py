"""The ways in which a person changes a case."""

from __future__ import annotations

from enum import StrEnum


class CaseChange(StrEnum):
    """What a person did to a case."""

    EDITED = "edited"
    ANNOTATED = "annotated"  # pinned, with a note, or looked at
    KEPT = "kept"  # a rejected candidate took the slot over
