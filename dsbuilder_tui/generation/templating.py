"""The part of templates in a run: the calls that bring them, the cases that are made of them, and what becomes of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import AcceptedCase, Candidate
from dsbuilder_tui.domain.case_template import TEMPLATE_TAG
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.judging import Verdict
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.call_reporter import CallReporter
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.calls_in_flight import CallsInFlight
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.template_answer import read_template_answer
from dsbuilder_tui.generation.template_stock import TemplateStock
from dsbuilder_tui.generation.text_call import HeardAnswer, TextCall
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.protocol import TextModel, TextRequest, TransientError, WorkerModel
from dsbuilder_tui.models.providers import text_model
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.session_store import SessionStore
from dsbuilder_tui.store.templates import StoredTemplate

_TOKENS_A_TEMPLATE, _FILLERS = 400, 8  # the fillers take as much as so many templates
_CASES_A_BATCH = 20
_MOST_FAILURES = 3  # calls in a row that met nothing but network trouble, each retried before


def templates_model(plan: DatasetPlanInput, config: DatasetBuilderConfig, writer: WorkerModel) -> TextModel | None:
    """The model that writes templates in a run, when a category wants some; to be closed by the caller.

    None when nobody wants any, or when the writer is no language model. Raises as ``worker_model``.
    """
    wanted = any(category.mode is WritingMode.TEMPLATES for category in plan.categories)
    return text_model(config) if wanted and not writer.ordered else None


class Templating:
    """Has templates written and makes cases of them, for the categories that say so. One instance a run."""

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        model: TextModel | None,
        seed: int,
        *,
        store: SessionStore,
        gate: Gate,
        limit: AdaptiveConcurrency,
        calls: CallsInFlight,
        budget: Budget,
        clock: Clock,
        emit: Callable[[Event], None],
        on_retry: Callable[[Batch, TransientError, float, int], None],
        fail: Callable[[BaseException], None],
        charged: Callable[[], None],
    ) -> None:
        """Without a ``model`` no category is made of templates. ``charged`` is called when a call was paid for."""
        wanted = [category for category in plan.categories if category.mode is WritingMode.TEMPLATES]
        self._without_model = [category.name for category in wanted] if model is None else []
        self._stocks = {c.name: TemplateStock(plan, c, seed) for c in wanted} if model is not None else {}
        self._store, self._gate, self._calls, self._budget, self._clock = store, gate, calls, budget, clock
        self._fail, self._charged, self._fields = fail, charged, list(plan.input_fields)
        self._room = OutputLimit(_TOKENS_A_TEMPLATE)
        self._made: dict[int, dict[int, str]] = {}  # by batch: the template of each slot
        self._failures = 0
        self._quotes: dict[str, str] = {}  # by category: what came in place of templates
        self._drops: set[asyncio.Task[None]] = set()
        self._reporter = CallReporter(store, gate.journal, budget, clock, emit, keeps_answers=False)
        if model is not None:
            self._retries = CallRetries(
                limit, clock, random.Random(), config.max_retries, on_retry, startup_timeout=config.startup_timeout
            )
            self._text = TextCall(model, limit, clock)

    async def restore(self) -> None:
        """Take over the templates that are there. Raises ``StorageError`` or ``SessionDamaged``."""
        if self._stocks:
            stored = await self._store.templates.all()
            for stock in self._stocks.values():
                stock.restore(stored)

    def notices(self, *, by_model: bool) -> list[tuple[NoticeLevel, str]]:
        """What a person should know beforehand."""
        if not self._without_model or not by_model:
            return []
        names = ", ".join(self._without_model)
        text = f"Whoever writes the cases writes no templates: each case of {names} is written by itself."
        return [(NoticeLevel.WARNING, text)]

    def writes(self, category: str) -> bool:
        """Whether the cases of a category are made of templates."""
        return category in self._stocks

    @property
    def categories(self) -> frozenset[str]:
        """The categories whose cases are made of templates."""
        return frozenset(self._stocks)

    def size(self, category: str) -> int | None:
        """How many of a category's slots are taken at once; None for one whose cases are not made of templates."""
        return _CASES_A_BATCH if category in self._stocks else None

    @property
    def held(self) -> frozenset[str]:
        """The categories of which no case can be made now."""
        return frozenset(name for name, stock in self._stocks.items() if stock.is_held)

    @property
    def stuck(self) -> str:
        """Why a category gets no templates, when one does not."""
        for name, stock in self._stocks.items():
            if stock.is_stuck:
                fault = self._quotes.get(name) or (stock.faults[-1] if stock.faults else "")
                why = f" The last one: {fault.rstrip('.')}." if fault else ""
                return (
                    f"{counted(stock.calls, 'call')} for templates of {name} brought none that cases can be made of.{why} "
                    "Take another worker_model, or `mode: each` for the category. Then go on."
                )
        return ""

    # -- calls

    def look(self) -> None:
        """Ask for templates where they are needed."""
        for name, stock in self._stocks.items():
            if stock.needs_call and not self._budget.used_up and self._gate.ledger.waiting(name):
                stock.asking = True
                batch = Batch(self._gate.ledger.take_number(), stock.category, (), ())
                begun = self._calls.begin(
                    batch, self._text.model_name, CallRole.TEMPLATES, partial(self._ask, stock, batch), self._asked
                )
                self._reporter.tell(begun)

    async def _ask(self, stock: TemplateStock, batch: Batch, trace: CallTrace, result: BatchOutcome) -> None:
        wanted = stock.wanted
        request = stock.prompter.request(
            wanted, self._room.tokens(wanted + _FILLERS), there=stock.there, lacking=stock.lacking, faults=stock.faults
        )
        trace.system, trace.prompt = request.system, request.prompt
        result.max_tokens = request.max_tokens
        stored: list[StoredTemplate] = []
        try:
            size = CallSize(len(request.system) + len(request.prompt), 1)
            heard = await self._retries.call(batch, size, result, partial(self._hear, request, result))
            if heard is not None:
                self._failures = 0
                stored = await self._take_in(stock, batch, heard, result)
                self._room.learn(
                    result.usage, cases=wanted + _FILLERS, limit=request.max_tokens, cut=result.cut,
                    written=result.written, thought=result.thought,
                )  # fmt: skip
        finally:
            stock.asking = False
            stock.answered(stored)
        if result.outcome is CallOutcome.FAILED:
            self._failed(result)

    async def _hear(self, request: TextRequest, result: BatchOutcome, permit: Permit) -> HeardAnswer:
        return await self._text.hear(request, result, permit)

    async def _take_in(
        self, stock: TemplateStock, batch: Batch, heard: HeardAnswer, result: BatchOutcome
    ) -> list[StoredTemplate]:
        """Keep what is sound of an answer. It is on disk when this returns."""
        read = read_template_answer(heard.texts, self._fields)
        sound = await asyncio.to_thread(stock.sound, read.templates, read.faults)
        stored: list[StoredTemplate] = []
        if sound:
            stored = await self._store.templates.add(
                stock.category.name, sound, written_for=stock.written_for, model=self._text.model_name,
                batch=batch.number,
            )  # fmt: skip
        result.delivered, result.found, result.quote = set(range(len(sound))), read.found, heard.quote
        self._say(stock, result, heard)
        return stored

    def _say(self, stock: TemplateStock, result: BatchOutcome, heard: HeardAnswer) -> None:
        """How the call ended, and why it brought fewer templates than it might."""
        sound, bad, name = len(result.delivered), len(stock.faults), stock.category.name
        self._quotes.pop(name, None)
        if sound:
            result.outcome, result.detail = CallOutcome.OK, counted(sound, "template")
        elif heard.refusal:
            result.outcome, result.detail = CallOutcome.REFUSED, heard.refusal
            self._quotes[name] = heard.refusal
        elif result.cut:
            result.outcome, result.detail = CallOutcome.TRUNCATED, "the answer was cut off"
            self._quotes[name] = "the answer was cut off before a template was whole"
        elif result.found or heard.quote:
            result.outcome, result.detail = CallOutcome.UNUSABLE, f"no template was found in: {heard.quote}"
            if not result.found:
                self._quotes[name] = f"the answer began “{heard.quote}”"
        else:
            result.outcome, result.detail = CallOutcome.EMPTY, "the answer was empty"
            self._quotes[name] = "the answer was empty"
        if bad:
            result.detail += f", {bad} turned away: {stock.faults[-1]}"
        words = f"{name}: {counted(sound, 'template')} written" + (f", {bad} turned away" if bad else "")
        self._notice(f"{words}; {counted(len(stock.live) + sound, 'template')} in all.")

    async def _asked(self, batch: Batch, result: BatchOutcome) -> None:
        self.ended(batch, result)

    def ended(self, batch: Batch, result: BatchOutcome) -> None:
        """Remember what a call for templates has come to, or a batch of cases that are made of them."""
        self._reporter.ended(batch, self._calls.settle(batch.number).worker, result)
        self._charged()

    def _failed(self, result: BatchOutcome) -> None:
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            text = f"The endpoint kept failing ({result.detail}); the run stopped. Everything accepted is saved."
            self._fail(EndpointUnavailable(text, "Check the connection with `dsbuilder doctor`, then resume."))

    # -- cases

    async def expand(
        self, batch: Batch, put: Callable[[Candidate], Awaitable[None]], trace: CallTrace, result: BatchOutcome
    ) -> None:
        """Make the cases of a batch. A slot that no template fits gets none."""
        stock, made = self._stocks[batch.category.name], self._made.setdefault(batch.number, {})
        for index, wanted in enumerate(batch.slots):
            stored = stock.fitting(wanted.slot, wanted.attempt)
            if stored is None:
                stock.lacks(wanted.slot)
                continue
            raw = stock.check.expander.case(stored.name, stored.template, wanted.slot, wanted.attempt)
            made[wanted.slot.ordinal] = stored.name
            await put(Candidate(wanted.slot, wanted.attempt, raw, batch.number, stored.model))
            result.delivered.add(index)
            trace.arrivals.append(self._clock.now())
            await asyncio.sleep(0)  # leave the event loop to the others between cases

    def settle(self, batch: Batch, result: BatchOutcome, accepted: Sequence[AcceptedCase]) -> None:
        """Take in what became of a batch's cases, and say what comes of slots that have none."""
        stock, made = self._stocks[batch.category.name], self._made.pop(batch.number, {})
        away = {one.ordinal: one for one in self._gate.turned_away(batch.number)}
        let_in = {case.ordinal for case in accepted}
        for index, wanted in enumerate(batch.slots):
            slot = wanted.slot
            if index not in result.delivered:
                if result.outcome is not CallOutcome.OK or stock.may_ask or stock.asking or stock.fitting(slot, 0):
                    self._gate.give_back(batch, index, result.outcome, result.detail, fruitless=False)
                else:
                    shown = "; ".join(f"{axis}: {value}" for axis, value in stock.check.axes.kind(slot.attributes))
                    words = f"{counted(stock.calls, 'call')} for templates brought none for {shown or 'it'}"
                    self._gate.exhaust(slot, words)
            elif slot.ordinal in let_in or slot.ordinal in away:
                name = made[slot.ordinal]
                if why := stock.decided(name, away.get(slot.ordinal)):
                    self._drop(stock, name, why)
        self.ended(batch, result)

    def judged(self, case: AcceptedCase, verdict: Verdict) -> None:
        """The judge has read a case that counts."""
        stock, name = self._stocks.get(case.category), case.tags.get(TEMPLATE_TAG)
        if stock is None or not isinstance(name, str):
            return
        if why := stock.judged(name, verdict.finding, verdict.critique):
            self._drop(stock, name, why)

    def _drop(self, stock: TemplateStock, name: str, why: str) -> None:
        if stock.drop(name, why):
            self._notice(f"The template {name} is dropped: {why}.")
            task = asyncio.create_task(self._store.templates.drop(name, why))
            self._drops.add(task)
            task.add_done_callback(self._noted)

    def _noted(self, task: asyncio.Task[None]) -> None:
        self._drops.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def close(self) -> None:
        """Wait until what was dropped is noted."""
        await asyncio.gather(*self._drops, return_exceptions=True)

    def _notice(self, text: str) -> None:
        self._reporter.tell(Notice(ts=self._clock.now(), level=NoticeLevel.INFO, text=text))
