"""Batch jobs of a session: what a provider still has, and how it is hurried, cancelled or given up."""

from __future__ import annotations

from dataclasses import replace

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.session.session_context import SessionContext


class SessionBatchJobs:
    """Shows batch jobs, and acts on those that are open."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def waiting(self) -> list[BatchJob]:
        """Jobs that the provider has, or may have, for whatever branch, the oldest first."""
        jobs = await self._context.files.store.batch_jobs.open(everywhere=True)
        return [job for job in jobs if job.is_waiting]

    async def newest(self, limit: int = 20) -> list[BatchJob]:
        """The last jobs, the newest first, whatever became of them."""
        return await self._context.files.store.batch_jobs.page(limit)

    async def cancel(self) -> int:
        """Have the provider stop all jobs of the branch that is worked on; what is done of them is collected. Returns how many.

        While nothing runs they are marked: the next run has them stopped, collects, and pauses.
        """
        rounds = self._context.run.batch_rounds if self._context.run else None
        if rounds is not None:
            return await rounds.cancel()
        table = self._context.files.store.batch_jobs
        jobs = [job for job in await table.open() if job.is_waiting]
        for job in jobs:
            await table.update(replace(job, cancelled=True))
        return len(jobs)

    async def give_up(self) -> int:
        """Forget all jobs of the branch that is worked on: their slots are written again, and what they cost is lost.

        Returns how many. Raises ``InputError`` while a run goes on.
        """
        self._context.only_at_rest()
        table = self._context.files.store.batch_jobs
        jobs = await table.open()
        for job in jobs:
            await table.update(replace(job, state=BatchJobState.DROPPED, trouble="given up by a person"))
        return len(jobs)

    def look_now(self) -> bool:
        """Ask the provider about all jobs at once. False when no run waits for any."""
        rounds = self._context.run.batch_rounds if self._context.run else None
        if rounds is None or not rounds.is_waiting:
            return False
        rounds.look_now()
        return True
