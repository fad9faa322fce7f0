"""A plan with more cases where the application fails: in exactly those cells, each a variation of a case that failed."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.evaluation import share_out
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.variation import Variation
from dsbuilder_tui.session.results import SessionResults
from dsbuilder_tui.session.session_context import SessionContext

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class FailingCellsPlan:
    """The plan, and what a person should know of it."""

    plan: DatasetPlanInput
    notes: tuple[str, ...]


class FailingCells:
    """Plans further cases where evaluations say that the application fails."""

    def __init__(self, context: SessionContext, results: SessionResults) -> None:
        self._context, self._results = context, results

    async def plan(self, more: int) -> FailingCellsPlan:
        """The present plan with so many more cases. The cells (a category and its attribute values) with the worst pass rates
        get them, one a cell at least, by their failures; see ``domain.evaluation.worst_first`` and ``share_out``.

        Raises ``InputError`` when no evaluation was read, or nothing fails, or for less than one case.
        """
        context = self._context
        figures = await self._results.figures()
        if not figures.runs:
            raise InputError(
                f"No evaluation of the cases of {context.id} has been read.",
                "Evaluate the application with MLflow on its dataset, then `dsbuilder mlflow results` or /mlflow results.",
            )
        if more < 1 or not figures.failing:
            problem = "No case fails in the newest evaluations." if more >= 1 else f"{more} is no number of cases."
            raise InputError(problem, "There is nothing to add where it fails.")
        retired = await context.files.store.slots.retired()
        added: dict[str, list[Variation]] = {}
        free: dict[str, list[int]] = {}
        shares = share_out(figures.failing, more)
        for cell, many in shares:
            if cell.category not in free:
                gone = sorted(retired.get(cell.category, ()))
                last = context.plan.category(cell.category).count + len(gone)
                free[cell.category] = [*gone, *range(last + 1, last + more + 1)]
            slots = [free[cell.category].pop(0) for _ in range(many)]
            added.setdefault(cell.category, []).extend(
                Variation(of=of, slots=own)
                for place, of in enumerate(cell.cases)
                if (own := tuple(slots[place :: len(cell.cases)]))
            )
        data = context.plan.model_dump(mode="json", exclude={"total_instances"})
        for category in data["categories"]:
            new = added.get(category["name"], [])
            category["count"] += sum(len(one.slots) for one in new)
            if new:
                category["variations"] = [*category.get("variations", ()), *(one.model_dump() for one in new)]
        named = "; ".join(f"{cell.words} {many:,}" for cell, many in shares[:_MOST_NAMED])
        left = f"; and {len(shares) - _MOST_NAMED:,} more cells" if len(shares) > _MOST_NAMED else ""
        note = f"{counted(more, 'case')} where it fails, each a harder variation of a case that failed: {named}{left}"
        return FailingCellsPlan(parse_plan(data, "the plan"), (note,))
