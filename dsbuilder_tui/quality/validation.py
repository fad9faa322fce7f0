"""The registry of validators, and the validators of a plan over its cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.evidence import Evidence
from dsbuilder_tui.domain.plain_words import plain_words
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.validator_choice import EVERY, ValidatorChoice, choice_of
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import planned_expectations
from dsbuilder_tui.registry import Registry

_FOLDER = "dsbuilder_tui.quality.validators"
# On unless a plan turns them off: a good case cannot break these.
BY_DEFAULT = ("ids", "amounts", "dates", "quotes", "tools", "placeholders", "attributes", "answer_in_input",
              "evidence", "pairs")  # fmt: skip
_BY_NAME = ("language", "length", "patterns", "json_schema")

VALIDATORS: Registry[Validator] = Registry(
    "dsbuilder.validators",
    "validator",
    {name: f"{_FOLDER}.{name}:VALIDATOR" for name in (*BY_DEFAULT, *_BY_NAME)},
    "dsbuilder_tui.quality.validator:Validator",
)
_MOST_REASON = 300  # characters: it goes into a worker's prompt


def check_validators(plan: DatasetPlanInput, source: str) -> None:
    """Raises ``PlanError`` when the plan names validators that are not registered, or sets what they do not take.

    Imports none but those of which something can be set and is.
    """
    there = VALIDATORS.names()
    problems = []
    for field, category, entries in (
        *(("validators", category, plan.validators) for category in plan.categories[:1]),  # a plan may be none yet
        *((f"categories[{n}].validators", c, c.validators) for n, c in enumerate(plan.categories)),
    ):
        for choice in map(choice_of, entries):
            if choice.name not in there and not (choice.name == EVERY and not choice.is_on):
                problems.append(
                    f"{field}: {choice.name!r} — there is no such validator; choose from {', '.join(there)}, "
                    "or take it out"
                )
            elif choice.is_on and (choice.options or choice.name in _BY_NAME):
                try:
                    VALIDATORS.load(choice.name).prepared(category, plan, choice.options)
                except ValueError as error:
                    problems += [f"{field}: {choice.name}: {words}" for words in _words(error)]
    if problems:
        raise PlanError(source, problems)


def _words(error: ValueError) -> Iterator[str]:
    if not isinstance(error, ValidationError):
        yield str(error)
        return
    for detail in error.errors():
        yield f"{'.'.join(map(str, detail['loc']))} {plain_words(detail)}".strip()


def choices_of(plan: DatasetPlanInput, category: DatasetCategory) -> list[ValidatorChoice]:
    """The validators that hold for a category: those that the plan names, then those on by default, without what it
    turns off."""
    named = [choice_of(entry) for entry in plan.validators_of(category)]
    off = {choice.name for choice in named if not choice.is_on}
    on = {choice.name: choice for choice in named if choice.is_on}
    defaults = () if EVERY in off else (name for name in BY_DEFAULT if name not in off and name not in on)
    return [*on.values(), *map(ValidatorChoice, defaults)]


class Validation:
    """The validators that hold for each category of a plan.

    Raises ``PlanError`` for one that is not registered or not set rightly, ``PlugInBroken`` for one that cannot be
    loaded.
    """

    def __init__(self, plan: DatasetPlanInput) -> None:
        check_validators(plan, plan.dataset_name)
        self._checks: dict[str, list[tuple[str, Check]]] = {}
        self._planned = {category.name: planned_expectations(category) for category in plan.categories}
        self.is_quick = True
        for category in plan.categories:
            if choices := choices_of(plan, category):
                self._checks[category.name] = [
                    (choice.name, VALIDATORS.load(choice.name).prepared(category, plan, choice.options))
                    for choice in choices
                ]
                self.is_quick &= all(choice.name in BY_DEFAULT for choice in choices)

    @property
    def is_empty(self) -> bool:
        """Whether none holds for any category."""
        return not self._checks

    def case(
        self,
        slot: Slot,
        inputs: Mapping[str, Any],
        expectations: Mapping[str, Any],
        evidence: tuple[Evidence, ...] = (),
    ) -> CheckedCase:
        """A candidate in the plan's shape, as validators read it."""
        planned = self._planned[slot.category]
        return CheckedCase(
            slot=slot, inputs=inputs, expectations=expectations, source=slot.source, planned=planned, evidence=evidence
        )

    def fault(self, case: CheckedCase) -> str | None:
        """What all validators of its category find wrong with a case, in words; None when nothing is.

        Raises as ``faults``.
        """
        return "; ".join(self.faults(case)) or None

    def faults(self, case: CheckedCase) -> list[str]:
        """What each validator of its category that finds something wrong with a case says: its name and the reason.

        Raises ``PlugInBroken`` naming a validator that raises, or that answers with anything but a reason.
        """
        reasons: list[str] = []
        for name, check in self._checks.get(case.slot.category, ()):
            try:
                reason = check(case)
                if reason is not None and not isinstance(reason, str):
                    raise TypeError(f"it answered {type(reason).__name__}, neither a reason nor None")
            except Exception as error:  # whatever a stranger's rule does with a case it did not expect
                raise VALIDATORS.failed(name, error) from error
            if reason is not None:
                reasons.append(f"{name}: {whole_characters(reason).strip()}"[:_MOST_REASON])
        return reasons
