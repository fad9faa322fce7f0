"""How much likeness is too much: the stages that compare, and what a category may set for itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dsbuilder_tui.domain.stage import COMPARING_STAGES


def chosen_stages(value: object) -> tuple[str, ...]:
    """Stages as given (a list, or words between commas) in their own order. Raises ``ValueError`` for unknown ones."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise ValueError(f"must be a list out of {', '.join(COMPARING_STAGES)}")
    names = [str(word).strip() for word in words if str(word).strip()]
    for name in names:
        if name not in COMPARING_STAGES:
            raise ValueError(f"has {name!r}; choose from {', '.join(COMPARING_STAGES)}")
    return tuple(str(stage) for stage in COMPARING_STAGES if stage in names)


class CategoryDiversity(BaseModel):
    """What one category sets apart from the session's settings; None leaves a setting as it is.

    ``near`` and ``semantic`` are the scores (0 to 1) from which a case is a repeat.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: tuple[str, ...] | None = None
    near: float | None = Field(None, gt=0, le=1)
    semantic: float | None = Field(None, gt=0, le=1)

    @field_validator("stages", mode="before")
    @classmethod
    def _check_stages(cls, value: object) -> object:
        return None if value is None else chosen_stages(value)
