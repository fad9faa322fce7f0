"""Answers about accepted cases: how many there are of a kind, one of them, how full the plan is, what they expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dsbuilder_tui.domain.case import AcceptedCase, display_text, slot_of
from dsbuilder_tui.domain.data_question import (
    CaseMark,
    DataAnswer,
    DataGroup,
    DataOrder,
    DataPlace,
    DataQuestion,
    DataRow,
)
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.expectation import key_words, value_words
from dsbuilder_tui.domain.figures import OTHER, Coverage, share_words
from dsbuilder_tui.domain.flags import flag_words, flags_of
from dsbuilder_tui.domain.judging import verdict_of
from dsbuilder_tui.domain.plain_words import are, counted
from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.documents import SessionDocuments
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.case_groups import CaseGrouping
from dsbuilder_tui.store.case_search import CaseQuery

_MOST_TEXT = 300  # characters of a case
_FLAGS = (CaseMark.CONTRAST, CaseMark.CONTRADICTION, CaseMark.SIMILAR)
_GROUPINGS = {
    DataGroup.CATEGORY: CaseGrouping.CATEGORY,
    DataGroup.ATTRIBUTE: CaseGrouping.ATTRIBUTE,
    DataGroup.KIND: CaseGrouping.KIND,
    DataGroup.VERDICT: CaseGrouping.VERDICT,
    DataGroup.MODEL: CaseGrouping.MODEL,
    DataGroup.FLAG: CaseGrouping.FLAG,
}
_WITHOUT = {
    DataGroup.ATTRIBUTE: "without a value",
    DataGroup.VERDICT: "no verdict",
    DataGroup.MODEL: "from a file",
    DataGroup.FLAG: "no flag",
}
_MARK_WORDS = {
    CaseMark.PINNED: "pinned",
    CaseMark.NOTED: "with a note",
    CaseMark.EDITED: "edited by you",
    CaseMark.REVIEWED: "looked at by you and kept",
    CaseMark.FLAGGED: "flagged as close to another",
    CaseMark.CONTRAST: "kept although close to another",
    CaseMark.CONTRADICTION: "with the text of another and other expectations",
    CaseMark.SIMILAR: "close to another, below the threshold",
    CaseMark.EASY: "easy",
}


def ranked(rows: Sequence[DataRow], order: DataOrder, measure: Callable[[DataRow], float]) -> list[DataRow]:
    """The rows in the order that is asked for; those of equal measure stay in the plan's order."""
    if order is DataOrder.PLAN:
        return list(rows)
    return sorted(rows, key=measure, reverse=order is DataOrder.MOST)


def answer_with(
    question: DataQuestion, said: str, rows: Sequence[DataRow], place: DataPlace, words: str = ""
) -> DataAnswer:
    """The answer with as many rows as were asked for."""
    return DataAnswer(said, tuple(rows[: question.limit]), max(0, len(rows) - question.limit), place, words)


def listed(rows: Sequence[DataRow]) -> str:
    """``refunds 12, order_status 3``"""
    return ", ".join(f"{row.name} {row.count:,}" for row in rows)


