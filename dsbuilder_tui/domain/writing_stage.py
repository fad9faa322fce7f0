"""The stages in which the cases of a category are written: ``pipeline:`` of a plan, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator


class WritingStage(StrEnum):
    """What is done to a case before it comes to the gate, in this order."""

    DRAFT = "draft"  # a worker writes it
    EVOLVE = "evolve"  # it is made harder, rarer, …
    CRITIQUE = "critique"  # it is read by the rubric
    REVISE = "revise"  # what the critique found is mended


class EvolveManner(StrEnum):
    """Which way a case is evolved."""

    HARDER = "harder"
    RARER = "rarer"
    CONSTRAINTS = "constraints"  # a right answer has more to keep to at once
    ADVERSARIAL = "adversarial"


_ORDER = tuple(WritingStage)
_BETWEEN = re.compile(r"→|->|=>|[,;+>|]")
_MANNERS = {
    **{manner.value: manner for manner in EvolveManner},
    "hard": EvolveManner.HARDER, "rare": EvolveManner.RARER, "more constraints": EvolveManner.CONSTRAINTS,
    "constraint": EvolveManner.CONSTRAINTS, "more constrained": EvolveManner.CONSTRAINTS,
    "attack": EvolveManner.ADVERSARIAL, "attacks": EvolveManner.ADVERSARIAL,
}  # fmt: skip
_STAGES = {
    **{stage.value: stage for stage in WritingStage},
    "criticise": WritingStage.CRITIQUE, "criticize": WritingStage.CRITIQUE, "review": WritingStage.CRITIQUE,
    "critic": WritingStage.CRITIQUE, "revision": WritingStage.REVISE, "rewrite": WritingStage.REVISE,
}  # fmt: skip
_FORMS = "write for example [draft, {evolve: {how: harder, model: big}}, critique, revise]"


class PlannedStage(BaseModel):
    """One stage of a category. ``model`` is who does it: by default the workers' model, for a critique the judge's.

    ``how`` is for ``evolve`` alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: WritingStage
    how: EvolveManner | None = None
    model: str | None = Field(None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _check_how(self) -> PlannedStage:
        if self.stage is WritingStage.EVOLVE and self.how is None:
            object.__setattr__(self, "how", EvolveManner.HARDER)
        elif self.stage is not WritingStage.EVOLVE and self.how is not None:
            raise ValueError(f"`how` is for evolve; {self.stage} has none")
        return self

    def as_entry(self) -> str | dict[str, dict[str, str]]:
        """As it is written in a plan: the name alone, or with what is set."""
        options = {key: str(value) for key in ("how", "model") if (value := getattr(self, key)) is not None}
        return {self.stage.value: options} if options else self.stage.value

    @property
    def words(self) -> str:
        """``evolve (harder, big)``."""
        options = ", ".join(value for value in (self.how, self.model) if value)
        return f"{self.stage} ({options})" if options else self.stage.value


def planned_pipeline(value: object) -> tuple[PlannedStage, ...]:
    """The stages that a plan's ``pipeline`` names, in the short forms too; empty when cases are drafted alone.

    Raises ``ValueError`` for what is no pipeline.
    """
    stages = {WritingStage.DRAFT: PlannedStage(stage=WritingStage.DRAFT)}
    before = -1
    for one in (_stage(entry) for entry in _entries(value)):
        place = _ORDER.index(one.stage)
        if place == before or (one.stage in stages and place):
            raise ValueError(f"names {one.stage} twice; remove one of them")
        if place < before:
            raise ValueError(f"has {one.stage} behind {_ORDER[before]}; the order is {', '.join(_ORDER)}")
        stages[one.stage] = one
        before = place
    if WritingStage.REVISE in stages and WritingStage.CRITIQUE not in stages:
        raise ValueError("has revise without critique: there would be nothing to revise by; add critique before it")
    found = tuple(stages.values())
    return () if found == (PlannedStage(stage=WritingStage.DRAFT),) else found


def pipeline_words(stages: Iterable[PlannedStage]) -> str:
    """``draft → evolve (harder) → critique → revise``."""
    return " → ".join(stage.words for stage in stages)


def _entries(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, str):
        return list(filter(None, map(str.strip, _BETWEEN.split(value))))
    if isinstance(value, Mapping):
        if "stage" in value:
            return [value]
        return [{name: options} for name, options in value.items()]
    if isinstance(value, list | tuple):
        return list(value)
    raise ValueError(f"must be a list of stages; {_FORMS}")


def _stage(entry: object) -> PlannedStage:
    if isinstance(entry, PlannedStage):
        return entry
    if isinstance(entry, str):
        return PlannedStage(stage=_named(entry))
    if isinstance(entry, Mapping) and "stage" in entry:
        options = {key: value for key, value in entry.items() if key != "stage" and value is not None}
        return _with(_named(entry["stage"]), options)
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, options),) = entry.items()
        return _with(_named(name), options)
    raise ValueError(f"must be a list of stages; {_FORMS}")


def _named(name: object) -> WritingStage:
    stage = _STAGES.get(name.strip().casefold()) if isinstance(name, str) else None
    if stage is None:
        raise ValueError(f"has no stage {name!r}; there are {', '.join(_ORDER)}")
    return stage


def _with(stage: WritingStage, options: object) -> PlannedStage:
    if options is None or options is True:
        return PlannedStage(stage=stage)
    if isinstance(options, str):  # `evolve: harder`, `critique: big`
        is_manner = stage is WritingStage.EVOLVE and _manner_of(options) is not None
        options = {"how" if is_manner else "model": options}
    if not isinstance(options, Mapping) or (unknown := sorted(set(map(str, options)) - {"how", "model"})):
        named = f" {unknown[0]!r}" if isinstance(options, Mapping) else ""
        raise ValueError(f"{stage} cannot be set so{named}; {_FORMS}")
    how = options.get("how")
    manner = None if how is None else _manner_of(how)
    if how is not None and manner is None:
        raise ValueError(f"evolve has no way {how!r}; there are {', '.join(EvolveManner)}")
    if manner is not None and stage is not WritingStage.EVOLVE:
        raise ValueError(f"`how` is for evolve; {stage} has none")
    model = options.get("model")
    if model is not None and (not isinstance(model, str) or not model.strip()):
        raise ValueError(f"the model of {stage} must be a name")
    return PlannedStage(stage=stage, how=manner, model=model.strip() if isinstance(model, str) else None)


def _manner_of(how: object) -> EvolveManner | None:
    return _MANNERS.get(" ".join(how.casefold().replace("_", " ").split())) if isinstance(how, str) else None


def _as_entries(stages: tuple[PlannedStage, ...]) -> list[Any]:
    return [stage.as_entry() for stage in stages]


StageEntries = Annotated[
    tuple[PlannedStage, ...], BeforeValidator(planned_pipeline), PlainSerializer(_as_entries, return_type=list[Any])
]
