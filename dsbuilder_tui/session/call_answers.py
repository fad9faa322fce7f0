"""Answers to questions about worker calls: how they ended, what is in flight, what happened to one batch."""

from __future__ import annotations

from collections import Counter

from dsbuilder_tui.domain.batch_words import BatchFacts, batch_words
from dsbuilder_tui.domain.call_outcome import CALL_ENDINGS, CallOutcome
from dsbuilder_tui.domain.data_question import DataAnswer, DataOrder, DataPlace, DataQuestion, DataRow
from dsbuilder_tui.domain.plain_words import are, counted, were
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.session.case_answers import answer_with, ranked
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import WorkerCall
from dsbuilder_tui.store.worker_calls import CallTally

_MOST_DETAIL = 240  # characters of what an endpoint said
_LEAST_STUCK = 20.0  # seconds that any call may take
_STUCK = 3.0  # times as long as calls usually take
_BROUGHT = (CallOutcome.OK, CallOutcome.CANCELLED)


def batch_facts(call: CallTrace | WorkerCall, now: float) -> BatchFacts:
    """What is told of a call, whether it is in flight or remembered; ``now`` is the wall time."""
    if isinstance(call, CallTrace):
        asked, seconds, retries = len(call.slots), (call.ended or now) - call.started, len(call.retries)
    else:
        asked, seconds, retries = call.size, call.seconds, call.retries
    return BatchFacts(
        category=call.category, role=call.role, asked=asked, came=call.delivered, outcome=call.outcome, seconds=seconds,
        retries=retries,
    )  # fmt: skip


class CallAnswers:
    """Answers from what the session remembers of its calls, and from those in flight."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def calls(self, question: DataQuestion) -> DataAnswer:
        if question.batch is not None:
            return await self._batch(question.batch)
        tally = await self._context.files.store.calls.tally(question.category)
        flying = [
            call for call in self._context.call_log.calls()
            if call.ended is None and question.category in (None, call.category)
        ]  # fmt: skip
        where = f" for {question.category}" if question.category else ""
        said = [self._flying(flying, tally), self._ended(tally, where)]
        if question.order is DataOrder.MOST and (slow := tally.slowest) is not None:
            said.append(f"The slowest that brought cases: batch {slow.batch} of {slow.category}, {slow.seconds:.2g} s.")
        said.append(await self._turned_away(question.category))
        progress = await self._context.files.store.progress.by_category()
        given_up = sum(progress[name].exhausted for name in self._context.categories(question.category))
        if given_up:
            said.append(
                f"{counted(given_up, 'slot')} {are(given_up)} exhausted; “try the exhausted ones again” opens them."
            )
        rows = [DataRow(CALL_ENDINGS[outcome], count) for outcome, count in tally.endings.items()]
        order = DataOrder.MOST if question.order is DataOrder.PLAN else question.order
        rows = ranked(rows, order, lambda row: row.count) if len(rows) > 1 else []
        return answer_with(question, " ".join(filter(None, said)), rows, DataPlace.WORKERS)

    async def _turned_away(self, category: str | None) -> str:
        """What failed besides calls: the candidates; empty where none did."""
        stages: Counter[str] = Counter()
        for name, counts in (await self._context.files.store.rejections.by_category()).items():
            if category in (None, name):
                stages.update(counts)
        if not (total := stages.total()):
            return ""
        checks, judged = stages[Stage.VALIDATORS] + stages[Stage.SCHEMA], stages[Stage.JUDGE] + stages[Stage.CRITIQUE]
        parts = [f"{checks:,} at the checks"] if checks else []
        parts += [f"{judged:,} before the judge"] if judged else []
        parts += [f"{rest:,} as repeats or by hand"] if (rest := total - checks - judged) else []
        return f"Of what they wrote, {counted(total, 'candidate')} {were(total)} turned away ({', '.join(parts)}): F5 has them."

    def _flying(self, flying: list[CallTrace], tally: CallTally) -> str:
        run = self._context.run
        if run is None:
            return "Nothing runs now, so no worker is at work and none is stuck."
        most = self._context.config.workers
        if not flying:
            return f"No call is in flight just now, of {most:,} at most."
        now = self._context.clock.now()
        waiting = sum(bool(call.retries) and call.retries[-1].ts + call.retries[-1].wait_s > now for call in flying)
        oldest = min(flying, key=lambda call: call.started)
        took, usual = max(0.0, now - oldest.started), tally.seconds / tally.calls if tally.calls else 0.0
        stuck = took > max(_LEAST_STUCK, _STUCK * usual)
        verdict = "that is long: `c` on F6 cuts it off" if stuck else "nothing looks stuck" if usual else ""
        wait = f", {waiting:,} of them {'waits' if waiting == 1 else 'wait'} to be tried again" if waiting else ""
        return (
            f"{counted(len(flying), 'call')} {are(len(flying))} in flight, of {most:,} at most{wait}; the oldest, batch "
            f"{oldest.batch} of {oldest.category}, since {took:.0f} s{f'; {verdict}' if verdict else ''}."
        )

    def _ended(self, tally: CallTally, where: str) -> str:
        if not tally.calls:
            return f"No call{where} has ended yet."
        failed = sum(count for outcome, count in tally.endings.items() if outcome not in _BROUGHT)
        cut = tally.endings.get(CallOutcome.CANCELLED, 0)
        ended = counted(tally.calls, "call")
        none = "it did not fail" if tally.calls == 1 else "none of them failed"
        said = (
            f"{ended}{where} {'has' if tally.calls == 1 else 'have'} ended, {tally.seconds / tally.calls:.2g} s each: "
        )
        said += f"{failed:,} {were(failed)} cut short or failed" if failed else none
        said += f"; {cut:,} {were(cut)} cancelled" if cut else ""
        said += f"; {counted(tally.retries, 'time')} an endpoint was asked again" if tally.retries else ""
        if (last := tally.last_failed) is not None:
            why = one_line(last.detail, _MOST_DETAIL) or CALL_ENDINGS[last.outcome]
            said += f". The last one, batch {last.batch} of {last.category}: {why.rstrip('.')}"
        return f"{said}."

    async def _batch(self, batch: int) -> DataAnswer:
        now, table = self._context.clock.now(), self._context.files.store.calls
        flying = (one for one in self._context.call_log.calls() if one.batch == batch and one.ended is None)
        call: CallTrace | WorkerCall | None = next(flying, None) or await table.newest(batch)
        if call is None:
            last = await table.last_batch()
            there = f"the last one is batch {last}" if last else "no worker was called yet"
            return DataAnswer(f"There is no batch {batch}; {there}.", place=DataPlace.WORKERS)
        figures = await table.figures(batch, call.seq) if isinstance(call, WorkerCall) else None
        said = f"Batch {batch}: {batch_words(batch_facts(call, now), figures)}"
        detail = one_line(call.detail, _MOST_DETAIL)
        return DataAnswer(f"{said} {detail}".strip(), place=DataPlace.WORKERS)
