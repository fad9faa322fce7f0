"""The ways in which the cases of a category are written."""

from __future__ import annotations

from collections.abc import Sized
from enum import StrEnum

from dsbuilder_tui.domain.case_kind import CaseKind


class WritingMode(StrEnum):
    """Who puts the words of a case together. The values stand in plans."""

    EACH = "each"  # a model writes every case
    TEMPLATES = "templates"  # a model writes templates once; they are filled and varied without it

    def check(self, name: str, kind: CaseKind, sources: Sized, stages: Sized) -> None:
        """Raises ``ValueError`` where a category of that name says something else that does not go together with it."""
        if self is not WritingMode.TEMPLATES:
            return
        said = f"mode of {name!r}: "
        if sources:
            raise ValueError(
                f"{said}cases that are written from documents cannot be made of templates, since each quotes its own passage; "
                "take `mode: templates` out, or keep the category apart from `sources`"
            )
        if kind is not CaseKind.SINGLE:
            raise ValueError(
                f"{said}a {kind.value} cannot be made of templates; take one of `kind` and `mode: templates` out"
            )
        if stages:
            raise ValueError(
                f"{said}a case that is made of a template has no draft to be worked on; take one of `pipeline` and "
                "`mode: templates` out"
            )
