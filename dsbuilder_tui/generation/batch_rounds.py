"""The rounds of a run whose calls a Batch API makes: what is open goes out together, and what comes back opens the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable, InputError
from dsbuilder_tui.domain.pause_cause import ASKED_TO_PAUSE, Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.generation.adopted_call import AdoptedCall, adopt
from dsbuilder_tui.generation.batch_answers import BatchAnswer
from dsbuilder_tui.generation.batch_cost import BatchCost
from dsbuilder_tui.generation.batch_input import BatchInput, InputFile, batch_of
from dsbuilder_tui.generation.batch_job_keeper import BatchJobKeeper
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.batch_reports import BatchReports
from dsbuilder_tui.generation.call_starter import CallReleased
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.runners import RunnerContext
from dsbuilder_tui.generation.unfinished_case import made_for
from dsbuilder_tui.models.batch_client import RemoteStatus
from dsbuilder_tui.models.batch_row import BatchRow
from dsbuilder_tui.models.chat_options import ChatOption
from dsbuilder_tui.models.protocol import BatchableModel, CallRefused, RequestTooLarge, WorkerRequest
from dsbuilder_tui.store.batch_jobs import BatchRequest, RequestedSlot

MOST_CALLS = 50_000  # of one round, which may take a day: each has its prompt in memory, some 6 KB in all
_MOST_FRUITLESS = 2  # rounds in a row without one answer


@dataclass(slots=True)
class _Asked:
    """A call whose answer may be hours away."""

    request: WorkerRequest
    answer: asyncio.Future[BatchAnswer]
    dollars: float = 0.0  # that it is likely to cost


@dataclass(slots=True, kw_only=True)
class _JobInHand:
    keeper: BatchJobKeeper
    model: BatchableModel
    left: set[int]  # calls that are neither settled nor released
    over: asyncio.Event = field(default_factory=asyncio.Event)
    collecting: bool = False
    answered: int = 0
    life: asyncio.Task[None] | None = None


class BatchRounds:
    """Gathers the calls of a round, sends them as jobs, and gives each its answer. One instance a run.

    A round is filled while ``room`` says so, and sent when it is ``sealed`` and each call that was ``begun`` has asked.
    """

    def __init__(self, context: RunnerContext) -> None:
        self._context, self._store, self._budget = context, context.store, context.budget
        self._table = context.store.batch_jobs
        self._models: dict[str, BatchableModel] = {}
        self._input = BatchInput(context.store.folder)
        self._most = MOST_CALLS
        self._asked: dict[int, _Asked] = {}
        self._requests: dict[int, BatchRequest] = {}  # of the round that is being filled
        self._preparing: set[int] = set()  # begun, and have not asked yet
        self._sealed = self._full = self._pausing = self._cancelled = False
        self._round: dict[int, _JobInHand] = {}  # jobs under way, by number
        self._lives: set[asyncio.Task[None]] = set()
        self._answered = 0  # in this round
        self._fruitless = 0
        self._sending: asyncio.Task[None] | None = None
        self._cost = BatchCost(context.budget.prices)
        self._turns = asyncio.Semaphore(2 * context.config.workers)
        self._reports = BatchReports(context.clock, context.tell, context.emit)

    # -- filling a round

    @property
    def room(self) -> int:
        """How many more calls may begin; 0 while a round is under way."""
        if self._pausing or self._full or self._sealed or self._round or self._sending is not None:
            return 0
        return self._most - len(self._preparing) - len(self._asked)

    @property
    def is_filling(self) -> bool:
        """Whether calls have been begun that are not sent yet."""
        return bool(self._preparing or self._requests) and not self._round and self._sending is None

    @property
    def is_waiting(self) -> bool:
        """Whether a provider has a job of this run."""
        return bool(self._round)

    @property
    def is_collecting(self) -> bool:
        """Whether a job is over, and what it brought is not all written down."""
        return any(hand.collecting for hand in self._round.values())

    def begun(self, batch: int) -> None:
        """A call has been begun, and will ask."""
        self._preparing.add(batch)

    def seal(self) -> None:
        """Nothing more will be begun until this round is over."""
        if self.is_filling and not self._pausing:
            self._sealed = True
            self._send_if_whole()

    async def ask(self, batch: Batch, request: WorkerRequest, model: BatchableModel) -> BatchAnswer:
        """The answer to a call, when it is there. Raises ``CallReleased``."""
        if batch.number not in self._asked:
            self._preparing.discard(batch.number)
            try:
                await self._put(batch, request, model)
            finally:
                self._send_if_whole()
        try:
            return await self._asked[batch.number].answer
        finally:
            self._asked.pop(batch.number, None)

    async def _put(self, batch: Batch, request: WorkerRequest, model: BatchableModel) -> None:
        dollars = self._cost.dollars(model.name, request)
        limit = self._budget.limit
        if self._pausing or self._full:
            raise CallReleased
        if limit is not None and self._budget.known + self._reserved + dollars > limit:
            self._full = True
            if not self._requests:
                words = dollar_words(limit)
                self._context.pause(
                    Pause(f"what is left of the budget of {words} is not enough for a call", PauseCause.BUDGET)
                )
            raise CallReleased
        options = model.batch_options(request)
        self._models[model.name] = model
        self._input.add(model.name, frozenset(options), batch.number, model.batch_body(request, options))
        plan = self._context.plan
        self._requests[batch.number] = BatchRequest(
            batch=batch.number, category=batch.category.name, max_tokens=request.max_tokens, candidates=request.candidates,
            slots=tuple(
                RequestedSlot(one.slot.ordinal, one.attempt, made_for(plan, batch.category, one.slot)) for one in batch.slots
            ),
        )  # fmt: skip
        self._asked[batch.number] = _Asked(request, asyncio.get_running_loop().create_future(), dollars)

    @property
    def _reserved(self) -> float:
        return sum(asked.dollars for asked in self._asked.values())

    def _send_if_whole(self) -> None:
        if not self._sealed or self._preparing or self._pausing or self._sending is not None:
            return
        self._sealed = False
        if self._requests:
            self._sending = asyncio.create_task(self._send())
            self._sending.add_done_callback(self._sent)
        else:
            self._full = False

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._context.fail(error)

    # -- jobs

    async def _send(self) -> None:
        number = await self._table.rounds() + 1
        self._answered, files = 0, list(self._input.files)
        models = {batch: file.model for file in files for batch in file.requests}
        asked = [(models[batch], one) for batch in models if (one := self._asked.get(batch)) is not None]
        self._reports.round_begins(
            number, requests=len(self._requests), cases=sum(len(one.slots) for one in self._requests.values()),
            jobs=len(files), dollars=sum(one.dollars for _, one in asked),
            at_once=sum(self._cost.dollars(model, one.request, batched=False) for model, one in asked),
        )  # fmt: skip
        for file in files:
            model = self._models[file.model]
            requests = [self._requests[batch] for batch in file.requests]
            job = await self._table.add(number, file.model, file.options, model.batch_client().digest, requests)
            self._begin(self._in_hand(job, model, file.requests), file)
        self._requests.clear()
        self._input.files.clear()

    def _in_hand(self, job: BatchJob, model: BatchableModel, batches: Sequence[int]) -> _JobInHand:
        context = self._context
        keeper = BatchJobKeeper(
            job,
            model.batch_client(),
            self._table,
            self._store.folder.name,
            context.config,
            context.clock,
            self._changed,
        )
        return _JobInHand(keeper=keeper, model=model, left=set(batches))

    def _begin(self, hand: _JobInHand, file: InputFile | None = None) -> None:
        self._round[hand.keeper.job.number] = hand
        hand.life = asyncio.create_task(self._live(hand, file))
        self._lives.add(hand.life)
        hand.life.add_done_callback(self._lived)

    def _lived(self, task: asyncio.Task[None]) -> None:
        self._lives.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._context.fail(error)
        self._context.wake()

    async def _live(self, hand: _JobInHand, file: InputFile | None) -> None:
        keeper = hand.keeper
        if file is not None:
            await keeper.send(file)
            file.path.unlink(missing_ok=True)
        elif keeper.job.state is BatchJobState.ASKED:
            await keeper.recover()
        if self._pausing:
            self._leave(hand)
            return
        await keeper.wait()
        hand.collecting = True
        await self._collect(hand)
        del self._round[keeper.job.number]
        self._answered += hand.answered
        if not self._round:
            self._end_round()

    async def _collect(self, hand: _JobInHand) -> None:
        keeper, given, strangers = hand.keeper, set[int](), 0
        if keeper.remote is not None and keeper.remote.status is RemoteStatus.FAILED:
            await self._refused(hand)
            return
        async for row in keeper.rows():
            batch = batch_of(row.custom_id)
            if batch is None or batch not in hand.left or batch in given:
                strangers += 1
                continue
            given.add(batch)
            await self._hand_over(hand, batch, row)
        for batch in sorted(hand.left - given):
            self._release(hand, batch, "there was no answer to it")
        self._reports.collected(keeper.job, broken=keeper.broken_lines, strangers=strangers)
        if hand.left:
            await hand.over.wait()
        await self._context.gate.journal.flush()
        await keeper.collected()

    async def _hand_over(self, hand: _JobInHand, batch: int, row: BatchRow) -> None:
        asked = self._asked.get(batch)
        if asked is None:
            self._done(hand, batch)  # it was cut off
            return
        failure: Exception | None = None
        if row.error is not None:
            options = frozenset(ChatOption(name) for name in hand.keeper.job.options if name in set(ChatOption))
            failure = hand.model.batch_failure(asked.request, options, row.error)
            if row.never_made or not isinstance(failure, CallRefused | RequestTooLarge):
                self._release(hand, batch, row.error.message)
                return
        await self._turns.acquire()
        hand.answered += 1
        if asked.answer.done():
            self._turns.release()
        else:
            asked.answer.set_result(BatchAnswer(row.completion, failure))

    def taken(self) -> None:
        """An answer that was given has been read."""
        self._turns.release()

    def settled(self, batch: int, result: BatchOutcome) -> None:
        """What a call brought is taken in."""
        self._cost.learn(result)
        for hand in self._round.values():
            if batch in hand.left:
                self._done(hand, batch)

    def _release(self, hand: _JobInHand, batch: int, why: str) -> None:
        self._reports.unanswered(hand.keeper.job.number, why)
        self._let_go(batch)
        self._done(hand, batch)

    def _let_go(self, batch: int) -> None:
        asked = self._asked.get(batch)
        if asked is not None and not asked.answer.done():
            asked.answer.set_exception(CallReleased())

    @staticmethod
    def _done(hand: _JobInHand, batch: int) -> None:
        hand.left.discard(batch)
        if not hand.left:
            hand.over.set()

    async def _refused(self, hand: _JobInHand) -> None:
        """The provider did not take the input file."""
        keeper, job = hand.keeper, hand.keeper.job
        assert keeper.remote is not None
        words = keeper.remote.error_words or "the provider gave no reason"
        for batch in sorted(hand.left):
            self._release(hand, batch, words)
        await keeper.drop(words)
        if not keeper.lacks_room or job.requests <= 1:
            raise EndpointRefused(
                f"The provider refused batch job {job.number} ({job.remote_id}): {words}.",
                "Nothing of it was made or billed. Mend what it says, then go on.",
            )
        self._most = max(1, job.requests // 2)
        self._answered += 1  # it goes on, in smaller jobs
        self._reports.refused(job, words, self._most)

    def _end_round(self) -> None:
        self._full = False
        if self._cancelled:
            self._context.pause(replace(ASKED_TO_PAUSE, reason="the batch jobs were cancelled"))
        elif self._answered:
            self._fruitless = 0
        else:
            self._fruitless += 1
            if self._fruitless >= _MOST_FRUITLESS:
                why = self._reports.last_reason or "no reason was given"
                self._context.fail(
                    EndpointUnavailable(
                        f"{self._fruitless} rounds of batch jobs brought no answer ({why}); the run stopped. "
                        "Everything accepted is saved.",
                        "Look at the jobs in the provider's console, then resume.",
                    )
                )
        self._context.wake()

    # -- an earlier run's jobs

    async def restore(self) -> list[AdoptedCall]:
        """The calls of jobs that an earlier run has left with the provider; their slots are leased again.

        Raises ``InputError`` when a job is with another endpoint.
        """
        self._input.discard()
        adopted: list[AdoptedCall] = []
        hands: list[_JobInHand] = []
        writer = self._context.writer
        assert isinstance(writer, BatchableModel)
        for job in await self._table.open():
            if job.state is BatchJobState.PREPARED:
                await self._table.update(replace(job, state=BatchJobState.DROPPED, trouble="it was never sent"))
                continue
            if job.endpoint != writer.batch_client().digest:
                raise InputError(
                    f"Batch job {job.number} of this session is with another endpoint than {writer.batch_client().url}.",
                    "Set base_url back to collect it, or give it up with --drop-batches.",
                )
            requests = await self._table.uncollected(job.number)
            calls = [call for one in requests if (call := await adopt(self._context, job.model, one)) is not None]
            for call in calls:
                future = asyncio.get_running_loop().create_future()
                self._asked[call.batch.number] = _Asked(
                    call.request, future, self._cost.dollars(job.model, call.request)
                )
            adopted += calls
            self._cancelled |= job.cancelled
            hands.append(self._in_hand(job, writer, [call.batch.number for call in calls]))
        for hand in hands:
            if not hand.left:
                hand.over.set()
            self._begin(hand)
        return adopted

    # -- ends

    def pause(self) -> None:
        """Fill no round. Jobs stay with the provider; what is being collected goes on."""
        self._pausing, self._sealed = True, False
        for batch in [*self._requests]:
            if self._sending is None:
                self._let_go(batch)
        for hand in list(self._round.values()):
            if hand.keeper.job.state is BatchJobState.WAITING and not hand.collecting:
                self._leave(hand)

    def _leave(self, hand: _JobInHand) -> None:
        """Leave a job with the provider; the next run collects it."""
        self._round.pop(hand.keeper.job.number, None)
        for batch in hand.left:
            self._let_go(batch)
        if hand.life is not None:  # it may be the one that says so: it ends at its next step
            asyncio.get_running_loop().call_soon(hand.life.cancel)

    def detach(self) -> list[int]:
        """Leave everything as it is, at once. Returns the calls that are not settled: nothing is to be recorded of them."""
        self._pausing = True
        left = {*self._preparing, *self._asked, *(batch for hand in self._round.values() for batch in hand.left)}
        for life in self._lives:
            life.cancel()
        return sorted(left)

    async def close(self) -> None:
        """Wait for what was cut off."""
        tasks = [*self._lives, *([self._sending] if self._sending is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._input.discard()

    async def cancel(self) -> int:
        """Have the provider stop all jobs; what is done of them is collected, and then the run pauses. Returns how many."""
        self._cancelled = bool(self._round)
        hands = list(self._round.values())
        for hand in hands:
            await hand.keeper.cancel()
        return len(hands)

    def look_now(self) -> None:
        """Look at all jobs at once."""
        for hand in self._round.values():
            hand.keeper.look_now()

    # -- what is told

    def _changed(self, job: BatchJob, news: bool) -> None:
        self._reports.changed(job, news=news)
        if not self._context.waits and not self._pausing:
            self._go_if_all_wait()

    def _go_if_all_wait(self) -> None:
        """Nobody waits for jobs: when each is with the provider and has been looked at, the run pauses."""
        hands = list(self._round.values())
        waiting = [
            hand for hand in hands
            if hand.keeper.job.state is BatchJobState.WAITING and not hand.collecting and hand.keeper.looks
            and not (hand.keeper.remote is not None and hand.keeper.remote.status.is_over)
        ]  # fmt: skip
        if hands and len(waiting) == len(hands) and self._sending is None:
            words = f"{counted(len(hands), 'batch job')} {'is' if len(hands) == 1 else 'are'} with the provider"
            self._context.pause(Pause(words, PauseCause.BATCHES))
