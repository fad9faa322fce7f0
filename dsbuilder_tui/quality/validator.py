"""A validator: one rule that every case of a category has to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from dsbuilder_tui.domain.case import Slot, display_text
from dsbuilder_tui.domain.conversation import turns_of
from dsbuilder_tui.domain.evidence import Evidence
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.written_values import WrittenValue, written_values


@dataclass(frozen=True, kw_only=True)
class CheckedCase:
    """A candidate as a validator reads it: in the plan's shape, for the slot that it was written for.

    ``source`` is the text of the passages that the case was to be written from, or of the row that it is about; empty where
    there are none. ``evidence`` are its quotations from passages. ``planned`` is what the
    plan says of every case of the category.
    """

    slot: Slot
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    source: str = ""
    planned: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @cached_property
    def text(self) -> str:
        """What the user says, as one line: the values of the inputs in the plan's field order, of messages the user's."""
        return display_text(self.inputs)

    @cached_property
    def whole(self) -> str:
        """All that stands in the inputs: with what the application has said in a conversation."""
        turns = [turn.text for value in self.inputs.values() for turn in turns_of(value)]
        return "\n".join((self.text, *turns)) if turns else self.text

    @cached_property
    def written(self) -> tuple[WrittenValue, ...]:
        """The texts and numbers of the expectations that are the writer's own."""
        return tuple(written_values(self.expectations, self.planned))

    def ground(self, plan_words: str) -> str:
        """All text that an expectation may take values from: inputs, source and attributes, and what the plan says."""
        return "\n".join((self.whole, self.source, plan_words, *self.slot.attributes.values()))


class ValidatorOptions(BaseModel):
    """What a plan can set of a validator; a validator with options derives from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Check = Callable[[CheckedCase], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A row of the registry ``dsbuilder.validators``; plans name it by the row's name.

    One of ``check`` and ``prepare`` is given, or ``ValueError`` is raised. Either must depend on its arguments alone,
    change nothing and cost nothing: no clock, no chance, no network. They are called in a thread beside the event loop,
    unless a plan has none but those that are on by default.

    Attributes:
        words: what it sees to, in a few words: ``the order id of the expectation stands in the input``.
        check: why a case is not good enough, as the beginning of no sentence but a whole reason that a writer can go by
            (``the id 12345 is not in the input``), or None.
        prepare: makes such a check for a category of a plan, once before the first case, from what the plan sets. It
            raises ``ValueError`` for settings that do not fit, in words that say how to mend them.
        options: the model of what a plan can set; None when it takes nothing.
    """

    words: str
    check: Callable[[CheckedCase, DatasetCategory, DatasetPlanInput], str | None] | None = None
    prepare: Callable[[DatasetCategory, DatasetPlanInput, Any], Check] | None = None
    options: type[ValidatorOptions] | None = None

    def __post_init__(self) -> None:
        if (self.check is None) == (self.prepare is None):
            raise ValueError("a validator has either `check` or `prepare`")

    def prepared(self, category: DatasetCategory, plan: DatasetPlanInput, options: Mapping[str, Any]) -> Check:
        """The check for a category. Raises ``ValueError`` for options that do not fit."""
        if self.options is None and options:
            raise ValueError("takes no settings; write its name alone")
        if self.prepare is not None:
            return self.prepare(category, plan, self.options(**options) if self.options is not None else None)
        check = self.check
        assert check is not None
        return lambda case: check(case, category, plan)
