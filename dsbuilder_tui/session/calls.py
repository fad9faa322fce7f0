"""Worker calls of a session: those in flight, to look at, cut off or hurry, and those that have ended."""

from __future__ import annotations

from dsbuilder_tui.domain.batch_words import BatchFigures
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import WorkerCall

__all__ = ["SessionCalls", "WorkerCall"]


class SessionCalls:
    """Shows worker calls, and acts on those in flight."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    def live(self) -> list[CallTrace]:
        """The calls in flight, then the last 100 that ended, each the newest first. They go on changing."""
        return self._context.call_log.calls()

    def places(self) -> tuple[RunnerPlace, ...]:
        """Where the calls of the run that goes on are made, as the nodes of a cluster; none where that is this process."""
        return self._context.run.places() if self._context.run else ()

    def cancel(self, batch: int) -> bool:
        """Cut a call off. What it has delivered counts; its other slots are open again, without a mark against them.

        False when it is not in flight.
        """
        return self._context.run.cancel_call(batch) if self._context.run else False

    def retry_now(self, batch: int) -> bool:
        """End the wait of a call that is to be made again, at once. False when it is not waiting."""
        return self._context.run.retry_call_now(batch) if self._context.run else False

    async def kept_answers(self) -> tuple[int, int]:
        """How many answers the session keeps to be judged again, and the bytes that they take."""
        responses = self._context.files.store.responses
        return await responses.count(), await responses.size()

    async def forget_answers(self) -> int:
        """Remove the kept answers; cases and calls stay. Returns how many there were."""
        responses = self._context.files.store.responses
        count = await responses.count()
        await responses.trim(0)
        return count

    async def page(self, offset: int, limit: int) -> list[WorkerCall]:
        """Some finished worker calls, newest first."""
        return await self._context.files.store.calls.page(offset, limit)

    async def count(self) -> int:
        return await self._context.files.store.calls.count()

    async def place(self, batch: int) -> int | None:
        """How many finished calls come before this batch's in what ``page`` lists; None when none of it has ended."""
        return await self._context.files.store.calls.place(batch)

    async def figures(self, batch: int) -> BatchFigures | None:
        """What became of the candidates of a batch; None while no call of it has ended."""
        calls = self._context.files.store.calls
        ended = await calls.newest(batch)
        return None if ended is None else await calls.figures(batch, ended.seq)
