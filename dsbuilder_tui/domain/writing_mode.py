"""The ways in which the cases of a category are written."""

from __future__ import annotations

from enum import StrEnum


class WritingMode(StrEnum):
    """Who puts the words of a case together. The values stand in plans."""

    EACH = "each"  # a model writes every case
    TEMPLATES = "templates"  # a model writes templates once; they are filled and varied without it
