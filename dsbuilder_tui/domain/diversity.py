"""How much likeness is too much: the stages that compare, and what a category may set for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from dsbuilder_tui.domain.stage import COMPARING_STAGES


def chosen_stages(value: object) -> tuple[str, ...]:
    """Stages as given (a list, or words between commas): the built-in ones in their own order, then those of plug-ins.

    Whether those are installed is not for this room to know. Raises ``ValueError`` for what is no list of names.
    """
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise ValueError(f"must be a list out of {', '.join(COMPARING_STAGES)}")
    names = [str(word).strip() for word in words if str(word).strip()]
    built_in = [str(stage) for stage in COMPARING_STAGES if stage in names]
    return (*built_in, *sorted({name for name in names if name not in COMPARING_STAGES}))


def chosen_thresholds(values: Mapping[str, float]) -> dict[str, float]:
    """Thresholds of plug-ins' stages by name. Raises ``ValueError`` for one that is none, or that has its own setting."""
    for name, value in values.items():
        if name in COMPARING_STAGES:
            raise ValueError(f"has {name!r}, which is built in; only the stages of plug-ins have their threshold here")
        if not 0 < value <= 1:
            raise ValueError(f"has {value} for {name!r}; a threshold lies between 0 and 1, such as 0.8")
    return dict(values)


class CategoryDiversity(BaseModel):
    """What one category sets apart from the session's settings; None leaves a setting as it is.

    ``near`` and ``semantic`` are the scores (0 to 1) from which a case is a repeat; ``thresholds`` has those of plug-ins'
    stages, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: tuple[str, ...] | None = None
    near: float | None = Field(None, gt=0, le=1)
    semantic: float | None = Field(None, gt=0, le=1)
    thresholds: dict[str, float] | None = None

    @field_validator("stages", mode="before")
    @classmethod
    def _check_stages(cls, value: object) -> object:
        return None if value is None else chosen_stages(value)

    @field_validator("thresholds")
    @classmethod
    def _check_thresholds(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        return None if value is None else chosen_thresholds(value)

    @model_serializer(mode="wrap")
    def _without_blanks(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A plan that names no stage of a plug-in is written down as it always was."""
        data: dict[str, Any] = dump(self)
        if self.thresholds is None:
            data.pop("thresholds", None)
        return data
