"""The registry of validators, and the validators of a plan over its cases."""

from __future__ import annotations

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.quality.validator import CheckedCase, Validator
from dsbuilder_tui.registry import Registry

VALIDATORS: Registry[Validator] = Registry(
    "dsbuilder.validators", "validator", {}, "dsbuilder_tui.quality.validator:Validator"
)
_MOST_REASON = 300  # characters: it goes into a worker's prompt


def check_validators(plan: DatasetPlanInput, source: str) -> None:
    """Raises ``PlanError`` when the plan names validators that are not registered. Imports none."""
    there = VALIDATORS.names()
    named = [
        ("validators", plan.validators),
        *((f"categories[{n}].validators", c.validators) for n, c in enumerate(plan.categories)),
    ]
    listed = f"choose from {', '.join(there)}" if there else "none is installed"
    problems = [
        f"{field}: {name!r} — there is no such validator; {listed}, or take it out"
        for field, names in named
        for name in names
        if name not in there
    ]
    if problems:
        raise PlanError(source, problems)


class Validation:
    """The validators that a plan names.

    Raises ``PlanError`` for one that is not registered, ``PlugInBroken`` for one that cannot be loaded.
    """

    def __init__(self, plan: DatasetPlanInput) -> None:
        check_validators(plan, plan.dataset_name)
        self._plan = plan
        self._validators = {
            category.name: (category, [(name, VALIDATORS.load(name)) for name in names])
            for category in plan.categories
            if (names := plan.validators_of(category))
        }

    @property
    def is_empty(self) -> bool:
        """Whether the plan names none."""
        return not self._validators

    def fault(self, case: CheckedCase) -> str | None:
        """What all validators of its category find wrong with a case, in words; None when nothing is.

        Raises ``PlugInBroken`` naming a validator that raises, or that answers with anything but a reason.
        """
        if case.slot.category not in self._validators:
            return None
        category, validators = self._validators[case.slot.category]
        reasons: list[str] = []
        for name, validator in validators:
            try:
                reason = validator.check(case, category, self._plan)
                if reason is not None and not isinstance(reason, str):
                    raise TypeError(f"it answered {type(reason).__name__}, neither a reason nor None")
            except Exception as error:  # whatever a stranger's rule does with a case it did not expect
                raise VALIDATORS.failed(name, error) from error
            if reason is not None:
                reasons.append(f"{name}: {whole_characters(reason).strip()}"[:_MOST_REASON])
        return "; ".join(reasons) or None