class CaseAnswers:
    """Answers from the accepted cases of a session that has a plan."""

    def __init__(self, context: SessionContext, diversity: SessionDiversity, documents: SessionDocuments) -> None:
        self._context, self._diversity, self._documents = context, diversity, documents

    async def cases(self, question: DataQuestion) -> DataAnswer:
        """How many accepted cases there are, of some kind, split in some way."""
        self._require_axes(question)
        categories = self._context.categories(question.category)
        progress = await self._context.files.store.progress.by_category()
        total = sum(progress[name].accepted for name in categories)
        planned = sum(c.count for c in self._context.plan.categories if c.name in categories)
        if question.order in (DataOrder.NEWEST, DataOrder.OLDEST):
            return await self._in_time(question, categories)
        where = f" of {question.category}" if question.category else ""
        if question.by is DataGroup.SOURCE:
            return await self._by_source(question)
        filtered = _filter_words(question)
        if question.by is None and not filtered:
            rows = [DataRow(c.name, progress[c.name].accepted, c.count) for c in self._planned(categories)]
            said = f"{total:,} of {counted(planned, 'case')}{where} {are(total)} there ({share_words(total, planned)})."
            return answer_with(question, said, rows if len(rows) > 1 else (), DataPlace.CASES)
        counts = await self._counts(question, categories)
        words = _search_words(question)
        if question.by is None:
            return await self._how_many(question, sum(counts.values()), total, planned, where, words)
        return self._split(question, question.by, counts, where, words)

    def _split(
        self, question: DataQuestion, by: DataGroup, counts: Mapping[str, int], where: str, words: str
    ) -> DataAnswer:
        names = [name for name, count in counts.items() if count]
        if by is DataGroup.CATEGORY:
            names = self._context.categories(question.category)
        elif by is DataGroup.ATTRIBUTE:
            axes = self._axes(self._context.categories(question.category)).values()
            names = list(dict.fromkeys((*(value for known in axes for value in known.get(question.axis, ())), *names)))
        flags = by is DataGroup.FLAG
        found = [DataRow(name or _WITHOUT.get(by, "other"), counts.get(name, 0)) for name in names if name or not flags]
        order = DataOrder.MOST if question.order is DataOrder.PLAN else question.order
        rows = ranked(found, order, lambda row: row.count)
        total, filtered = sum(row.count for row in rows), _filter_words(question)
        if flags and not rows:
            said = f"No case{where} is flagged: none came close to another."
        elif not total:
            said = f"No case{where} is there{f': {filtered}' if filtered else ''}."
        else:
            end = "the fewest" if order is DataOrder.LEAST else "the most"
            split, noun = question.axis or by.value, "flag" if flags else "case"
            kept = f", {filtered}," if filtered else ""
            said = f"{counted(total, noun)}{where}{kept} by {split}: {rows[0].name} has {end}, {rows[0].count:,}."
        return answer_with(question, said, rows if total else (), DataPlace.CASES, words)

    async def _how_many(
        self, question: DataQuestion, count: int, total: int, planned: int, where: str, words: str
    ) -> DataAnswer:
        filtered = _filter_words(question)
        wanted = await self._wanted(question)
        if not total:
            plan = f"; the plan wants {wanted:,} such cases" if wanted else f"; {planned:,} are planned"
            return DataAnswer(f"No case{where} is written yet{plan}.", place=DataPlace.COVERAGE)
        of_plan = f"; the plan wants {wanted:,}" if wanted is not None and wanted != count else ""
        said = f"{count:,} of {counted(total, 'case')}{where}: {filtered} ({share_words(count, total)}){of_plan}."
        if question.verdict is not None and not count:
            verdicts = await self._context.files.store.verdicts.counts()
            judged = sum(
                verdicts[name].judged for name in self._context.categories(question.category) if name in verdicts
            )
            said = f"{said[:-1]}; {f'{judged:,} were' if judged else 'none was'} judged."
        rows = await self._neighbours(question) if not count else []
        return answer_with(question, said, rows, DataPlace.CASES, words)

    async def _wanted(self, question: DataQuestion) -> int | None:
        """How many cases of one value the plan wants, where nothing else is asked for."""
        others = (question.text, question.mark, question.verdict, question.kind, question.lacking)
        if len(question.attributes) != 1 or any(others):
            return None
        ((axis, value),) = question.attributes.items()
        coverage = await self._diversity.coverage()
        cells = [coverage.cells[name].get(axis, {}).get(value) for name in self._context.categories(question.category)]
        return sum(cell.planned for cell in cells if cell is not None)

    async def _neighbours(self, question: DataQuestion) -> list[DataRow]:
        """What there is in place of what there is none of: the values of the axis."""
        if len(question.attributes) != 1:
            return []
        (axis,) = question.attributes
        split = DataQuestion(what=question.what, category=question.category, by=DataGroup.ATTRIBUTE, axis=axis)
        return list((await self.cases(split)).rows)

    async def _counts(self, question: DataQuestion, categories: Sequence[str]) -> Counter[str]:
        by = _GROUPINGS[question.by or DataGroup.CATEGORY]
        return await self._context.files.store.case_groups.counts(categories, _query(question), by, question.axis)

    async def _by_source(self, question: DataQuestion) -> DataAnswer:
        if _filter_words(question) or question.category:
            raise InputError("Sources are counted over all cases.", "Leave the other filters out.")
        rows = [DataRow(use.document, use.cases, words=f"{use.used:,} of {counted(use.passages, 'passage')} used")
                for use in await self._documents.uses()]  # fmt: skip
        rows += [DataRow(use.axis.file, use.cases, words=f"{counted(use.used, 'row')} used, for {use.category}")
                 for use in await self._documents.row_uses()]  # fmt: skip
        imported = self._context.files.imported
        if imported.total:
            rows.append(DataRow(imported.name or "an imported file", imported.total, words="came with it"))
        if not rows:
            said = "The plan has no documents, no rows and no imported file: cases are written from its words alone."
            return DataAnswer(said, place=DataPlace.COVERAGE)
        rows = ranked(rows, question.order, lambda row: row.count)
        return answer_with(question, f"Cases by source: {listed(rows[:3])}.", rows, DataPlace.COVERAGE)

    async def _in_time(self, question: DataQuestion, categories: Sequence[str]) -> DataAnswer:
        """Cases themselves, the newest or the oldest first."""
        newest = question.order is DataOrder.NEWEST
        table, seqs = self._context.files.store.cases, list[int]()
        async for step in table.search(categories, replace(_query(question), newest_first=newest)):
            seqs += step.seqs[: question.limit - len(seqs)]
            if len(seqs) >= question.limit:
                break
        filtered = _filter_words(question)
        of = f" of {question.category}" if question.category else ""
        found = await table.by_seq(seqs)
        if not found:
            return DataAnswer(f"No case{of} is there{f': {filtered}' if filtered else ''}.", place=DataPlace.CASES)
        rows = [DataRow(case.case_id, 0, words=_text(case)) for case in found]
        which = "newest" if newest else "first"
        said = f"The {which} case{of}{f', {filtered},' if filtered else ''} is {rows[0].name}: “{rows[0].words}”"
        return answer_with(question, said, rows[1:], DataPlace.CASES, _search_words(question))

    async def case(self, question: DataQuestion) -> DataAnswer:
        """One case: what it says, what it is held to, what is known of it."""
        store, categories = self._context.files.store, self._context.categories()
        progress = await store.progress.by_category()
        total = sum(progress[name].accepted for name in categories)
        if not total:
            return DataAnswer("No case is written yet.", place=DataPlace.CASES)
        named = question.case.strip()
        number = named.lstrip("#").strip()
        if not (number.isascii() and number.isdigit() and 0 < int(number[:18]) < 10**9):
            slot = slot_of(named)
            known = await store.cases.slot_facts(*slot) if slot is not None and slot[0] in categories else None
            found = [known.case] if known is not None and known.case is not None else []
        elif named.startswith("#"):
            found = list((await store.cases.in_slots([(name, int(number)) for name in categories])).values())
        else:
            found = await store.cases.page(categories, int(number) - 1, 1, newest_first=False)
        if not found:
            ids = f"there are {total:,}; an id is like {categories[0]}-00001"
            return DataAnswer(f"There is no case {one_line(named, 80)}: {ids}.", place=DataPlace.CASES)
        if len(found) > 1:
            rows = [DataRow(case.case_id, 1, words=f"“{_text(case)}”") for case in found]
            said = f"{one_line(named, 80)} is in {counted(len(rows), 'category')}. Which one?"
            return answer_with(question, said, rows, DataPlace.CASES)
        case = found[0]
        at = await store.cases.place(case, categories, newest_first=False)
        return DataAnswer(
            f"{case.case_id}{f' ({at + 1:,} of {total:,})' if at is not None else ''}: “{_text(case)}”",
            tuple(_facts(case)),
            place=DataPlace.CASES,
            words=case.case_id,
        )

    async def coverage(self, question: DataQuestion) -> DataAnswer:
        """How full categories or the values of an axis are, the thinnest first unless told otherwise."""
        if question.axis:
            self._require_axis(question.axis)
        coverage = await self._diversity.coverage()
        categories = self._context.categories(question.category)
        rows = _axis_rows(coverage, categories, question.axis) if question.axis else []
        if not question.axis:
            rows = [DataRow(name, coverage.cases[name].accepted, coverage.cases[name].planned) for name in categories]
        order = DataOrder.LEAST if question.order is DataOrder.PLAN else question.order
        rows = ranked(rows, order, _fullness)
        if not any(row.count for row in rows):
            return answer_with(question, "No case is written yet, so all of them are empty.", rows, DataPlace.COVERAGE)
        if order is DataOrder.LEAST and all(row.count >= (row.of or 0) for row in rows):
            fewest = min(rows, key=lambda row: row.count)
            said = (
                f"None is thin: each has all its planned cases. {fewest.name} is the smallest, with {fewest.count:,}."
            )
            return answer_with(question, said, rows, DataPlace.COVERAGE)
        first = rows[0]
        said = f"{'Thinnest' if order is DataOrder.LEAST else 'Fullest'} is {first.name}: {_of(first)}."
        if not question.axis and order is DataOrder.LEAST and (cell := _thinnest_cell(coverage, first.name)):
            said += f" In it {cell}."
        return answer_with(question, said, rows, DataPlace.COVERAGE)

    async def expectations(self, question: DataQuestion) -> DataAnswer:
        """Which expectations the cases have, and which of the planned ones are missing."""
        categories = self._context.categories(question.category)
        progress = await self._context.files.store.progress.by_category()
        total = sum(progress[name].accepted for name in categories)
        where = f" of {question.category}" if question.category else ""
        due: Counter[str] = Counter()  # of how many cases each key is expected
        for category in self._planned(categories):
            for key in dict.fromkeys(
                (*category.expectations, *(w.key for w in self._context.plan.written_for(category)))
            ):
                due[key] += progress[category.name].accepted
        if not total:
            keys = f": {', '.join(map(key_words, due))} are to be written" if due else ""
            return DataAnswer(f"No case{where} is written yet{keys}.", place=DataPlace.CASES)
        groups = self._context.files.store.case_groups
        counts = await groups.counts(categories, CaseQuery(), CaseGrouping.EXPECTATION)
        counts.pop("", None)
        names = [*due, *(name for name in counts if name not in due)]
        rows = ranked([DataRow(name, counts.get(name, 0), due.get(name) or None) for name in names],
                      DataOrder.LEAST, _fullness)  # fmt: skip
        missing = [(row.name, (row.of or 0) - row.count) for row in rows if row.of and row.count < row.of]
        if not rows:
            said = f"None of {counted(total, 'case')}{where} has an expectation, and the plan asks for none."
        elif missing:
            named = ", ".join(f"{key_words(name)} in {counted(number, 'case')}" for name, number in missing)
            said = f"Missing: {named}, of {total:,}{where}."
        else:
            said = f"Nothing is missing: all of {counted(total, 'case')}{where} have what the plan asks for."
        return answer_with(question, said, rows, DataPlace.CASES)

    def _planned(self, categories: Sequence[str]) -> list[DatasetCategory]:
        return [c for c in self._context.plan.categories if c.name in categories]

    def _axes(self, categories: Sequence[str]) -> dict[str, dict[str, tuple[str, ...]]]:
        return {c.name: slot_axes(self._context.plan, c) for c in self._planned(categories)}

    def _require_axes(self, question: DataQuestion) -> None:
        for axis in (*question.attributes, *([question.axis] if question.axis else [])):
            self._require_axis(axis)

    def _require_axis(self, axis: str) -> None:
        """Raises ``InputError`` for an axis that no category has."""
        known = dict.fromkeys(name for axes in self._axes(self._context.categories()).values() for name in axes)
        if axis not in known:
            raise InputError(f"There is no axis {one_line(axis, 80)!r}.", f"There are: {', '.join(known)}.")


