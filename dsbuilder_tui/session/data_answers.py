"""Answers to questions about a session's data, by its own counts: no model is asked, and nothing of a question is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.data_question import (
    DataAnswer,
    DataGroup,
    DataOrder,
    DataPlace,
    DataQuestion,
    DataRow,
    DataSubject,
)
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import share_words
from dsbuilder_tui.domain.plain_words import are, counted, dollar_words, duration_words, were
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.spending import RoleSpending, Spending
from dsbuilder_tui.domain.stage import COMPARING_STAGES
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.call_answers import CallAnswers
from dsbuilder_tui.session.case_answers import CaseAnswers, answer_with, listed, ranked
from dsbuilder_tui.session.costs import SessionCosts
from dsbuilder_tui.session.diversity import SessionDiversity
from dsbuilder_tui.session.diversity_answers import DiversityAnswers
from dsbuilder_tui.session.documents import SessionDocuments
from dsbuilder_tui.session.history_answers import HistoryAnswers
from dsbuilder_tui.session.length_answers import LengthAnswers
from dsbuilder_tui.session.repeated_inputs import RepeatedInputs
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.case_groups import CaseGrouping
from dsbuilder_tui.store.case_search import CaseQuery

_NO_PLAN = "Nothing is planned yet, so there is nothing to count. Say what the dataset is for, and how many cases it should hold."
_ALWAYS = frozenset({DataSubject.COST, DataSubject.TIME, DataSubject.MODELS, DataSubject.CHECKPOINTS,
                     DataSubject.FILES})  # fmt: skip
_MOST_TEXT = 160  # characters of a candidate
_REPEATS = frozenset(COMPARING_STAGES)


class DataAnswers:
    """Answers questions, at rest and while the session runs. What it says is bounded, whatever the dataset's size."""

    def __init__(
        self, context: SessionContext, costs: SessionCosts, diversity: SessionDiversity, documents: SessionDocuments
    ) -> None:
        self._context, self._costs = context, costs
        self._cases = CaseAnswers(context, diversity, documents)
        self._answers: Mapping[DataSubject, Callable[[DataQuestion], Awaitable[DataAnswer]]] = {
            DataSubject.CASES: self._cases.cases,
            DataSubject.CASE: self._cases.case,
            DataSubject.COVERAGE: self._cases.coverage,
            DataSubject.EXPECTATIONS: self._cases.expectations,
            DataSubject.CAUSE: DiversityAnswers(context, diversity).cause,
            DataSubject.VARIETY: DiversityAnswers(context, diversity).variety,
            DataSubject.LENGTH: LengthAnswers(context, diversity).length,
            DataSubject.COMPARISON: LengthAnswers(context, diversity).comparison,
            DataSubject.CHANGES: HistoryAnswers(context).changes,
            DataSubject.FILES: HistoryAnswers(context).files,
            DataSubject.OPEN: self._open,
            DataSubject.EXHAUSTED: self._exhausted,
            DataSubject.REJECTED: self._rejected,
            DataSubject.REPEATS: self._repeats,
            DataSubject.CALLS: CallAnswers(context).calls,
            DataSubject.COST: self._cost,
            DataSubject.TIME: self._time,
            DataSubject.MODELS: self._models,
            DataSubject.CHECKPOINTS: self._checkpoints,
        }

    async def ask(self, question: DataQuestion) -> DataAnswer:
        """The answer, which is one also where there is no plan or no case yet.

        Raises ``InputError`` for a category or an axis that the plan does not have, ``StorageError`` or ``SessionDamaged``.
        """
        if not self._context.planned and question.what not in _ALWAYS:
            return DataAnswer(_NO_PLAN)
        names = self._context.categories()
        if question.category is not None and question.category not in names:
            raise InputError(
                f"There is no category {one_line(question.category, 80)!r}.", f"There are: {', '.join(names)}."
            )
        await self._context.written()
        return _clean(await self._answers[question.what](question))

    async def _open(self, question: DataQuestion) -> DataAnswer:
        progress = await self._context.files.store.progress.by_category()
        rows = [
            DataRow(c.name, max(0, c.count - progress[c.name].accepted - progress[c.name].exhausted), c.count)
            for c in self._context.plan.categories
            if question.category in (None, c.name)
        ]
        left, planned = sum(row.count for row in rows), sum(row.of or 0 for row in rows)
        where = f" of {question.category}" if question.category else ""
        if not left:
            given_up = sum(progress[row.name].exhausted for row in rows)
            more = f"; {counted(given_up, 'slot')} {are(given_up)} exhausted" if given_up else ""
            return DataAnswer(f"None{where} is left to write: {planned - given_up:,} of {planned:,} are there{more}.",
                              place=DataPlace.CASES)  # fmt: skip
        left_rows = ranked([row for row in rows if row.count], question.order, lambda row: row.count)
        said = f"{left:,} of {counted(planned, 'case')}{where} {are(left)} left to write."
        return answer_with(question, said, left_rows if len(rows) > 1 else (), DataPlace.COVERAGE)

    async def _exhausted(self, question: DataQuestion) -> DataAnswer:
        found = [
            one
            for one in await self._context.files.store.slots.exhausted()
            if question.category in (None, one.category)
        ]
        if not found:
            return DataAnswer("No slot is exhausted: none was given up.", place=DataPlace.REJECTED)
        counts = {name: sum(one.category == name for one in found) for name in self._context.categories()}
        rows = ranked([DataRow(name, n) for name, n in counts.items() if n], question.order, lambda row: row.count)
        newest = max(found, key=lambda one: one.seq)
        why = f"The last one, in {newest.category}: {one_line(newest.reason, 240)}."
        said = f"{counted(len(found), 'slot')} {are(len(found))} exhausted. {why}"
        return answer_with(question, said, rows, DataPlace.REJECTED)

    async def _rejected(self, question: DataQuestion) -> DataAnswer:
        table = self._context.files.store.rejections
        if question.order is DataOrder.NEWEST:
            return await self._last_rejected(question)
        if question.text:
            count = await table.count(category=question.category, stage=question.stage or None, text=question.text)
            said = f"{counted(count, 'candidate')} with “{one_line(question.text, 80)}” {were(count)} turned away."
            return DataAnswer(said, place=DataPlace.REJECTED, words=question.text)
        stages: dict[str, int] = {}
        categories: dict[str, int] = {}
        for name, counts in (await table.by_category()).items():
            if question.category not in (None, name):
                continue
            for stage, count in counts.items():
                if question.stage in ("", stage):
                    stages[stage] = stages.get(stage, 0) + count
                    categories[name] = categories.get(name, 0) + count
        total, progress = sum(stages.values()), await self._context.files.store.progress.by_category()
        where = "".join(
            (f" in {question.category}" if question.category else "", f" at {question.stage}" if question.stage else "")
        )
        if not total:
            return DataAnswer(f"Nothing was turned away{where}.", place=DataPlace.REJECTED)
        accepted = sum(progress[name].accepted for name in self._context.categories(question.category))
        by_stage = ranked([DataRow(name, n) for name, n in stages.items()], DataOrder.MOST, lambda row: row.count)
        by_category = [
            DataRow(name, n, n + (progress[name].accepted if name in progress else 0)) for name, n in categories.items()
        ]
        order = DataOrder.MOST if question.order is DataOrder.PLAN else question.order
        by_category = ranked(by_category, order, lambda row: row.count)
        said = (
            f"{total:,} of {counted(accepted + total, 'candidate')} {were(total)} turned away{where} "
            f"({share_words(total, accepted + total)}): {listed(by_stage[:4])}."
        )
        if len(by_category) > 1:
            which = "Fewest" if order is DataOrder.LEAST else "Most"
            said += f" {which} in {by_category[0].name}, {by_category[0].count:,}."
        return answer_with(
            question, said, by_category if question.by is DataGroup.CATEGORY else by_stage, DataPlace.REJECTED
        )

    async def _last_rejected(self, question: DataQuestion) -> DataAnswer:
        found = await self._context.files.store.rejections.page(
            0, question.limit, category=question.category, stage=question.stage or None, text=question.text
        )
        if not found:
            return DataAnswer("Nothing was turned away.", place=DataPlace.REJECTED)
        rows = []
        for one in found:
            like = f", like {one.nearest_case_id}" if one.nearest_case_id else ""
            score = f" {one.score:.2f}" if one.score is not None and (one.threshold or 1) < 1 else ""
            rows.append(
                DataRow(
                    one.category,
                    one.seq,
                    words=f"“{one_line(one.text, _MOST_TEXT)}”, at {one.stage}{score}{like}: {one_line(one.reason, _MOST_TEXT)}",
                )
            )
        said = f"The last one turned away, in {rows[0].name}: {rows[0].words}."
        return answer_with(question, said, rows[1:], DataPlace.REJECTED)

    async def _repeats(self, question: DataQuestion) -> DataAnswer:
        store, plan = self._context.files.store, self._context.plan
        categories = self._context.categories(question.category)
        progress = await store.progress.by_category()
        total = sum(progress[name].accepted for name in categories)
        turned_away = sum(
            n for name, counts in (await store.rejections.by_category()).items() if name in categories
            for stage, n in counts.items() if stage in _REPEATS
        )  # fmt: skip
        flags = await store.case_groups.counts(categories, CaseQuery(flagged=True), CaseGrouping.FLAG)
        flags.pop("", None)
        repeats = RepeatedInputs(plan)
        free = [c.name for c in plan.categories if not c.compared and c.name in categories]
        if free:
            async for page in store.cases.pages(categories, damaged=[]):
                repeats.see(page)
        if not total:
            said = "No case is written yet; each is compared with all others before it is let in."
        elif repeats.total:
            where = f"{', '.join(free)}, where the diversity check is off"
            said = f"{counted(repeats.total, 'repeat')} among {counted(total, 'case')}, in {where}."
        else:
            said = f"No two of {counted(total, 'case')} say the same."
        if turned_away:
            said += f" {counted(turned_away, 'candidate')} {were(turned_away)} turned away as repeats."
        if flags:
            near = sum(flags.values())
            said += f" {counted(near, 'case')} {are(near)} close to another and flagged."
        rows = [DataRow(name, n) for name, n in flags.items()]
        return answer_with(question, said, rows, DataPlace.REJECTED if turned_away and not flags else DataPlace.CASES)

    async def _cost(self, question: DataQuestion) -> DataAnswer:
        config, spending = self._context.config, await self._costs.spending()
        if question.by is DataGroup.CATEGORY or question.category:
            return await self._cost_by_category(question)
        used = [(role, model) for role, spent in _roles(spending) for model in spent.models]
        rows = [
            DataRow(f"{role}, {model.model}", model.prompt_tokens + model.completion_tokens,
                    words="price unknown" if model.dollars is None else dollar_words(model.dollars))
            for role, model in used
        ]  # fmt: skip
        free = provider_of(config).is_free
        if not any(row.count for row in rows):
            said = (
                "$0.00: the built-in writer costs nothing."
                if free
                else "$0.00 so far: no model was asked for anything yet."
            )
            return DataAnswer(said, place=DataPlace.SETTINGS)
        unknown = [model.model for _, model in used if model.dollars is None]
        tokens = sum(row.count for row in rows)
        said = f"{dollar_words(spending.known_dollars)} so far"
        if unknown:
            of = ", ".join(dict.fromkeys(unknown))
            said = f"{counted(tokens, 'token')} so far; the price of {of} is unknown (set it under [prices])"
        if config.budget is not None:
            said += f", of a budget of {dollar_words(config.budget)}"
        if self._context.planned and not unknown:
            totals = await self._context.files.store.progress.totals()
            left = max(0, self._context.plan.total_instances - totals.accepted - totals.exhausted)
            if left and (rest := (await self._costs.expected(totals.accepted, left)).dollars):
                said += f"; the {left:,} that are left come to about {dollar_words(rest)} more"
        rows = ranked(rows, DataOrder.MOST, lambda row: row.count)
        return answer_with(question, f"{said}.", rows, DataPlace.WORKERS)

    async def _cost_by_category(self, question: DataQuestion) -> DataAnswer:
        prices, found = PriceTable(self._context.config.prices), dict[str, tuple[int, float | None]]()
        for one in await self._context.files.store.calls.by_category():
            if question.category not in (None, one.category):
                continue
            tokens, dollars = found.get(one.category, (0, 0.0))
            used = one.usage.prompt_tokens + one.usage.completion_tokens
            cost = prices.cost(one.model, one.usage) if used else 0.0
            found[one.category] = tokens + used, None if dollars is None or cost is None else dollars + cost
        rows = [
            DataRow(name, tokens, words="price unknown" if dollars is None else dollar_words(dollars))
            for name, (tokens, dollars) in found.items()
        ]
        if not any(row.count for row in rows):
            where = f" for {question.category}" if question.category else ""
            return DataAnswer(f"$0.00{where}: no call that costs anything was made.", place=DataPlace.WORKERS)
        rows = ranked(
            rows, DataOrder.MOST if question.order is DataOrder.PLAN else question.order, lambda row: row.count
        )
        said = f"{rows[0].name} took {rows[0].words} and {counted(rows[0].count, 'token')}, its judging included."
        return answer_with(question, said, rows, DataPlace.WORKERS)

    async def _time(self, question: DataQuestion) -> DataAnswer:
        store = self._context.files.store
        times = await store.statistics.run_times(running=self._context.run is not None)
        if not times.spans:
            return DataAnswer("It has not run yet, so nothing has taken any time.", place=DataPlace.WORKERS)
        if question.by is DataGroup.CATEGORY or question.category:
            return await self._time_by_category(question)
        now = self._context.clock.now()
        seconds = sum((now if end is None else end) - start for start, end in times.spans)
        totals = await store.progress.totals()
        said = (
            f"{duration_words(seconds)} in {counted(len(times.spans), 'run')}, for {counted(totals.accepted, 'case')}"
        )
        rate = times.newest_cases / times.newest_seconds if times.newest_seconds > 0 else 0.0
        left = max(0, self._context.plan.total_instances - totals.accepted - totals.exhausted)
        if rate:
            said += f", lately {rate * 60:,.0f} a minute" if rate < 10 else f", lately {rate:,.0f} a second"
        if left:
            will = (
                f"take about {duration_words(left / rate)} at that rate"
                if rate
                else "take a time that is not known yet"
            )
            said += f". The {left:,} that are left {will}"
        return DataAnswer(f"{said}.", place=DataPlace.WORKERS)

    async def _time_by_category(self, question: DataQuestion) -> DataAnswer:
        sums: dict[str, list[float]] = {}
        for one in await self._context.files.store.calls.by_category():
            if one.role is not CallRole.JUDGE and question.category in (None, one.category):
                both = sums.setdefault(one.category, [0.0, 0])
                both[0] += one.seconds
                both[1] += one.delivered
        known = {name: (seconds / cases, seconds) for name, (seconds, cases) in sums.items() if cases}
        if not known:
            return DataAnswer(
                "No worker has delivered a case yet, so there is no time to compare.", place=DataPlace.WORKERS
            )
        fastest_first = question.order is DataOrder.LEAST
        names = sorted(known, key=lambda name: known[name][0], reverse=not fastest_first)
        rows = [
            DataRow(
                name,
                round(known[name][1]),
                words=f"{known[name][0]:.2g} s a case, {duration_words(known[name][1])} of calls",
            )
            for name in names
        ]
        said = f"{'Fastest' if fastest_first else 'Slowest'} is {names[0]}: {rows[0].words}."
        if question.category:
            said = f"{names[0]}: {rows[0].words}."
        return answer_with(question, said, rows if len(rows) > 1 else (), DataPlace.WORKERS)

    async def _models(self, question: DataQuestion) -> DataAnswer:
        config = self._context.config
        provider, spending = provider_of(config), await self._costs.spending()
        writer = provider.writer_name(config)
        planner = config.model if provider.make_agent_model is not None else "the built-in planner"
        rows = [
            DataRow(f"{role}, {model.model}", model.prompt_tokens + model.completion_tokens)
            for role, spent in _roles(spending) for model in spent.models
            if model.prompt_tokens + model.completion_tokens
        ]  # fmt: skip
        said = f"Cases are written by {writer}; {planner} answers here; texts are compared by {config.embedding_model}."
        return answer_with(question, said, rows, DataPlace.SETTINGS)

    async def _checkpoints(self, question: DataQuestion) -> DataAnswer:
        table = self._context.files.store.checkpoints
        newest, (here, elsewhere) = await table.line(question.limit), await table.counts_by_line()
        if not newest:
            return DataAnswer("There is no checkpoint yet. “save a checkpoint” makes one.", place=DataPlace.CHECKPOINTS)
        last = newest[-1]
        name = one_line(last.name or last.reason, 80)
        besides = f", and {elsewhere:,} on other branches" if elsewhere else ""
        said = f"{counted(here, 'checkpoint')}{besides}; the last one, {name}, at {counted(last.accepted, 'case')}."
        rows = [DataRow(one_line(p.name or p.reason, 80), p.accepted, p.planned) for p in reversed(newest)]
        return answer_with(question, said, rows, DataPlace.CHECKPOINTS)


def _clean(answer: DataAnswer) -> DataAnswer:
    """The answer, with whatever foreign text is in it on one line and without control characters."""
    rows = tuple(replace(row, name=one_line(row.name, 120), words=one_line(row.words, 400)) for row in answer.rows)
    return replace(answer, said=one_line(answer.said, 1200), rows=rows, words=one_line(answer.words, 200))


def _roles(spending: Spending) -> tuple[tuple[str, RoleSpending], ...]:
    return ("workers", spending.workers), ("main agent", spending.main_agent), ("judge", spending.judge)
