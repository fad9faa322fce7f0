"""Answers about the length of cases in words, and about categories or axis values side by side."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.data_question import DataAnswer, DataGroup, DataOrder, DataPlace, DataQuestion, DataRow
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import share_words
from dsbuilder_tui.domain.plain_words import are, counted
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.case_answers import answer_with, ranked
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.session_context import SessionContext

_MOST_TEXT = 240  # characters of a case
_WITHOUT = "without a value"


@dataclass(slots=True)
class _Words:
    """Words of some cases."""

    cases: int = 0
    words: int = 0
    ends: list[int] = field(default_factory=lambda: [0, 0])  # of the shortest and the longest one

    def add(self, words: int) -> None:
        self.ends = [min(self.ends[0], words), max(self.ends[1], words)] if self.cases else [words, words]
        self.cases, self.words = self.cases + 1, self.words + words

    @property
    def average(self) -> str:
        return f"{self.words / self.cases:.1f}" if self.cases else "–"


class LengthAnswers:
    """Reads the cases that a question is about, a page at a time."""

    def __init__(self, context: SessionContext, diversity: SessionDiversity) -> None:
        self._context, self._diversity = context, diversity

    async def length(self, question: DataQuestion) -> DataAnswer:
        """How many words cases have: the average, the longest or the shortest ones, or how many are beyond a bound."""
        self._require_axes(*question.attributes, *([question.axis] if question.axis else []))
        kept = "".join(f", {axis} {one_line(value, 80)}" for axis, value in question.attributes.items())
        where = (f" of {question.category}" if question.category else "") + kept
        if question.order in (DataOrder.MOST, DataOrder.LEAST) and question.by is None:
            return await self._extremes(question, where)
        whole, groups, within = _Words(), dict[str, _Words](), _Words()
        async for case in self._cases(question):
            words = _words_of(case)
            whole.add(words)
            groups.setdefault(self._group(question, case), _Words()).add(words)
            if (question.over is None or words > question.over) and (question.under is None or words < question.under):
                within.add(words)
        if not whole.cases:
            return DataAnswer(f"No case{where} is written yet.", place=DataPlace.COVERAGE)
        if question.over is not None or question.under is not None:
            return self._bounded(question, whole, within, where)
        said = (
            f"{counted(whole.cases, 'case')}{where} {'has' if whole.cases == 1 else 'have'} {whole.average} words on average, "
            f"from {whole.ends[0]:,} to {whole.ends[1]:,}, {whole.words:,} in all."
        )
        rows = [DataRow(name, one.cases, words=f"{one.average} words on average, {one.ends[0]:,} to {one.ends[1]:,}")
                for name, one in groups.items()]  # fmt: skip
        if question.order in (DataOrder.MOST, DataOrder.LEAST):
            rows.sort(key=lambda row: groups[row.name].words / groups[row.name].cases,
                      reverse=question.order is DataOrder.MOST)  # fmt: skip
            said += f" {'Longest' if question.order is DataOrder.MOST else 'Shortest'}: {rows[0].name}."
        return answer_with(question, said, rows if len(rows) > 1 else (), DataPlace.CASES)

    def _bounded(self, question: DataQuestion, whole: _Words, within: _Words, where: str) -> DataAnswer:
        bounds = [f"more than {question.over:,}"] if question.over is not None else []
        bounds += [f"fewer than {question.under:,}"] if question.under is not None else []
        said = (
            f"{within.cases:,} of {counted(whole.cases, 'case')}{where} {'has' if within.cases == 1 else 'have'} "
            f"{' and '.join(bounds)} words ({share_words(within.cases, whole.cases)})."
        )
        return DataAnswer(said, place=DataPlace.CASES)

    async def _extremes(self, question: DataQuestion, where: str) -> DataAnswer:
        """The longest or the shortest cases themselves; the earlier one among equals."""
        sign = 1 if question.order is DataOrder.MOST else -1
        best: list[tuple[int, int, str, str]] = []  # a heap with the least wanted on top
        async for case in self._cases(question):
            one = (sign * _words_of(case), -case.seq, case.case_id, one_line(display_text(case.inputs), _MOST_TEXT))
            (heapq.heappush if len(best) < question.limit else heapq.heappushpop)(best, one)
        if not best:
            return DataAnswer(f"No case{where} is written yet.", place=DataPlace.COVERAGE)
        best.sort(reverse=True)
        rows = [DataRow(name, 0, words=f"{counted(sign * words, 'word')}: “{text}”") for words, _, name, text in best]
        which = "longest" if sign > 0 else "shortest"
        said = f"The {which} case{where} is {rows[0].name}, {rows[0].words}"
        return answer_with(question, said, rows[1:], DataPlace.CASES, best[0][2])

    async def comparison(self, question: DataQuestion) -> DataAnswer:
        """Categories, or values of one axis, side by side: how many there are, how long they are, how many were turned away."""
        by_value = question.by is DataGroup.ATTRIBUTE
        if by_value:
            self._require_axes(question.axis)
        names = list(question.between or ((self._values(question.axis)) if by_value else self._context.categories()))
        self._require_known(question, names)
        coverage = await self._diversity.coverage()
        words: dict[str, _Words] = {}
        async for case in self._cases(question):
            words.setdefault(self._group(question, case), _Words()).add(_words_of(case))
        away = {} if by_value else await self._turned_away()
        rows = []
        for name in names:
            cells = (
                [axes[question.axis][name] for own, axes in coverage.cells.items()
                 if question.category in (None, own) and name in axes.get(question.axis, {})]
                if by_value else [coverage.cases[name]]
            )  # fmt: skip
            accepted, planned = sum(cell.accepted for cell in cells), sum(cell.planned for cell in cells)
            told = [f"{words[name].average} words on average"] if name in words else []
            if not by_value:
                told.append(f"{away.get(name, 0):,} of {accepted + away.get(name, 0):,} candidates turned away")
            rows.append(DataRow(name, accepted, planned, words="; ".join(told)))
        rows = ranked(rows, question.order, lambda row: self._merit(row, away))
        told_names = (
            " and ".join(one_line(name, 60) for name in names) if len(names) < 4 else counted(len(names), "group")
        )
        said = f"{told_names}, side by side."
        if not by_value and question.order in (DataOrder.MOST, DataOrder.LEAST):
            which = "best" if question.order is DataOrder.MOST else "worst"
            said = f"By what was turned away and what is missing, {rows[0].name} does {which}: {self._measure(rows[0], away)}."
        return answer_with(question, said, rows, DataPlace.COVERAGE)

    def _merit(self, row: DataRow, away: Mapping[str, int]) -> float:
        """How well a category does: the share of its candidates that were let in, and of its plan that is there."""
        candidates = row.count + away.get(row.name, 0)
        return (row.count / candidates if candidates else 0.0) + (row.count / row.of if row.of else 0.0)

    def _measure(self, row: DataRow, away: Mapping[str, int]) -> str:
        turned = away.get(row.name, 0)
        return f"{row.count:,} of {row.of or 0:,} {are(row.count)} there, {counted(turned, 'candidate')} turned away"

    async def _turned_away(self) -> dict[str, int]:
        found = await self._context.files.store.rejections.by_category()
        return {name: sum(stages.values()) for name, stages in found.items()}

    async def _cases(self, question: DataQuestion) -> AsyncIterator[AcceptedCase]:
        wanted = question.attributes.items()
        async for page in self._context.files.store.cases.pages(
            self._context.categories(question.category), damaged=[]
        ):
            for case in page:
                attributes = _attributes(case)
                if all(str(attributes.get(axis)) == value for axis, value in wanted):
                    yield case

    def _group(self, question: DataQuestion, case: AcceptedCase) -> str:
        if question.by is not DataGroup.ATTRIBUTE:
            return case.category
        return str(_attributes(case).get(question.axis, _WITHOUT))

    def _values(self, axis: str) -> list[str]:
        plan = self._context.plan
        return list(dict.fromkeys(value for c in plan.categories for value in slot_axes(plan, c).get(axis, ())))

    def _require_axes(self, *axes: str) -> None:
        """Raises ``InputError`` for an axis that no category has."""
        plan = self._context.plan
        known = dict.fromkeys(axis for category in plan.categories for axis in slot_axes(plan, category))
        for axis in axes:
            if axis not in known:
                raise InputError(f"There is no axis {one_line(axis, 80)!r}.", f"There are: {', '.join(known)}.")

    def _require_known(self, question: DataQuestion, names: Sequence[str]) -> None:
        known = self._values(question.axis) if question.axis else self._context.categories()
        for name in names:
            if name not in known:
                what = f"value of {question.axis}" if question.axis else "category"
                raise InputError(f"There is no {what} {one_line(name, 80)!r}.", f"There are: {', '.join(known)}.")


def _words_of(case: AcceptedCase) -> int:
    return len(display_text(case.inputs).split())


def _attributes(case: AcceptedCase) -> Mapping[str, object]:
    found = case.tags.get("attributes")
    return found if isinstance(found, Mapping) else {}