def _query(question: DataQuestion) -> CaseQuery:
    """The search for what a question keeps."""
    mark = question.mark
    return CaseQuery(
        text=question.text,
        pinned=mark is CaseMark.PINNED,
        noted=mark is CaseMark.NOTED,
        edited=mark is CaseMark.EDITED,
        reviewed=mark is CaseMark.REVIEWED,
        flagged=mark is CaseMark.FLAGGED,
        easy=mark is CaseMark.EASY,
        flag=mark.value if mark in _FLAGS else "",
        verdict=question.verdict,
        attributes=tuple(question.attributes.items()),
        kind=question.kind,
        lacking=question.lacking,
    )


def _search_words(question: DataQuestion) -> str:
    """Words by which the list of cases finds much the same."""
    return " ".join((*question.attributes.values(), question.text)).strip()


def _filter_words(question: DataQuestion) -> str:
    """What a question keeps, in words; empty where it keeps all."""
    parts = [f"{axis} {value}" for axis, value in question.attributes.items()]
    if question.kind is not None:
        parts.append(f"of the kind {question.kind.value}")
    if question.mark is not None:
        parts.append(_MARK_WORDS[question.mark])
    if question.verdict is not None:
        parts.append(f"judged {question.verdict.value.replace('_', ' ')}")
    if question.lacking:
        parts.append(f"without {question.lacking}")
    if question.text:
        parts.append(f"with “{one_line(question.text, 80)}” in them")
    return ", ".join(parts)


