"""The part of the gate that holds candidates against the validators of the plan.

They come behind the schema and, other than their place among the stages says, before the comparison: they cost nothing,
and a text that is admitted to the comparison cannot be taken out of it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.schema_check import Fitted, Misfit
from dsbuilder_tui.quality.validation import Validation
from dsbuilder_tui.registry import PlugInBroken


@dataclass(frozen=True, slots=True)
class Fault:
    """A candidate that validators, or the judge, turn away, and why."""

    fitted: Fitted
    reason: str
    stage: Stage = Stage.VALIDATORS


@dataclass(frozen=True, slots=True)
class Validated:
    """What the validators make of one worker's case, which may hold several candidates for its slot.

    ``outcome`` is what may go on: candidates that keep the rules; or the last fault when none does, the misfit that it
    was before, or what kept a validator from judging. ``faults`` are those of the other candidates.
    """

    outcome: list[Fitted] | Misfit | Fault | PlugInBroken
    faults: tuple[Fault, ...] = ()


class ValidatorCheck:
    """Holds candidates against the validators of their category. Raises as ``Validation``."""

    def __init__(self, plan: DatasetPlanInput) -> None:
        self._validation = Validation(plan)

    async def judge(self, candidates: Sequence[Candidate], fitted: Sequence[list[Fitted] | Misfit]) -> list[Validated]:
        """What comes of candidates in the plan's shape, in order. Without validators nothing is done."""
        if self._validation.is_empty:
            return [Validated(found) for found in fitted]
        if self._validation.is_quick:  # microseconds; a thread would cost more
            return [self._judge(candidate, found) for candidate, found in zip(candidates, fitted, strict=True)]
        # Beside the event loop: a stranger's rule may take its time.
        return await asyncio.to_thread(
            lambda: [self._judge(candidate, found) for candidate, found in zip(candidates, fitted, strict=True)]
        )

    def _judge(self, candidate: Candidate, fitted: list[Fitted] | Misfit) -> Validated:
        if isinstance(fitted, Misfit):
            return Validated(fitted)
        passed: list[Fitted] = []
        faults: list[Fault] = []
        for one in fitted:
            case = self._validation.case(candidate.slot, one.inputs, one.expectations, evidence_of(one.tags))
            try:
                reason = self._validation.fault(case)
            except PlugInBroken as error:
                return Validated(error)
            if reason is None:
                passed.append(one)
            else:
                faults.append(Fault(one, reason))
        return Validated(passed, tuple(faults)) if passed else Validated(faults[-1], tuple(faults[:-1]))
