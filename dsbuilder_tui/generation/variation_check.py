"""The part of the gate that holds variations to their case: near it. That they are no copies of it, the comparison sees to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.schema_check import Fitted
from dsbuilder_tui.generation.validator_check import Fault, Validated

if TYPE_CHECKING:
    from dsbuilder_tui.diversity.static_embedding import StaticEmbedder

LEAST_LIKENESS = 0.30
"""The least cosine of static word embeddings of a variation and its case: texts about the same matter have .35 to .65, others
of the same application .0 to .25."""


class VariationCheck:
    """Turns away what has nothing to do with the case that it is to vary."""

    def __init__(self, plan: DatasetPlanInput) -> None:
        self._kinds = {category.name: category.kind for category in plan.categories}
        self._embedder: StaticEmbedder | None = None

    async def judge(self, candidates: Sequence[Candidate], validated: Sequence[Validated]) -> list[Validated]:
        """What is left of screened candidates, in order. Costs nothing where none is a variation."""
        if all(candidate.slot.varied is None for candidate in candidates):
            return list(validated)
        return await asyncio.to_thread(
            lambda: [self._judge(candidate, one) for candidate, one in zip(candidates, validated, strict=True)]
        )

    def _judge(self, candidate: Candidate, validated: Validated) -> Validated:
        varied, found = candidate.slot.varied, validated.outcome
        if varied is None or not isinstance(found, list):
            return validated
        from dsbuilder_tui.diversity.compared_text import compared_text
        from dsbuilder_tui.diversity.static_embedding import built_in_embedder, unit

        self._embedder = self._embedder or built_in_embedder()
        kind = self._kinds[candidate.slot.category]
        texts = [compared_text(inputs, kind) for inputs in (varied.inputs, *(one.inputs for one in found))]
        vectors = unit(self._embedder.embed(texts))
        near: list[Fitted] = []
        faults: list[Fault] = []
        for one, likeness in zip(found, (vectors[1:] @ vectors[0]).tolist(), strict=True):
            if likeness >= LEAST_LIKENESS:
                near.append(one)
            else:
                faults.append(
                    Fault(
                        one,
                        f"it has too little to do with {varied.case_id}, which it is to vary ({likeness:.2f} alike, "
                        f"{LEAST_LIKENESS:.2f} at least)",
                    )
                )
        return Validated(near or faults.pop(), (*validated.faults, *faults))