def _axis_rows(coverage: Coverage, categories: Sequence[str], axis: str) -> list[DataRow]:
    sums: dict[str, list[int]] = {}
    for name in categories:
        for value, cell in coverage.cells[name].get(axis, {}).items():
            both = sums.setdefault(value, [0, 0])
            both[0] += cell.accepted
            both[1] += cell.planned
    return [DataRow(value, accepted, planned) for value, (accepted, planned) in sums.items() if value != OTHER]


def _fullness(row: DataRow) -> float:
    return row.count / row.of if row.of else float(row.count)


def _of(row: DataRow) -> str:
    return f"{row.count:,} of {row.of or 0:,} ({share_words(row.count, row.of or 0)})"


def _thinnest_cell(coverage: Coverage, category: str) -> str:
    """``tone angry has 2 of 30``; empty where each cell is full."""
    cells = [
        (cell.share, axis, value, cell)
        for axis, values in coverage.cells[category].items()
        for value, cell in values.items()
        if value != OTHER and cell.accepted < cell.planned
    ]
    if not cells:
        return ""
    _, axis, value, cell = min(cells, key=lambda one: one[0])
    return f"{axis} {value} has {cell.accepted:,} of {cell.planned:,}"


def _text(case: AcceptedCase) -> str:
    return one_line(display_text(case.inputs), _MOST_TEXT)


def _facts(case: AcceptedCase) -> list[DataRow]:
    attributes = case.tags.get("attributes")
    facts: list[tuple[str, str]] = []
    if isinstance(attributes, Mapping) and attributes:
        facts.append(("attributes", ", ".join(f"{axis} {value}" for axis, value in attributes.items())))
    facts += [(key_words(key), value_words(value)) for key, value in case.expectations.items()]
    facts += [("flag", flag_words(flag)) for flag in flags_of(case.tags)]
    written = one_line(str(case.tags.get("model") or ""), 80) or "a person, or it came with a file"
    facts.append(("written by", f"{written}, in batch {case.batch}" if case.batch else written))
    if (verdict := verdict_of(case.tags)) is not None:
        facts.append(
            ("verdict", f"{verdict.finding.value.replace('_', ' ')}{f': {verdict.reason}' if verdict.reason else ''}")
        )
    return [DataRow(one_line(name, 60), 0, words=one_line(words, _MOST_TEXT)) for name, words in facts]
