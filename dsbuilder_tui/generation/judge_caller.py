"""One call of the judge: a fresh context, some cases of a category, and what is read out of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.judging import Verdict
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.text_call import HeardAnswer, TextCall
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.protocol import TextModel, TextRequest
from dsbuilder_tui.quality.judge_prompt import JudgePrompter, PresentedCase
from dsbuilder_tui.quality.verdict_reader import NoVerdict, ReadVerdicts, read_verdicts

_TOKENS_A_CASE = 250

_UNUSABLE = {
    CallOutcome.REFUSED: NoVerdict.REFUSED,
    CallOutcome.TOO_LARGE: NoVerdict.TOO_LARGE,
    CallOutcome.TRUNCATED: NoVerdict.CUT_OFF,
}


class _NotAllowed(Exception):
    """The budget is used up."""


class JudgeCaller:
    """Asks the judge's model about cases, with retries under the endpoint's adaptive limit."""

    def __init__(
        self,
        model: TextModel,
        prompter: JudgePrompter,
        limit: AdaptiveConcurrency,
        retries: CallRetries,
        clock: Clock,
        may_call: Callable[[], bool],
    ) -> None:
        """``may_call`` is asked when a call has its place: whether the budget still allows it."""
        self._text, self._prompter, self._retries = TextCall(model, limit, clock), prompter, retries
        self._may_call = may_call
        self._room = OutputLimit(_TOKENS_A_CASE)
        self._open: dict[int, asyncio.Task[ReadVerdicts | None]] = {}  # by batch: calls that nobody has cut off

    @property
    def model_name(self) -> str:
        return self._text.model_name

    async def execute(
        self, batch: Batch, cases: Sequence[PresentedCase], result: BatchOutcome
    ) -> tuple[Verdict | NoVerdict, ...] | None:
        """A verdict on each case, or why there is none; None when the endpoint kept failing, or no call may be made.

        Raises ``EndpointRefused`` when only a person can help.
        """
        prompt = self._prompter.prompt(batch.category, cases)
        request = TextRequest(
            system=self._prompter.system, prompt=prompt, schema=self._prompter.schema,
            max_tokens=self._room.tokens(len(cases)),
        )  # fmt: skip
        result.max_tokens = request.max_tokens
        if result.trace is not None:
            result.trace.system, result.trace.prompt = request.system, request.prompt
        call = self._open[batch.number] = asyncio.create_task(self._ask(batch, request, cases, result))
        try:
            read = await call
        except _NotAllowed:
            result.outcome, result.detail = CallOutcome.CANCELLED, "the budget is used up"
            return None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if batch.number in self._open or (task is not None and task.cancelling()):
                raise
            result.outcome, result.detail = CallOutcome.CANCELLED, "cut off by a person"
            return tuple(NoVerdict.CANCELLED for _ in cases)
        finally:
            self._open.pop(batch.number, None)
        if read is not None:
            return read.verdicts
        if (why := _UNUSABLE.get(result.outcome)) is not None:
            return tuple(why for _ in cases)
        return None

    def cut_off(self, batch: int) -> bool:
        """End a call before its time: it brings no verdict. False when it is not in flight, or is cut off already."""
        call = self._open.pop(batch, None)
        if call is not None:
            call.cancel()
        return call is not None

    async def _ask(
        self, batch: Batch, request: TextRequest, cases: Sequence[PresentedCase], result: BatchOutcome
    ) -> ReadVerdicts | None:
        size = CallSize(len(request.system) + len(request.prompt), len(cases))
        return await self._retries.call(batch, size, result, lambda permit: self._call(request, cases, result, permit))

    async def _call(
        self, request: TextRequest, cases: Sequence[PresentedCase], result: BatchOutcome, permit: Permit
    ) -> ReadVerdicts:
        if not self._may_call():
            raise _NotAllowed
        heard = await self._text.hear(request, result, permit)
        read = read_verdicts(heard.texts, cases, self._prompter.rubric, self._text.model_name)
        result.delivered = {place for place, one in enumerate(read.verdicts) if isinstance(one, Verdict)}
        _say(result, read, heard)
        self._room.learn(
            result.usage, cases=len(cases), limit=request.max_tokens, cut=result.cut, written=result.written,
            thought=result.thought,
        )  # fmt: skip
        if (why := _UNUSABLE.get(result.outcome)) is not None:
            missing = (NoVerdict.MISSING, NoVerdict.NO_ANSWER)
            verdicts = tuple(why if one in missing else one for one in read.verdicts)
            read = ReadVerdicts(verdicts, read.unknown)
        return read


def _say(result: BatchOutcome, read: ReadVerdicts, heard: HeardAnswer) -> None:
    """How the call ended, and why it brought fewer verdicts than asked for."""
    missing = len(read.verdicts) - read.usable
    result.found, result.quote = read.usable + read.unknown, heard.quote
    if not missing:
        result.outcome, result.detail = CallOutcome.OK, ""
    elif heard.refusal:
        result.outcome, result.detail = CallOutcome.REFUSED, heard.refusal
    elif result.cut:
        result.outcome, result.detail = CallOutcome.TRUNCATED, "the judge's answer was cut off"
    elif read.usable:
        first = next(one for one in read.verdicts if isinstance(one, NoVerdict))
        result.outcome, result.detail = CallOutcome.OK, f"{counted(missing, 'verdict')} of no use: {first}"
    elif heard.quote:
        first = next(one for one in read.verdicts if isinstance(one, NoVerdict))
        result.outcome, result.detail = CallOutcome.UNUSABLE, f"{first}: {result.quote}"
    else:
        result.outcome, result.detail = CallOutcome.EMPTY, "the answer was empty"
