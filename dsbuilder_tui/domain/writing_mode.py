"""The ways in which the cases of a category are written."""

from __future__ import annotations

from enum import StrEnum

from dsbuilder_tui.domain.case_kind import CaseKind


class WritingMode(StrEnum):
    """Who puts the words of a case together. The values stand in plans."""

    EACH = "each"  # a model writes every case
    TEMPLATES = "templates"  # a model writes templates once; they are filled and varied without it

    def check(self, name: str, kind: CaseKind, *, has_sources: bool, is_staged: bool) -> None:
        """Raises ``ValueError`` where the cases of the category ``name`` cannot be written so."""
        if self is not WritingMode.TEMPLATES:
            return
        if has_sources:
            raise ValueError(
                f"mode of {name!r}: cases that are written from documents cannot be made of templates, since each "
                "quotes its own passage; take `mode: templates` out, or keep the category apart from `sources`"
            )
        if is_staged:
            raise ValueError(
                f"mode of {name!r}: cases that are made of templates go through no stages; write `mode: each`, or leave its "
                "pipeline out"
            )
        if kind is not CaseKind.SINGLE:
            raise ValueError(
                f"mode of {name!r}: a {kind.value} cannot be made of templates; take one of `kind` and `mode: templates` out"
            )
