"""Answers about how different the cases are, and why a part of the plan is empty or thin."""

from __future__ import annotations

from dsbuilder_tui.domain.cell_cause import CellFacts, more_words
from dsbuilder_tui.domain.data_question import DataAnswer, DataPlace, DataQuestion, DataRow
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import told_figures
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.case_answers import answer_with
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.session_context import SessionContext


class DiversityAnswers:
    """Answers by the figures of the coverage screen."""

    def __init__(self, context: SessionContext, diversity: SessionDiversity) -> None:
        self._context, self._diversity = context, diversity

    async def variety(self, question: DataQuestion) -> DataAnswer:
        """How different the cases are, and whether a figure says that something should be done."""
        report = await self._diversity.figures()
        figures = report.categories[question.category] if question.category else report.overall
        where = f" of {question.category}" if question.category else ""
        if not figures.cases:
            return DataAnswer(
                f"No case{where} is written yet, so there is nothing to compare.", place=DataPlace.COVERAGE
            )
        told = told_figures(figures)
        advised = [one for one in told if one.advice]
        verdict = (
            " ".join(f"{one.title}: {one.advice}" for one in advised[:2])
            if advised
            else "No figure says that it is too little."
        )
        rows = [DataRow(one.title, 0, words=f"{one.value}. {one.sentence}") for one in told[1:]]
        return answer_with(question, f"{told[0].sentence} {verdict}", rows, DataPlace.COVERAGE)

    async def cause(self, question: DataQuestion) -> DataAnswer:
        """Why a category or a value is empty or thin; of all that are, without one named."""
        names = self._context.categories(question.category)
        if question.attributes:
            axis, value = next(iter(question.attributes.items()))
            found = [await self._diversity.cell(name, axis, value) for name in names if self._varies(name, axis, value)]
            if not found:
                raise InputError(
                    f"No category varies in {one_line(axis, 60)}: {one_line(value, 60)}.", "F3 shows the values."
                )
        else:
            found = [await self._diversity.cell(name) for name in names]
        thin = sorted((one for one in found if one.causes), key=_share)
        if not thin:
            full = f"{found[0].sentence}" if len(found) == 1 else "None is thin: each has all its planned cases."
            return DataAnswer(full, place=DataPlace.COVERAGE)
        first = thin[0]
        said = f"{first.sentence} {first.advice}".strip()
        if first.value and not first.planned:
            said += f" “{more_words(first.category, first.value)}” plans some."
        rows = [DataRow(one.category, one.accepted, one.planned, words=one.sentence) for one in thin[1:]]
        return answer_with(question, said, rows, DataPlace.COVERAGE)

    def _varies(self, category: str, axis: str, value: str) -> bool:
        plan = self._context.plan
        return value in slot_axes(plan, next(c for c in plan.categories if c.name == category)).get(axis, ())


def _share(facts: CellFacts) -> float:
    return facts.accepted / facts.planned if facts.planned else 0.0
